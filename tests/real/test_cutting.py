"""Test with the real readers that they read a cut as they read the whole dump."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.paths import SAMPLES
from tests.real import readers
from vmci_tui.cli.run import main


@pytest.mark.parametrize("masked", [False, True])
def test_all_readers_accept_a_cut(masked: bool, tmp_path: Path) -> None:
    whole, out = str(SAMPLES / "amd64-cut-note.elf"), str(tmp_path / "cut.elf")
    assert main(["cut", whole, "-o", out, "--for", "makedumpfile", *["--mask"] * masked]) == 0
    assert readers.crash_osrelease(out) == readers.crash_osrelease(whole)
    assert "VMCOREINFO" in readers.readelf_notes(out)
    assert readers.eu_readelf_notes(out).count("OSRELEASE=") == readers.eu_readelf_notes(whole).count("OSRELEASE=")
    for libkdumpfile in (False, True):
        answers = [readers.drgn_text(path, libkdumpfile, uts=True) for path in (out, whole)]
        assert answers[0] == answers[1]
    logs = [tmp_path / "cut.txt", tmp_path / "whole.txt"]
    for path, log in zip((out, whole), logs, strict=True):
        assert readers.makedumpfile_dmesg(path, log).code == 0
    assert logs[0].read_bytes() == logs[1].read_bytes()
