"""Render the CPUs of a dump as JSON and as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from vmci_tui.formats.registers.register_set import Register
from vmci_tui.kernel.cpus.activity import Activity
from vmci_tui.kernel.cpus.survey import SeenCpu, Survey

_WIDTH: Final = 80
"""Cells of a line of registers."""


def cpus_json(found: Survey) -> list[dict[str, Any]]:
    """Return the CPUs, each with all its registers by name."""
    return [
        {
            "cpu": cpu.number,
            "pid": cpu.pid,
            "pc": _place(cpu.role("pc")),
            "registers": {one.name: one.value for one in cpu.registers},
            "where": doing.where,
            "state": doing.state,
            "interrupts": doing.interrupts,
            "panicked": None if found.suspect is None else found.suspect.number == cpu.number,
        }
        for cpu, doing in found.cpus
    ]


def _place(address: int | None) -> dict[str, Any] | None:
    return None if address is None else {"address": address, "symbol": None, "offset": None}


def cpus_text(found: Survey, registers: bool = False) -> Iterator[str]:
    """Yield a row a CPU, then which one looks like the one that panicked; with `registers`, all of each CPU's."""
    if not found.cpus:
        return
    digits = max(_digits(one.cpu.general) for one in found.cpus) + 2
    yield f"CPU  {'pc':<{digits}}  {'sp':<{digits}}  doing"
    for one in found.cpus:
        cpu = one.cpu
        pc, sp = (f"{cpu.role(role) or 0:#0{digits}x}" for role in ("pc", "sp"))
        yield f"{cpu.number:3}  {pc}  {sp}  {_words(one.doing)}"
    if found.suspect is not None:
        yield f"CPU {found.suspect.number} looks like the one that panicked: {found.suspect.why}"
    for one in found.cpus if registers else ():
        yield from _all_registers(one)


def _words(doing: Activity) -> str:
    """Return what a CPU was doing in a few words."""
    if doing.where is None:
        return "its registers do not say"
    if doing.where == "firmware":
        return "firmware, or not started yet"
    parts: list[str] = [doing.where]
    if doing.state is not None:
        parts.append(doing.state)
    if doing.state in (None, "running") and doing.interrupts is not None and doing.where != "process":
        parts.append(f"interrupts {'on' if doing.interrupts else 'off'}")
    return ", ".join(parts)


def _all_registers(one: SeenCpu) -> Iterator[str]:
    yield from ("", f"CPU {one.cpu.number}")
    for group in (one.cpu.general, one.cpu.control):
        yield from _rows(group)


def _rows(registers: Sequence[Register]) -> Iterator[str]:
    if not registers:
        return
    name, digits = max(len(one.name) for one in registers), _digits(registers)
    count = max(1, _WIDTH // (name + digits + 3))
    for start in range(0, len(registers), count):
        row = registers[start : start + count]
        yield "  ".join(f"{one.name:>{name}} {f'{one.value:0{2 * one.length}x}':<{digits}}" for one in row).rstrip()


def _digits(registers: Sequence[Register]) -> int:
    """Return the hexadecimal digits of the widest register."""
    return max(2 * one.length for one in registers)
