"""Test which page tables and which size of pages a ppc64 kernel without symbols of variables and without types has."""

from __future__ import annotations

from functools import partial

import pytest

from tests.proof.synthetic import Ram
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.facts.running_kernel import RunningKernel
from vmci_tui.kernel.lines.prove_lines import prove_lines
from vmci_tui.kernel.virtual_memory import read_mapped
from vmci_tui.proof.paging.walk import WalkEnd

_MAP = 0xC000000000000000
_END = 0x20_0000
_ROOT, _UPPER, _MIDDLE, _VMALLOC_UPPER, _VMALLOC_MIDDLE = 0x24_0000, 0x30_1000, 0x30_2000, 0x30_3000, 0x30_4000
_VALID, _LEAF = 1 << 63, 1 << 62
_VMALLOC = 4096
"""The entry of the first table for 0xc008000000000000."""


def _memory(last: int = 5, first_code: int = 0) -> Ram:
    """Return memory with tables that map the code by large pages, and another area with last tables of `last` bits."""
    ram = Ram("big")
    for at, entry in (
        (_ROOT, _VALID | _UPPER | 9),
        (_UPPER, _VALID | _MIDDLE | 9),
        (_MIDDLE, _VALID | _LEAF | first_code),
        (_ROOT + 8 * _VMALLOC, _VALID | _VMALLOC_UPPER | 9),
        (_VMALLOC_UPPER, _VALID | _VMALLOC_MIDDLE | 9),
        (_VMALLOC_MIDDLE + 16, _VALID | 0x30_5000 | last),
    ):
        ram.word(at, entry)
    return ram


def _kernel(ram: Ram) -> RunningKernel:
    symbols = {b"_stext": _MAP, b"_text": _MAP, b"_etext": _MAP + _END}
    for page in range(_END, 0x24_2000 + 0xE000, 0x1000):
        ram.pages.setdefault(page // 0x1000, bytearray(0x1000))
    for page in range(_UPPER, 0x30_5000, 0x1000):
        ram.pages.setdefault(page // 0x1000, bytearray(0x1000))
    return RunningKernel(
        "ppc64",
        "little",
        8,
        lambda name: (symbols[name],) if name in symbols else (),
        {},
        None,
        partial(read_mapped, ram.guest("ppc64"), lambda address: address - _MAP),
        lambda address: address - _MAP,
        lambda tables, root, va: WalkEnd("absent", root),
        b"6.1.0-50-powerpc64le",
    )


_TEXT = Vmcoreinfo(b"PAGESIZE=65536\nSYMBOL(swapper_pg_dir)=%x\nKERNELOFFSET=0\n" % (_MAP + _ROOT))


@pytest.mark.parametrize(("last", "size"), [(5, 65536), (9, 4096)])
def test_the_only_table_that_maps_the_code_is_the_kernels_and_names_the_length_of_the_last_ones(
    last: int, size: int
) -> None:
    page, root, offset = prove_lines(_kernel(_memory(last)), _TEXT)
    assert (page.verdict, page.found) == ("confirmed" if size == 65536 else "contradicted", b"%d" % size)
    assert (root.verdict, offset.verdict) == ("confirmed", "confirmed")


@pytest.mark.parametrize("spoilt", ["elsewhere", "two", "bits", "none"])
def test_where_the_tables_do_not_agree_nothing_is_said(spoilt: str) -> None:
    ram = _memory(7 if spoilt == "bits" else 5, 0x20_0000 if spoilt == "elsewhere" else 0)
    if spoilt == "two":
        ram.word(_ROOT + 0x10000, _VALID | _UPPER | 9)
    if spoilt == "none":
        ram.word(_ROOT, 0)
    page, root, _ = prove_lines(_kernel(ram), _TEXT)
    assert page.verdict == "unknown" and (root.verdict == "unknown" or spoilt == "bits")
