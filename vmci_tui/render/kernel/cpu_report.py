"""Render the CPUs of a dump as JSON and as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any, Final

from vmci_tui.adoption.located_cpus import LocatedCpus
from vmci_tui.common.safe_text import visible
from vmci_tui.formats.registers.register_set import Register
from vmci_tui.kernel.backtrace.trace import Trace
from vmci_tui.kernel.cpus.activity import Activity
from vmci_tui.kernel.cpus.survey import SeenCpu
from vmci_tui.kernel.facts.running_kernel import NotKnown
from vmci_tui.kernel.tasks.current import Task
from vmci_tui.render.kernel.symbol_report import place_json, release_words, spot_words

_WIDTH: Final = 80
"""Cells of a line of registers."""


def cpus_json(located: LocatedCpus) -> list[dict[str, Any]]:
    """Return the CPUs, each with all its registers by name."""
    traces = located.traces or (Trace(None, ()),) * len(located.found.cpus)
    tasks = located.tasks or (None,) * len(traces)
    return [
        {
            "cpu": cpu.number,
            "pid": cpu.pid,
            "pc": None if (pc := cpu.role("pc")) is None else place_json(pc, trace.pc),
            "stack": [place_json(spot.symbol.address + spot.offset, spot) for spot in trace.stack],
            "registers": {one.name: one.value for one in cpu.registers},
            "where": doing.where,
            "state": doing.state,
            "interrupts": doing.interrupts,
            "task": {"pid": task.pid, "comm": visible(task.comm)} if isinstance(task, Task) else None,
            "panicked": None if located.suspect is None else located.suspect.number == cpu.number,
        }
        for (cpu, doing, _), trace, task in zip(located.found.cpus, traces, tasks, strict=True)
    ]


def cpus_text(located: LocatedCpus, registers: bool = False, stack: bool = False) -> Iterator[str]:
    """Yield a row a CPU, and which one looks like the one that panicked, with its return addresses.

    With `registers` follow all of each CPU's, with `stack` the return addresses of all.
    """
    found, traces = located.found, located.traces
    if not found.cpus:
        return
    digits = max(_digits(one.cpu.general) for one in found.cpus) + 2
    seconds = [_second(one, digits, trace) for one, trace in zip_longest(found.cpus, traces)]
    width = max(map(len, seconds))
    yield f"CPU  {'pc':<{digits}}  {'in' if traces else 'sp':<{width}}  doing"
    tasks = located.tasks or (None,) * len(seconds)
    for one, second, task in zip(found.cpus, seconds, tasks, strict=True):
        ran = f", task {task.pid} {visible(task.comm)}" if isinstance(task, Task) else ""
        yield f"{one.cpu.number:3}  {one.cpu.role('pc') or 0:#0{digits}x}  {second:<{width}}  {_words(one.doing)}{ran}"
    for number, kernel in located.others:
        yield f"CPU {number} was in another kernel, {release_words(kernel)} at {kernel.paddr:#x}"
    if located.suspect is not None:
        yield f"CPU {located.suspect.number} looks like the one that panicked: {located.suspect.why}"
    for number, trace in enumerate(traces):
        if stack or (located.suspect is not None and located.suspect.number == number):
            yield from _returns(number, trace, digits)
    for one in found.cpus if registers else ():
        yield from _all_registers(one)


def unsaid(located: LocatedCpus) -> str:
    """Return what cannot be said of the CPUs, and why; empty if nothing is missing."""
    if not located.found.cpus:
        return "the notes of this dump have no registers of a CPU (NT_PRSTATUS) that vmci knows"
    if unknown := [number for number, task in enumerate(located.tasks) if isinstance(task, NotKnown)]:
        return _of_tasks(unknown, located)
    if located.suspect or located.traces or not any(one.doing.where == "kernel" for one in located.found.cpus):
        return ""
    return "whether a CPU panicked cannot be said: memory has no symbols of the kernel, and no log that names one"


def _of_tasks(unknown: Sequence[int], located: LocatedCpus) -> str:
    """Return which CPUs' tasks are not known, and why that of the first is not."""
    why = next(task.why for task in located.tasks if isinstance(task, NotKnown))
    one = f"CPU {unknown[0]}" if len(unknown) == 1 else f"{len(unknown)} of {len(located.tasks)} CPUs"
    return f"which task {'each CPU' if len(unknown) == len(located.tasks) else one} ran is not known: {why}"


def _second(one: SeenCpu, digits: int, trace: Trace | None) -> str:
    """Return what is beside the program counter: its symbol, or without symbols the stack pointer."""
    if trace is None:
        return f"{one.cpu.role('sp') or 0:#0{digits}x}"
    if trace.pc is not None:
        return spot_words(trace.pc)
    return "not in the kernel's image" if one.doing.where == "kernel" else "-"


def _returns(number: int, trace: Trace, digits: int) -> Iterator[str]:
    yield ""
    if not trace.stack:
        yield f"CPU {number}: its stack is not in the dump, or has no return address"
        return
    yield f"CPU {number}: return addresses on its stack, last call first; some may have returned"
    for spot in trace.stack:
        yield f"     {spot.symbol.address + spot.offset:#0{digits}x}  {spot_words(spot)}"


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
