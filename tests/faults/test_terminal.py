"""Test that a real terminal receives only text for a hostile dump, without control sequences."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from tests.dumps import factory
from tests.faults import corpus
from tests.faults.pty import Terminal
from tests.paths import SAMPLES

_NAME = b"\x1b]0;hostile\x07[red]\xe2\x80\xae\n.elf"
_VMCI = (sys.executable, "-m", "vmci_tui")
_PLAIN = {"NO_COLOR": "1"}
_COLOUR = re.compile(rb"\x1b\[(?:0|1|2|3[1-36]|1;3[1-36])m")
"""What the styles of `terminal_lines` are on a terminal."""


@pytest.fixture
def hostile(tmp_path: Path) -> str:
    """Write a dump with the whole corpus in its text and note names, under a hostile name."""
    names = b"".join(factory.note(b"x", name) for name in corpus.NOTE_NAMES)
    path = os.path.join(os.fsencode(tmp_path), _NAME)
    with open(path, "wb") as file:
        file.write(factory.elf([names + factory.note(corpus.TEXT)]))
    return os.fsdecode(path)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["show", "FILE", "--keys"], 0, "HOSTILE-sgr=\\x1b[31mhostile"),
        (["show", "FILE", "--json"], 0, "HOSTILE-title"),
        (["check", "FILE"], 1, "is not printable ASCII"),
        (["check", "FILE", "--json"], 1, '"code": "T01"'),
        (["hex", "FILE", "--len", "8192"], 0, "VMCOREINFO"),
        (["set", "FILE", "HOSTILE-sgr=\\x1b[32m", "--dry-run", "-o", "FILE-out"], 0, "plan: copy"),
        (["set", "FILE", "PAGESIZE=4096", "-o", "FILE-out"], 0, "saved "),
        (["set", "FILE", "\x1b[31mX", "-o", "OUT"], 2, "is not KEY=VALUE"),
        (["set", "FILE", "entry.\x1b[31m=1", "-o", "OUT"], 2, "vmci: "),
        (["append", "FILE", "--text", "FILE", "-o", "OUT"], 3, "vmci: "),
        (["append", "FILE", "--note", "FILE-gone", "-o", "OUT"], 3, "cannot open"),
        (["append", "FILE", "--note", "FILE", "-o", "FILE/x"], 4, "cannot save as"),
        (["show", "FILE", "\x1b[31mmore"], 2, "\\x1b[31mmore"),
        (["show", "FILE-gone"], 3, "cannot open"),
        (["FILE-gone"], 3, "cannot open"),
    ],
)
def test_the_command_line_sends_text_only(
    hostile: str, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    made = [item.replace("FILE", hostile).replace("OUT", str(tmp_path / "out")) for item in arguments]
    with Terminal((*_VMCI, *made), columns=200, rows=200, env=_PLAIN) as terminal:
        assert terminal.finish() == code, terminal.text
        raw = bytes(terminal.raw)
    # The progress line of a save returns to its own start.
    assert not set(raw) - set(range(0x20, 0x7F)) - {0x0A, 0x0D}, raw
    assert words.encode() in raw.replace(b"\r\n", b""), raw
    assert terminal.title == ""
    assert not any(marker in raw for marker in corpus.MARKERS)


@pytest.mark.parametrize("command", ["show", "check"])
def test_colours_are_the_only_control_sequences(hostile: str, command: str) -> None:
    """Without the colours of `terminal_lines`, the terminal gets what it gets with NO_COLOR, tested above."""
    sent = []
    for env in (_PLAIN, {"NO_COLOR": ""}):
        with Terminal((*_VMCI, command, hostile), columns=200, rows=200, env=env) as terminal:
            terminal.finish()
            sent.append(bytes(terminal.raw))
    plain, coloured = sent
    assert b"\x1b[1" in coloured and b"\x1b" not in plain
    assert _COLOUR.sub(b"", coloured) == plain
    assert terminal.title == "" and not any(marker in coloured for marker in corpus.MARKERS)


def test_the_terminal_detects_escapes(tmp_path: Path) -> None:
    """Check that the assertions above are not vacuous: sent raw, the corpus is visible, and it acts."""
    (tmp_path / "raw").write_bytes(corpus.TEXT)
    with Terminal(("cat", str(tmp_path / "raw"))) as terminal:
        assert terminal.finish() == 0
        assert all(marker in terminal.raw for marker in corpus.MARKERS)
        assert "hostile" in terminal.title


def test_the_app_ends_with_its_terminal() -> None:
    """Also where no SIGHUP says so: it would read the end of its input over and over."""
    with Terminal((*_VMCI, str(SAMPLES / "amd64-cut-note.elf"))) as terminal:
        terminal.wait_for("OSRELEASE")
        assert terminal.hang_up() == 130
