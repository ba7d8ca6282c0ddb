"""Test program counters and return addresses as symbols, in memory that is made for it."""

from __future__ import annotations

from typing import NamedTuple

from tests.kernel.notes import prstatus, qemu_state
from tests.kernel.symbols.kallsyms_writer import Kernel, paged, shift_of, symbols, write
from tests.proof.synthetic import Ram
from vmci_tui.adoption.located_cpus import LocatedCpus
from vmci_tui.kernel.backtrace.trace import Trace, suspect, traces_of
from vmci_tui.kernel.cpus.survey import Suspect, survey
from vmci_tui.kernel.symbols.read_symbols import read_symbols
from vmci_tui.render.kernel.cpu_report import cpus_json, cpus_text

_KERNEL = Kernel(form="per-cpu", paddr=0x2200000, base=0xFFFFFFFF81100000)
_STACK = _KERNEL.base + 0x4000C0
"""In the image, as the stack of the first task is."""


class Located(NamedTuple):
    """The traces of CPUs, and which one panicked."""

    traces: tuple[Trace, ...]
    suspect: Suspect | None
    located: LocatedCpus


def _located(*stacks: tuple[int, ...], panic: int = 0, **registers: int) -> Located:
    """Return the traces of CPUs with these words on their stacks, 16 KiB apart; `panic`: the number of a function."""
    ram = Ram()
    table = symbols(_KERNEL)
    if panic:
        at = next(place for place, (_, text) in enumerate(table) if text == b"tdo_sys_call%d" % panic)
        table[at] = (table[at][0], b"Tpanic")
    write(ram, _KERNEL, table)
    paged(ram, _KERNEL)
    shift = shift_of(_KERNEL)
    for number in range(1, 2000):
        ram.put(_KERNEL.base - shift + 64 * number, b"\xe8\0\0\0\0")
    notes, states = [], []
    for number, words in enumerate(stacks):
        for at, word in enumerate(words):
            ram.word(_STACK + 0x4000 * number - shift + 8 * at, word)
        values = {"rip": _KERNEL.base + 0x84, "rsp": _STACK + 0x4000 * number, "cs": 0x10, "rflags": 0x202}
        notes.append(prstatus("x86_64", **(values | registers)))
        states.append(qemu_state(cr0=0x80050033, cr3=0x1000, cr4=0x20))
    guest = ram.guest()._replace(notes=(*notes, *states))
    kernel = read_symbols(guest)[0]
    found = survey(guest)
    traces = traces_of(found.cpus, [kernel.table] * len(found.cpus))
    who = suspect(found, traces)
    return Located(traces, who, LocatedCpus(found, traces, who))


def _names(trace: Trace) -> list[str]:
    return [f"{spot.symbol.name.decode()}+{spot.offset}" for spot in trace.stack]


def _after_call(number: int) -> int:
    """Return the address after the call with which a function begins."""
    return _KERNEL.base + 64 * number + 5


def test_only_addresses_after_a_call_in_the_kernel_are_return_addresses() -> None:
    words = (7, _after_call(3), _after_call(4) + 1, _STACK, 0x401005, _after_call(9), 0xFFFFFFFFFFFFFFFF)
    (trace,) = _located(words).traces
    assert _names(trace) == ["do_sys_call3+5", "do_sys_call9+5"]
    assert trace.pc is not None and (trace.pc.symbol.name, trace.pc.offset) == (b"do_sys_call2", 4)


def test_a_process_and_a_stack_that_is_missing_have_none() -> None:
    (user,) = _located((_after_call(3),), cs=0x33, rip=0x401000).traces
    assert user == Trace(None, ())
    (lost,) = _located((_after_call(3),), rsp=0xFFFF888000000000).traces
    assert lost.stack == () and lost.pc is not None


def test_the_cpu_with_panic_on_its_stack_is_named_and_its_stack_shown() -> None:
    made = _located((_after_call(3),), (_after_call(4), _after_call(8)), panic=8)
    assert made.suspect == Suspect(1, "panic is on its stack")
    lines = list(cpus_text(made.located))
    assert "looks like the one that panicked: panic is on its stack" in lines[3]
    assert any(line.endswith("panic+0x5") for line in lines) and not any("CPU 0:" in line for line in lines)
    assert [row["panicked"] for row in cpus_json(made.located)] == [False, True]
    assert any(line.startswith("CPU 0:") for line in cpus_text(made.located, stack=True))


def test_a_stack_is_bounded() -> None:
    (trace,) = _located(tuple(_after_call(number) for number in range(1, 400))).traces
    assert len(trace.stack) == 64
