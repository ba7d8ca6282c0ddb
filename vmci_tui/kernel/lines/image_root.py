"""Find swapper_pg_dir of an i386, arm or s390x kernel in its image, where no symbol names it, by what is in it.

Kernels without CONFIG_KALLSYMS_ALL have no symbols of variables. Source: arch/x86/kernel/head_32.S,
arch/arm/kernel/head.S and arch/s390/include/asm/pgalloc.h of Linux 5.10 to 7.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.kernel.facts.rules import SWAPPER, named_or_only
from vmci_tui.kernel.facts.running_kernel import Finding, RunningKernel
from vmci_tui.proof.paging.arm import arm_tables
from vmci_tui.proof.paging.s390x_ppc64_riscv import s390x_tables
from vmci_tui.proof.paging.walk import Paging
from vmci_tui.proof.paging.x86 import protected_mode_tables

_BEFORE: Final = 4 << 20
"""Bytes before the code in which arm has the table."""
_AFTER: Final = 48 << 20
"""Bytes after the code in which the others have it."""
_PAGE: Final = 4 << 10
_KINDS: Final = (1, 2, 3)
"""Of s390x tables that are the first, by their levels."""
_ADDRESS: Final = ~(_PAGE - 1)
_VECTORS: Final = 0xFFFF0000
"""Where arm has its exception vectors."""


def swapper(kernel: RunningKernel) -> Finding:
    """Return swapper_pg_dir: its symbol, or the only table in the image that is as the kernel's own."""
    return named_or_only(kernel, SWAPPER, _roots(kernel), "the only page table in the image that is the kernel's own")


def _roots(kernel: RunningKernel) -> Iterator[int]:
    """Yield the addresses of tables that map the code to where it is."""
    begins, ends = kernel.symbols(b"_stext"), kernel.symbols(b"_etext")
    place = kernel.physical(begins[0]) if len(begins) == len(ends) == 1 else None
    if place is None:
        return
    start, end, three = begins[0], ends[0], bool(kernel.symbols(b"__pmd_alloc"))
    searched = kernel.searched or kernel
    for paging in _pagings(kernel, three):
        top = paging.levels[0]
        step = max(_PAGE, paging.size << top.width)
        first = start - _BEFORE if kernel.machine == "arm" else -(-end // step) * step
        last = start if kernel.machine == "arm" else first + _AFTER
        for at in range(-(-first // step) * step, last, step):
            table = _Table(paging, place + at - start, start, end, place)
            if table.maps_code(searched) and table.maps_code(kernel) and _is_own(kernel, table, at):
                yield at


class _Table(NamedTuple):
    """A table that may be a first one."""

    paging: Paging
    root: int
    """Its physical address."""
    start: int
    end: int
    place: int
    """Where the code is: its virtual addresses, and the first physical one."""

    def maps_code(self, kernel: RunningKernel) -> bool:
        """Return whether it maps the first and the last byte of the code to where they are."""
        if self.root < 0:
            return False
        addresses = (self.start, self.end - 1)
        ends = [kernel.walk(self.paging, self.root, address) for address in addresses]
        places = [self.place + address - self.start for address in addresses]
        return all(one.state == "mapped" for one in ends) and [one.paddr for one in ends] == places


def _pagings(kernel: RunningKernel, three: bool) -> Iterator[Paging]:
    """Yield how the tables may be; with __pmd_alloc tables of 32-bit kernels have three levels."""
    if kernel.machine == "i386":
        yield protected_mode_tables(three)
    elif kernel.machine == "arm":
        yield arm_tables(three, kernel.order)
    else:
        yield from map(s390x_tables, _KINDS)


def _is_own(kernel: RunningKernel, table: _Table, at: int) -> bool:
    """Return whether the table at an address is the kernel's own, not that of a process, or no table at all."""
    size, top = table.paging.size, table.paging.levels[0]
    if kernel.machine == "arm":  # a table of a lower level that is taken for the first maps all alike
        found = kernel.walk(table.paging, table.root, _VECTORS)
        return found.state == "mapped" and found.paddr != table.place + _VECTORS - table.start
    raw = kernel.read(at, size << top.width) or b""
    entries = [int.from_bytes(raw[at : at + size], table.paging.order) for at in range(0, len(raw), size)]
    if kernel.machine == "s390x":  # each entry says of which level it is, also those that lead nowhere
        return len({entry >> 2 & 3 for entry in entries}) == 1
    if not entries:
        return False
    # initial_page_table maps the start of memory too; with PAE the next table is in the image, of processes it is not
    own = table.start >> top.shift & (1 << top.width) - 1
    low = table.place <= entries[own] & _ADDRESS < table.place + (table.end - table.start) + _AFTER
    return not any(entries[:own]) and (low or len(table.paging.levels) == 2)
