"""Translate virtual addresses of one kernel where CPUs may run another one: by the page tables that map its code.

After a crash every CPU may run the kernel that saves the dump; then the crashed one's own tables are named by its
symbols (x86-64: arch/x86/kernel/head_64.S, arch/x86/include/asm/pgtable_64_types.h).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from vmci_tui.containers.guest import Guest
from vmci_tui.kernel.cpus.cpu import Cpu
from vmci_tui.kernel.cpus.cpu_memory import paddr_by_cpu
from vmci_tui.kernel.symbols.table import SymbolTable
from vmci_tui.proof.paging.walk import walk
from vmci_tui.proof.paging.x86 import long_mode_tables

Translation = Callable[[int], int | None]


def translations(guest: Guest, cpus: Sequence[Cpu], table: SymbolTable) -> tuple[Translation, ...]:
    """Return ways to translate addresses of the kernel with this table, each None for what it does not map.

    By the CPUs that run it; if none does, by its own page tables; if these are not known, by all CPUs.
    """
    inside = [cpu for cpu in cpus if runs_kernel(guest, cpu, table)]
    own = None if inside else _own_tables(guest, table)
    return tuple(partial(paddr_by_cpu, guest, cpu) for cpu in inside or cpus) if own is None else (own,)


def runs_kernel(guest: Guest, cpu: Cpu, table: SymbolTable) -> bool:
    """Return whether a CPU's page tables map the kernel's first code to where it is."""
    at = table.paddr(table.start)
    return at is not None and paddr_by_cpu(guest, cpu, table.start) == at


def _own_tables(guest: Guest, table: SymbolTable) -> Translation | None:
    """Return the translation by the tables of an x86-64 kernel; None if they do not map its first code."""
    address = table.address(b"init_top_pgt")
    root = None if address is None else table.paddr(address)
    if root is None:
        return None
    flag = table.address(b"__pgtable_l5_enabled")
    at = None if flag is None else table.paddr(flag)
    paging = long_mode_tables(at is not None and guest.read(at, 1) == b"\1")

    def physical(va: int) -> int | None:
        found = walk(guest, paging, root, va)
        return found.paddr if found.state == "mapped" else None

    return physical if physical(table.start) == table.paddr(table.start) else None
