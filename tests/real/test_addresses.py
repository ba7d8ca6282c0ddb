"""Test dumps whose program headers have no kernel address, or a wrong one: drgn reads utsname after the repair.

The guests are Debian 6.1 under QEMU 7.2, booted and dumped without a note; of their memory only the
pages are kept that finding and proving the note reads.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data_files import fault
from tests.real.readers import drgn_text
from vmci_tui.cli.run import main

_BOTH = (False, True)


@pytest.mark.parametrize("name", ["armhf-nonote.elf", "i386-nonote.elf", "ppc64el-nonote.elf", "633-armhf.elf"])
@pytest.mark.parametrize("way", ["copy", "in place"])
def test_the_kernels_addresses_are_written(name: str, way: str, tmp_path: Path) -> None:
    path, out = tmp_path / name, tmp_path / "out.elf"
    path.write_bytes(fault(name))
    if way == "copy":
        assert main(["repair", str(path), "-o", str(out)]) == 0
    else:
        out = path
        assert main(["repair", str(path), "--in-place", "--only", "N01"]) == 0
        assert "UTS" not in drgn_text(str(out), uts=True).out, "the note alone is not enough"
        assert main(["repair", str(path), "--in-place"]) == 0
    for library in _BOTH:
        ran = drgn_text(str(out), libkdumpfile=library, uts=True)
        assert ran.code == 0 and "UTS [b'Linux'" in ran.out, ran.out
    if way == "in place":
        for _ in range(1 + name.endswith("nonote.elf")):
            assert main(["undo", str(path)]) == 0
        assert path.read_bytes() == fault(name)


def test_a_wrong_address_is_removed(tmp_path: Path) -> None:
    path, out = tmp_path / "lies.elf", tmp_path / "out.elf"
    path.write_bytes(fault("461-vaddr-lies.elf"))
    before = drgn_text(str(path), uts=True)
    assert before.code == 0 and "UTS [b'Linux'" not in before.out, "it reads other bytes without a word"
    assert main(["repair", str(path), "-o", str(out)]) == 0
    assert "UTS [b'Linux'" in drgn_text(str(out), uts=True).out
