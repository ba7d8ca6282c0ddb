"""What vmci saves is judged by the programs that engineers open it with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.real import readers
from vmci_tui.cli import main


def test_a_note_appended_to_a_real_dump_is_taken_by_every_reader(sample: Callable[[str], str], tmp_path: Path) -> None:
    out = str(tmp_path / "out.elf")
    assert main(["append", sample("amd64-cut-nonote.elf"), "--note", sample("amd64-cut-note.elf"), "-o", out]) == 0

    assert readers.crash_osrelease(out) == "6.1.0-56-amd64"
    dmesg = tmp_path / "dmesg"
    assert "makedumpfile Completed" in readers.makedumpfile_dmesg(out, dmesg).out
    assert "Linux version 6.1.0-56-amd64" in dmesg.read_text("latin-1")
    assert "VMCOREINFO" in readers.readelf_notes(out)
    assert "OSRELEASE=6.1.0-56-amd64" in readers.eu_readelf_notes(out)
    own = readers.drgn_text(out, uts=True)
    assert own.code == 0, own.out
    assert "UTS [b'Linux'" in own.out and "6.1.0-56-amd64" in own.out.split("UTS")[1]
    # The cut dump lacks the page tables that libkdumpfile walks: it is asked for the note only.
    assert "OSRELEASE=6.1.0-56-amd64\n" in readers.drgn_text(out, libkdumpfile=True).out
