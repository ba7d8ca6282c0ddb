"""Find where each CPU was, and the return addresses on its kernel stack.

The stack is not unwound, which needs tables that vmlinux has: each word of it that is an address after a call in the
kernel's code is taken, as `bt -t` of crash does. Some are left over from calls that have returned.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final, NamedTuple

from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import Spent
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.kernel.backtrace.calls import LONGEST, follows_call
from vmci_tui.kernel.cpus.activity import Code
from vmci_tui.kernel.cpus.cpu import Cpu
from vmci_tui.kernel.cpus.survey import SeenCpu, Survey, Suspect
from vmci_tui.kernel.symbols.table import Spot, SymbolTable
from vmci_tui.machines.lookup import machine_facts

_STACK: Final = 16 << 10
"""Bytes of a kernel stack, and what it is aligned to (THREAD_SIZE of 64-bit machines; 8 KiB stacks end earlier)."""
_PAGE: Final = 4096
_MOST: Final = 64
"""Return addresses that are kept."""
_STEPS: Final = 1 << 17
"""Steps for the stacks of all CPUs: one for each word that may be a return address."""
_OF_STACK: Final = 128
"""Bytes of reading that take as much time as a byte of a stack without such words."""
_HIGH: Final = 0xFFFF << 48
_PANIC: Final = frozenset(
    (b"panic", b"vpanic", b"crash_kexec", b"__crash_kexec", b"oops_end", b"die", b"__die", b"nmi_panic",
     b"sysrq_handle_crash")
)  # fmt: skip
"""Functions on the stack of a CPU that panics, and not of those that it stops (Linux 6.1 kernel/panic.c, arch/*/)."""


class Trace(NamedTuple):
    """Where a CPU was."""

    pc: Spot | None
    """None: not in the kernel's code, or it has no symbol."""
    stack: tuple[Spot, ...]
    """Return addresses from the top of the stack on; empty also where the dump lacks the stack."""


def traces_of(cpus: Iterable[SeenCpu], tables: Iterable[SymbolTable]) -> tuple[Trace, ...]:
    """Return where each CPU was, by the symbols of the kernel that it ran.

    Stacks after the first hundred thousand words that may be return addresses are left out: those of a thousand CPUs
    have fewer.
    """
    budget = Budget(_STEPS)
    return tuple(_trace_of(one, table, budget) for one, table in zip(cpus, tables, strict=True))


def _trace_of(seen: SeenCpu, table: SymbolTable, budget: Budget) -> Trace:
    """Return where a CPU was; of one that was in a process only the program counter is looked at."""
    cpu, read = seen.cpu, seen.read
    pc = cpu.role("pc") or 0
    spot = table.spot(pc) if table.has_code(pc) else None
    if seen.doing.where != "kernel":
        return Trace(spot, ())
    stack = _stack(cpu, read)
    orders: tuple[ByteOrder, ...] = machine_facts(cpu.machine).orders
    found = []
    with suppress(Spent):
        for order in orders:
            budget.spend(len(stack) * _OF_STACK)
            found.append(_returns(cpu, stack, table, read, order, budget))
    return Trace(spot, max(found, key=len, default=()))


def _stack(cpu: Cpu, read: Code) -> bytes:
    """Return the stack from its pointer on, as far as the dump has it."""
    at = cpu.role("sp") or 0
    end = (at | _STACK - 1) + 1
    parts = []
    while at < end:
        part = read(at, min(end - at, _PAGE - at % _PAGE))
        if part is None:
            break
        parts.append(part)
        at += len(part)
    return b"".join(parts)


def _returns(
    cpu: Cpu, stack: bytes, table: SymbolTable, read: Code, order: ByteOrder, budget: Budget
) -> tuple[Spot, ...]:
    size = (machine_facts(cpu.machine).bits or 64) // 8
    signed = _HIGH if cpu.machine == "aarch64" else 0
    out: list[Spot] = []
    for at in range(0, len(stack) - size + 1, size):
        value = int.from_bytes(stack[at : at + size], order)
        value |= signed if value & 1 << 55 else 0  # pointer authentication signs the upper bits
        if table.has_code(value):
            budget.spend()
            before = read(value - LONGEST, LONGEST)
            if before is None or not follows_call(cpu.machine, before, order):
                continue
            spot = table.spot(value - 1)
            if spot is not None:
                out.append(spot._replace(offset=spot.offset + 1))
                if len(out) == _MOST:
                    break
    return tuple(out)


def suspect(found: Survey, traces: tuple[Trace, ...]) -> Suspect | None:
    """Return the CPU that looks like the one that panicked: by its stack, else by what the others do."""
    for one, trace in zip(found.cpus, traces, strict=True):
        spots = (spot for spot in (trace.pc, *trace.stack) if spot is not None)
        name = next((spot.symbol.name for spot in spots if spot.symbol.name in _PANIC), None)
        if name is not None:
            return Suspect(one.cpu.number, f"{name.decode()} is on its stack")
    return found.suspect
