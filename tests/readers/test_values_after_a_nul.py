"""Test that no reader is said to have a value of a key that it does not find, because its text ends at a NUL."""

from __future__ import annotations

from tests.paths import SAMPLES
from vmci_tui.opening.open_file import open_document
from vmci_tui.readers.verdicts import verdicts_now


def test_libkdumpfile_gives_drgn_no_key_after_a_nul() -> None:
    with open_document(str(SAMPLES / "hostile-text.elf")) as document:
        verdicts = verdicts_now(document)
    assert "PAGESIZE" in verdicts["libkdumpfile"].says
    assert b"PAGESIZE" not in verdicts["libkdumpfile"].values()
    assert verdicts["crash"].values()[b"PAGESIZE"].number == 4096
