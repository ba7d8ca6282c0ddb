"""Test the way from a dump that readers refuse to one that they accept, in a real terminal and by its screen alone:
read the verdict line, press the key that it names, and the next one offered, until the file is saved.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests import kit
from tests.data_files import fault
from tests.faults.pty import Terminal
from tests.opened_files import open_document
from tests.paths import ROOT, SAMPLES
from tests.real import readers
from vmci_tui.document import edit_notes, edit_text
from vmci_tui.document.edit import Edit

_KEYS: Final = 4
"""The most keys from opening to the saved copy."""
_REPAIR: Final = re.compile(r"\[(.)\] [^\[]*: (\d) of \2\b")
"""The key that the verdict line offers with what it brings: all readers accept."""
_SAVES: Final = re.compile(r"(\w) applies and saves")
_RELEASE: Final = "6.1.0-56-amd64"


class Fault(NamedTuple):
    """A dump that readers refuse."""

    make: Callable[[], bytes]
    refused: str
    """What the verdict line says of it."""
    crash: str = _RELEASE
    """What crash then prints as the release; empty if no crash for x86-64 reads such a file."""
    drgn: bool = True
    """Whether drgn of the default version reads it."""
    makedumpfile: bool = True


def _edited(name: str, *edits: Edit) -> bytes:
    document = open_document(str(SAMPLES / name))
    for edit in edits:
        document.edit(edit)
    return kit.saved(document)


def _of(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def _fabricated() -> bytes:
    text = _of("lessons/fabricated.txt")
    return _edited("amd64-cut-nonote.elf", Edit.of(edit_notes.append_text, text, "little"))


def _wrong_phys_base() -> bytes:
    return _edited("amd64-cut-note.elf", Edit.of(edit_text.set_key, b"NUMBER(phys_base)", b"4096"))


_FAULTS: Final = {
    "no note": Fault(lambda: _of("amd64-cut-nonote.elf"), "note is missing"),
    "wrong phys_base": Fault(_wrong_phys_base, "cannot confirm its note"),
    "CRLF": Fault(lambda: _of("crlf.elf"), "CR LF", makedumpfile=False),
    "fabricated": Fault(_fabricated, "memory"),
    "no utsname": Fault(lambda: _of("i386-qemu.kdump"), "the kdump header", crash="", makedumpfile=False),
    "sections first": Fault(lambda: _of("amd64-note.elf-win4k"), "program headers", makedumpfile=False),
    "p_vaddr lies": Fault(lambda: fault("461-vaddr-lies.elf"), "wrong address", crash="", makedumpfile=False),
}
_CASES: Final = [
    pytest.param("no note", (120, 36), id="no note-120x36"),
    *(pytest.param("no note", size, id=f"no note-{size[0]}", marks=pytest.mark.long) for size in ((80, 24), (200, 60))),
    *(pytest.param(name, (80, 24), id=name, marks=pytest.mark.long) for name in list(_FAULTS)[1:]),
]


@pytest.mark.parametrize(("name", "size"), _CASES)
def test_from_the_verdict_line_to_a_file_that_readers_accept(name: str, size: tuple[int, int], tmp_path: Path) -> None:
    case = _FAULTS[name]
    path, copy = tmp_path / "dump.elf", tmp_path / "dump-fixed.elf"
    path.write_bytes(case.make())
    # In the folder of the dump: a long path would not fit into a field of 80 columns.
    command = ("sh", "-c", 'cd "$0" && exec "$@"', str(tmp_path), sys.executable, "-m", "vmci_tui", path.name)
    env = {"TEXTUAL_ANIMATIONS": "none", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with Terminal(command, *size, env=env) as terminal:
        terminal.find(_REPAIR)
        assert case.refused in terminal.lines[1], terminal.text
        pressed = [_press(terminal, _REPAIR)]
        pressed.append(_press(terminal, _SAVES))
        terminal.wait_for("dump-fixed.elf")
        terminal.settle(0.2)
        terminal.send("\r")
        pressed.append("enter")
        terminal.wait_for("readers accept it")
        assert len(pressed) <= _KEYS
    _is_accepted(str(copy), case, tmp_path)


def _press(terminal: Terminal, offered: re.Pattern[str]) -> str:
    """Wait until the screen offers a key, press it, and return it."""
    key = terminal.find(offered)[1]
    terminal.settle(0.2)
    terminal.send(key)
    return key


def _is_accepted(path: str, case: Fault, tmp_path: Path) -> None:
    """Ask the programs themselves."""
    if case.crash:
        assert readers.crash_osrelease(path) == case.crash
    if case.drgn:
        ran = readers.drgn_text(path)
        assert ran.code == 0 and ran.out.startswith("OSRELEASE="), ran.out
    if case.makedumpfile:
        ran = readers.makedumpfile_dmesg(path, tmp_path / "dmesg")
        assert ran.code == 0 and "makedumpfile Completed" in ran.out, ran.out
