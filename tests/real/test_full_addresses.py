"""Whole dumps of booted guests of 32-bit ARM and x86 and of ppc64: repaired, real drgn reads their kernel memory.

Collected where VMCI_FULL_DUMPS names a folder that holds them (`armhf-nonote.elf` and so on); see conftest.py.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.real.readers import drgn_text
from vmci_tui.cli.run import main

_FOLDER = os.environ["VMCI_FULL_DUMPS"]


@pytest.mark.long
@pytest.mark.parametrize("name", ["armhf-nonote", "i386-nonote", "i386flash-note", "ppc64el-nonote"])
def test_drgn_reads_utsname(name: str, tmp_path: Path) -> None:
    path, out = Path(_FOLDER, f"{name}.elf"), tmp_path / "repaired.elf"
    if not path.exists():
        pytest.skip(f"{_FOLDER} has no {name}.elf")
    assert main(["repair", str(path), "-o", str(out)]) == 0
    try:
        for library in (False, True):
            ran = drgn_text(str(out), libkdumpfile=library, uts=True)
            assert ran.code == 0 and "UTS [b'Linux'" in ran.out, ran.out
    finally:
        out.unlink()
