"""Find the page tables of a ppc64 kernel in its image, and what size of pages they have, where nothing names them.

Kernels without CONFIG_KALLSYMS_ALL have no symbols of variables. Source: Power ISA 3.0B, Book III, 5.7.10 (radix tree);
arch/powerpc/include/asm/book3s/64/radix.h of Linux 6.1. The entries are big-endian, whatever the kernel is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vmci_tui.kernel.facts.rules import SWAPPER, named_or_only, page_size
from vmci_tui.kernel.facts.running_kernel import Fact, Finding, RunningKernel

_MAP: Final = 0xC000000000000000
"""PAGE_OFFSET, where all memory is mapped."""
_ROOT, _ROOT_BITS = 64 << 10, 13
_IMAGE: Final = 48 << 20
"""Bytes after the code in which the first table is."""
_BITS: Final = 9
"""Of the tables below the first, but the last."""
_PAGE_OF: Final = {5: 64 << 10, 9: 4 << 10}
"""The size of pages by the bits of the last table, which the entry that names it has."""
_VALID, _LEAF = 1 << 63, 1 << 62
_ADDRESS: Final = 0x0FFFFFFFFFFFFF00
_NEXT: Final = 0x1F
_ENTRY: Final = 8
_LOOKS: Final = 4096
"""Tables that are looked at."""


def swapper(kernel: RunningKernel) -> Finding:
    """Return swapper_pg_dir: its symbol, or the only table in the image that maps the code."""
    return named_or_only(kernel, SWAPPER, _roots(kernel), "the only page table in the image that maps its code")


def page_size_by_tables(kernel: RunningKernel) -> Finding:
    """Return PAGE_SIZE, by the types, else by how long the last tables of the kernel's own are."""
    by_types, root = page_size(kernel), swapper(kernel)
    if isinstance(by_types, Fact) or not isinstance(root, Fact) or not isinstance(root.value, int):
        return by_types
    sizes = {_PAGE_OF.get(bits) for bits in _last_bits(kernel, root.value)}
    size = sizes.pop() if len(sizes) == 1 else None
    return by_types if size is None else Fact(size, "the kernel's page tables, which name the length of the last ones")


def _roots(kernel: RunningKernel) -> Iterator[int]:
    """Yield the addresses of tables after the code whose first entry leads to the kernel's first code."""
    begins, ends = kernel.symbols(b"_stext"), kernel.symbols(b"_etext")
    if len(begins) != 1 or len(ends) != 1:
        return
    first = -(-ends[0] // _ROOT) * _ROOT
    for at in range(first, first + _IMAGE, _ROOT):
        searched = kernel.searched or kernel
        if _mapped(searched, at, begins[0]) and _mapped(kernel, at, begins[0]):
            yield at


def _mapped(kernel: RunningKernel, table: int, address: int) -> bool:
    """Return whether the first table at an address maps another address to where it is."""
    shift, bits = 39, _ROOT_BITS
    while shift >= 21:
        entry = _entry(kernel, table, address >> shift & (1 << bits) - 1)
        if entry is None or not entry & _VALID:
            return False
        if entry & _LEAF:
            mask = (1 << shift) - 1
            return entry & _ADDRESS & ~mask == (address - _MAP) & ~mask
        if entry & _NEXT != _BITS:
            return False
        table, shift, bits = _MAP + (entry & _ADDRESS), shift - _BITS, _BITS
    return False


def _last_bits(kernel: RunningKernel, root: int) -> Iterator[int]:
    """Yield the bits of the last tables, as the entries that name them have them."""
    level, left = [root], _LOOKS
    for shift, bits in ((39, _ROOT_BITS), (30, _BITS), (21, _BITS)):
        below = []
        for table in level[:left]:
            left -= 1
            raw = kernel.read(table, _ENTRY << bits) or b""
            for at in range(0, len(raw), _ENTRY):
                entry = int.from_bytes(raw[at : at + _ENTRY], "big")
                if not entry & _VALID or entry & _LEAF:
                    continue
                if shift == 21:
                    yield entry & _NEXT
                else:
                    below.append(_MAP + (entry & _ADDRESS))
        level = below


def _entry(kernel: RunningKernel, table: int, number: int) -> int | None:
    raw = kernel.read(table + number * _ENTRY, _ENTRY)
    return None if raw is None else int.from_bytes(raw, "big")
