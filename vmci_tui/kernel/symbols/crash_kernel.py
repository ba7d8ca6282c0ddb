"""Find out whether a kernel runs only because another one crashed (kdump): then the dump is about the other one.

include/linux/crash_dump.h: is_kdump_kernel() compares `elfcorehdr_addr`, which is known with CONFIG_KALLSYMS_ALL only.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.containers.guest import Guest
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.kernel.symbols.table import SymbolTable

_NOT_SET: Final = (1 << 64) - 1
"""ELFCORE_ADDR_MAX: no kernel crashed before this one."""
_LENGTH: Final = 8
"""Bytes of an unsigned long long."""


def runs_after_crash(guest: Guest, table: SymbolTable, order: ByteOrder) -> bool:
    """Return whether the kernel with this table was started to save what another one left when it crashed."""
    address = table.address(b"elfcorehdr_addr")
    at = None if address is None else table.paddr(address)
    raw = None if at is None else guest.read(at, _LENGTH)
    return raw is not None and int.from_bytes(raw, order) != _NOT_SET
