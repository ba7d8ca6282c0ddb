"""Test the app in a real terminal over a hostile dump: it shows text, and no control sequence gets through."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.dumps import factory
from tests.faults import corpus
from tests.faults.pty import Terminal

_NAME = b"\x1b]0;hostile\x07[red]hostile\xe2\x80\xae\n.elf"
_DOWN, _END, _ESCAPE = "\x1b[B", "\x1b[F", "\x1b"


@pytest.fixture
def hostile(tmp_path: Path) -> bytes:
    """Write a dump with the whole corpus in its text and note names, under a hostile name."""
    names = b"".join(factory.note(b"x", name) for name in corpus.NOTE_NAMES)
    path = os.path.join(os.fsencode(tmp_path), _NAME)
    with open(path, "wb") as file:
        file.write(factory.elf([names + factory.note(corpus.TEXT)]))
    return path


def _unharmed(terminal: Terminal) -> None:
    sent = [marker for marker in corpus.MARKERS if marker in terminal.raw]
    assert not sent, sent
    assert "hostile" not in terminal.title
    assert terminal.running, terminal.text


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 36), (200, 60)])
def test_every_pane_shows_hostile_text_as_text(hostile: bytes, columns: int, rows: int) -> None:
    with Terminal((sys.executable, "-m", "vmci_tui", hostile), columns, rows) as terminal:
        terminal.wait_for("Note text")
        seen = ""
        for pane in "12345":
            terminal.send(pane)
            terminal.settle()
            for _ in range(0, len(corpus.TEXTS) + 4, 5):
                terminal.send(_DOWN * 5)
                terminal.settle(0.15)
                seen += terminal.text
            terminal.send(_END)
            terminal.settle()
            _unharmed(terminal)
        for shown in ("[red]hostile", "[@click=ap", "[/foo]", "\\x1b[31mho", "\\x9b31m"):
            assert shown in seen, shown


def test_dialogs_and_messages_show_hostile_text_as_text(hostile: bytes) -> None:
    """The same for the text editor, the search, the save dialog and error messages."""
    with Terminal((sys.executable, "-m", "vmci_tui", hostile), 120, 36) as terminal:
        terminal.wait_for("Note text")
        for keys, reached in (
            ("4", "Enter Edit"),
            ("\r", "│ HOSTILE-markup "),
            (_ESCAPE, "Enter Edit"),
            ("e", "The text of the note"),
            (_ESCAPE, "Enter Edit"),
            ("/", "F1 Help"),
            ("hostile\r", "Enter Edit"),
            (_ESCAPE, "Enter Edit"),
            ("c", "copied 33 characters"),
            ("s", "Save a copy of "),
            (_ESCAPE, "Enter Edit"),
            ("\x18", "done: remove the VMCOREINFO note"),
            ("u", "undone: remove the VMCOREINFO note"),
            ("4", "Enter Edit"),
            ("d", "done: delete line 1"),
            ("a", "Replace the VMCOREINFO note"),
            ("\r", "Append the note of"),
            ("[red]no[/red]\x1b[200~\x9b31mhostile\x1b[201~\r", "cannot open [red]no[/red]\\xc2\\x9b31m"),
        ):
            terminal.send(keys)
            terminal.settle()
            assert reached in terminal.text, (keys, terminal.text)
            _unharmed(terminal)


def test_a_file_that_shrinks_while_shown_does_not_end_the_app(hostile: bytes) -> None:
    with Terminal((sys.executable, "-m", "vmci_tui", hostile), 120, 36) as terminal:
        terminal.wait_for("Note text")
        os.truncate(hostile, 100)
        for keys in ("5", "\x1b[6~", "\x1b[5~", "4", _DOWN, "\x18", "u"):
            terminal.send(keys)
            terminal.settle()
            _unharmed(terminal)
