"""Find the page tables of an arm64 kernel in its image, and its linear map, where no symbol names them.

Kernels without CONFIG_KALLSYMS_ALL have no symbols of variables. Source: arch/arm64/kernel/vmlinux.lds.S (the tables
are between the code and the code of boot), arch/arm64/mm/init.c and asm/kernel-pgtable.h of Linux 6.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vmci_tui.kernel.facts.rules import SWAPPER, named_or_only, number, page_size
from vmci_tui.kernel.facts.running_kernel import Fact, Finding, NotKnown, RunningKernel
from vmci_tui.kernel.lines.arm64_layout import widths_of
from vmci_tui.proof.paging.arm import arm64_tables
from vmci_tui.proof.paging.walk import Paging

_TOP: Final = 1 << 64
_PAGES: Final = 1 << 13
"""Pages of the image that are looked at."""
_PROBES: Final = 1 << 13
"""Addresses of the linear map that are looked up; a guest with 512 GiB needs 1,024."""
_PAGE: Final = 4 << 10
_ALIGNED: Final = 30
"""ARM64_MEMSTART_SHIFT with pages of 4 KiB: memstart_addr is a multiple of 1 GiB."""
_ENTRY: Final = 8
_LARGEST: Final = 48
"""Bits of an address that a kernel without symbols of variables is known to use: of 52 it may use less."""


def swapper(kernel: RunningKernel) -> Finding:
    """Return swapper_pg_dir: its symbol, or the only table in the image that maps code and linear map."""
    by = "the only page table in the image that maps its code and the linear map"
    return named_or_only(kernel, SWAPPER, _roots(kernel), by)


def memory_start(kernel: RunningKernel) -> Finding:
    """Return memstart_addr: the variable, or what the page tables show of the linear map."""
    value = kernel.variable(b"memstart_addr", 8)
    if value is not None:
        return Fact(value, "the variable memstart_addr", form="0x")
    starts = {start for root in _roots(kernel) for start in _starts(kernel, root)}
    if len(starts) != 1:
        return NotKnown("the variable memstart_addr is not in the table of symbols, or not in the dump")
    return Fact(starts.pop(), "the page tables, which map the image in the linear map too", form="0x")


def _tables(kernel: RunningKernel) -> tuple[Paging, int] | None:
    """Return how the kernel's tables are read, and for how many bits; None if that is not known."""
    widths, page = widths_of(kernel), number(page_size(kernel))
    if isinstance(widths, NotKnown) or page != _PAGE or widths.built > _LARGEST:
        return None
    tables = arm64_tables(page, widths.built, widths.built, kernel.order)
    return None if tables is None else (tables, widths.built)


def _roots(kernel: RunningKernel) -> Iterator[int]:
    """Yield the addresses of tables after the code that map it, and something in the lower half of the addresses."""
    known, ends, searched = _tables(kernel), kernel.symbols(b"_etext"), kernel.searched or kernel
    if known is None or not ends:
        return
    first = -(-ends[0] // _PAGE) * _PAGE
    for at in range(first, first + _PAGES * _PAGE, _PAGE):
        if kernel.physical(at) is None:
            return  # the image ends here
        if _maps(searched, known[0], at) and _maps(kernel, known[0], at):
            yield at


def _maps(kernel: RunningKernel, tables: Paging, at: int) -> bool:
    """Return whether the table at this address maps the code to where it is, and something in the lower half."""
    begins, root, top = kernel.symbols(b"_stext"), kernel.physical(at), tables.levels[0]
    place = kernel.physical(begins[0]) if begins else None
    count = 1 << top.width
    if (
        root is None
        or place is None
        or not kernel.number_at(at + (begins[0] >> top.shift & count - 1) * _ENTRY, _ENTRY)
    ):
        return False
    found = kernel.walk(tables, root, begins[0])
    return (found.state, found.paddr) == ("mapped", place) and any(kernel.read(at, count // 2 * _ENTRY) or b"")


def _starts(kernel: RunningKernel, root: int) -> Iterator[int]:
    """Yield the physical addresses at which the linear map may begin: that of each address that maps the code."""
    known, at = _tables(kernel), kernel.physical(root)
    place = kernel.physical(kernel.symbols(b"_stext")[0])
    if known is None or at is None or place is None:
        return
    (tables, bits), left = known, _PROBES
    top = tables.levels[0].shift
    for number_of in range(1 << bits - 1 - top):
        if not kernel.number_at(root + number_of * _ENTRY, _ENTRY):
            continue
        for step in range(1 << max(top - _ALIGNED, 0)):
            left -= 1
            if left < 0:
                return
            inside = (number_of << top) + (step << _ALIGNED) + place % (1 << _ALIGNED)
            found = kernel.walk(tables, at, _TOP - (1 << bits) + inside)
            if (found.state, found.paddr) == ("mapped", place):
                yield (place - inside) % _TOP
