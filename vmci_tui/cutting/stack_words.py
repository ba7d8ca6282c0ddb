"""Read of kernel stacks only the words by which calls and tasks are found: the others may be private texts.

A system call copies names that a program passes to its stack, where they stay until another call is as deep.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vmci_tui.cutting.recorder import Part
from vmci_tui.kernel.cpus.activity import Code
from vmci_tui.kernel.cpus.cpu import Cpu
from vmci_tui.kernel.symbols.table import SymbolTable
from vmci_tui.layers.range_table import joined
from vmci_tui.machines.lookup import machine_facts

_PAGE: Final = 4096
_STACK: Final = 32 << 10
"""Bytes after the stack pointer in which whole pages are read as a stack (kernel/backtrace, kernel/tasks)."""
_ALIGNED: Final = 64
"""What addresses of tasks are multiples of."""
_SIGNED: Final = 0xFFFF << 48
"""The upper bits of a code address of arm64, which pointer authentication signs."""
_TOPS: Final = {8: (0xC0, 0xFF), 4: range(0xC0, 0x100)}
"""The first bytes of kernel addresses by bytes of a word: of 64 bits such as no text in UTF-8 has."""


def reader_of_words(cpu: Cpu, recorded: Code, plain: Code, table: SymbolTable) -> Code:
    """Return a function that reads as `recorded`, but of stacks only what may be an address; all else is zeros.

    `plain` reads the same without a record.
    """
    sp, size = cpu.role("sp") or 0, (machine_facts(cpu.machine).bits or 64) // 8

    def read(at: int, length: int) -> bytes | None:
        is_stack = sp % size == 0 and sp <= at < sp + _STACK and (at + length) % _PAGE == 0
        data = plain(at, length) if is_stack and (at == sp or at % _PAGE == 0) else None
        if data is None:
            return recorded(at, length)
        out = bytearray(length)
        # A byte at least, so that a page without such words is not lacking.
        for start, end in tuple(joined(_addresses(cpu, data, size, table))) or ((0, 1),):
            out[start:end] = recorded(at + start, end - start) or b""
        return bytes(out)

    return read


def _addresses(cpu: Cpu, data: bytes, size: int, table: SymbolTable) -> Iterator[Part]:
    """Yield the words that may be the address of code or of a task, in each byte order that the machine may have."""
    for at in range(0, len(data) - size + 1, size):
        for order in machine_facts(cpu.machine).orders:
            value = int.from_bytes(data[at : at + size], order)
            signed = _SIGNED if cpu.machine == "aarch64" and value & 1 << 55 else 0
            is_task = value % _ALIGNED == 0 and value >> 8 * (size - 1) in _TOPS[size]
            if is_task or table.has_code(value | signed):
                yield at, at + size
                break
