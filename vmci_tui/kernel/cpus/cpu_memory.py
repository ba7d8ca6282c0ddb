"""Read guest memory as a CPU sees it: by the page tables that its registers name (x86 and s390x)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from vmci_tui.containers.guest import Guest
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.cpus.cpu import Cpu
from vmci_tui.kernel.virtual_memory import VirtualMemory, places_of, read_mapped
from vmci_tui.proof.paging.s390x_ppc64_riscv import s390x_tables
from vmci_tui.proof.paging.walk import Paging, walk
from vmci_tui.proof.paging.x86 import long_mode_tables, protected_mode_tables

if TYPE_CHECKING:
    from vmci_tui.kernel.cpus.activity import Code

_USER: Final = 0x1000
"""With page table isolation the tables of a process in user mode are one page after those that map the kernel."""
_PAE, _FIVE = 1 << 5, 1 << 12
"""Bits of cr4."""
MAPPED: Final = 1024
"""CPUs whose tables are asked for an address of the kernel: those of one CPU that runs it have them all."""
_PAGING: Final = 1 << 31
"""A bit of cr0."""
_S390X_KIND: Final = 3
"""Bits 2 and 3 of an address-space control element: how many levels its tables have."""
_S390X_REAL: Final = 0x20
"""A bit of it: there are no tables, virtual addresses are physical ones."""


def tables_of(cpu: Cpu) -> Iterator[tuple[Paging, int]]:
    """Yield the page tables that a CPU's registers name, and the paddr of each root, the likeliest first."""
    root = cpu.value("cr3")
    if cpu.machine in ("x86_64", "i386") and root is not None and (cpu.value("cr0") or 0) & _PAGING:
        features = cpu.value("cr4") or 0
        if cpu.machine == "x86_64":
            tables = long_mode_tables(bool(features & _FIVE))
            yield tables, root & ~0xFFF
            if (cpu.value("cs") or 0) & 3:
                yield tables, root & ~0xFFF & ~_USER
        else:
            pae = bool(features & _PAE)
            yield protected_mode_tables(pae), root & (~0x1F if pae else ~0xFFF)
    if cpu.machine == "s390x" and (home := cpu.value("cr13")) is not None and not home & _S390X_REAL:
        yield s390x_tables(home >> 2 & _S390X_KIND), home & ~0xFFF


def paddr_by_cpu(guest: Guest, cpu: Cpu, va: int) -> int | None:
    """Return the physical address of a byte; None if the CPU's tables do not map it, or the dump lacks them."""
    return paddr_by_tables(guest, tables_of(cpu), va)


def paddr_by_tables(guest: Guest, tables: Iterable[tuple[Paging, int]], va: int) -> int | None:
    """Return the same by page tables and their roots, for the addresses of many bytes."""
    for paging, root in tables:
        found = walk(guest, paging, root, va)
        if found.state == "mapped":
            return found.paddr
    return None


def text_memory(guest: Guest, text: Vmcoreinfo | None, exact: bool = False) -> VirtualMemory | None:
    """Return the memory of the kernel that a text describes; None without one, or if its place is a guess."""
    kernel, proved = next(places_of(text, guest), (None, False)) if text is not None else (None, False)
    return VirtualMemory(kernel, kernel.orders[0], exact) if kernel is not None and proved else None


def reader_of(guest: Guest, cpu: Cpu, others: Sequence[Code]) -> Code:
    """Return a function that reads at a virtual address: by the CPU's page tables, else by the first that has it.

    It returns None if a page is not mapped or not in the dump. The caller bounds the length.
    """
    readers: tuple[Code, ...] = (partial(read_mapped, guest, partial(paddr_by_cpu, guest, cpu)), *others)

    def read(va: int, length: int) -> bytes | None:
        return next((raw for one in readers if (raw := one(va, length)) is not None), None)

    return read
