"""Say where the image of a kernel is by the end of its code, after which the read-only data begins at the next page.

So that is known of kernels without symbols of variables (CONFIG_KALLSYMS_ALL), whose table still has `_etext`. It is
only taken where something else agrees: on arm page tables before the code, on ppc64 the constant distance. Source:
arch/arm/kernel/head.S and vmlinux.lds.S, arch/powerpc/kernel/vmlinux.lds.S of Linux 5.10 to 7.2.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.common.budget import Budget
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.kernel.image.places import Place
from vmci_tui.kernel.symbols.own_place import PPC64_MAP
from vmci_tui.proof.paging.arm import arm_tables
from vmci_tui.proof.paging.walk import walk

_PAGE: Final = 4 << 10
_BEFORE: Final = 4 << 20
"""Bytes before `_stext` in which arm has its first table: 2 MiB with read-only code, else less."""

_TABLE: Final = 3
"""The low bits of an entry of a long first table; the kernel maps no gigabyte by one."""


def shift_after_code(guest: Guest, place: Place, start: int, end: int, order: ByteOrder, budget: Budget) -> int | None:
    """Return virtual less physical addresses of the image; None if nothing agrees with it.

    `start`, `end`: the virtual addresses `_stext` and `_etext`. Raises Spent.
    """
    shift = -(-end // _PAGE) * _PAGE - place.paddr
    if guest.machine == "ppc64":
        return shift if shift == PPC64_MAP else None
    if guest.machine != "arm":
        return None
    begins = (_begins(guest, start, end, shift, lpae, order, budget) for lpae in (True, False))
    return shift if any(begins) else None


def _begins(guest: Guest, start: int, end: int, shift: int, lpae: bool, order: ByteOrder, budget: Budget) -> bool:
    """Return whether tables below the code of arm map it to where this distance says."""
    tables, step = arm_tables(lpae, order), _PAGE if lpae else _PAGE << 2
    first = start - shift
    for root in range(first // step * step - step, max(first - _BEFORE, 0), -step):
        budget.spend()
        entry = guest.read(root + (start >> 30) * 8, 8) if lpae else b""
        if entry is None or (lpae and int.from_bytes(entry, order) & _TABLE != _TABLE):
            continue
        found = (walk(guest, tables, root, address) for address in (start, end - 1))
        if [(one.state, one.paddr) for one in found] == [("mapped", at - shift) for at in (start, end - 1)]:
            return True
    return False
