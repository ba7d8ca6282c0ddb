"""Test where the image of a kernel without symbols of variables is, by the end of its code."""

from __future__ import annotations

import pytest

from tests.proof.synthetic import Ram
from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import Spent
from vmci_tui.kernel.image.places import Place
from vmci_tui.kernel.symbols.after_code import shift_after_code

_SHIFT = 0x80000000
_START, _END = 0xC0400000, 0xC0FFFF00
_DATA = 0x41000000
"""Where the read-only data is, at the next page after the code."""
_PLACE = Place(_DATA, b"Linux version 6.1.0", None)
_SECTION = 0x200000


def _mapped(lpae: bool, code: int = _START - _SHIFT) -> Ram:
    """Return memory with the first table of arm below the code, which maps it to `code`."""
    ram = Ram()
    if lpae:
        root = 0x40203000
        ram.word(root + 8 * (_START >> 30), root + 0x1000 | 3)
        for at in range(0, 0xC00000, _SECTION):
            ram.word(root + 0x1000 + 8 * (_START + at >> 21 & 511), code + at | 1)
    else:
        for at in range(0, 0xC00000, 1 << 20):
            ram.word(0x40204000 + 4 * (_START + at >> 20), code + at | 2, 4)
    return ram


def _shift(ram: Ram, machine: str = "arm", start: int = _START, end: int = _END, steps: int = 1 << 16) -> int | None:
    return shift_after_code(ram.guest(machine), _PLACE, start, end, "little", Budget(steps))


@pytest.mark.parametrize("lpae", [True, False])
def test_on_arm_the_page_tables_below_the_code_must_agree(lpae: bool) -> None:
    assert _shift(_mapped(lpae)) == _SHIFT
    assert _shift(_mapped(lpae, _START - _SHIFT + _SECTION)) is None
    assert _shift(_mapped(lpae), end=_END + 0x1000) is None


def test_without_page_tables_an_arm_kernel_is_not_placed_and_the_search_for_them_ends() -> None:
    ram = Ram()
    ram.word(0x40000000, 0)
    assert _shift(ram) is None
    with pytest.raises(Spent):
        _shift(ram, steps=100)


def test_on_ppc64_the_distance_must_be_the_one_that_all_kernels_have() -> None:
    base = 0xC000000000000000
    assert _shift(Ram(), "ppc64", base, base + _DATA) == base
    assert _shift(Ram(), "ppc64", base, base + _DATA + 0x1000) is None
    assert _shift(Ram(), "s390x", base, base + _DATA) is None
