"""Test stacks of many CPUs whose words all look like return addresses."""

from __future__ import annotations

from tests.kernel.hostile.made_kernel import FORMS, made
from tests.kernel.hostile.measured import SECONDS, seconds
from tests.kernel.notes import prstatus, qemu_state
from tests.kernel.symbols.kallsyms_writer import shift_of
from vmci_tui.kernel.backtrace.trace import Trace, traces_of
from vmci_tui.kernel.cpus.cpu import cpus_of
from vmci_tui.kernel.cpus.survey import survey
from vmci_tui.kernel.symbols.read_symbols import read_symbols

_CPUS = 600


def test_of_more_cpus_than_a_kernel_can_have_the_first_are_known() -> None:
    notes = [prstatus("x86_64", rip=1), *[prstatus("x86_64")] * 9000]
    states = [qemu_state(cr3=0x1000), *[qemu_state()] * 9000]
    cpus = cpus_of([*notes, *states], "x86_64")
    assert len(cpus) == 8192
    assert (cpus[0].value("rip"), cpus[0].value("cr3")) == (1, 0x1000)


def test_stacks_of_nothing_but_addresses_are_given_up() -> None:
    """Each of 600 CPUs has a stack of 16 KiB, whose 2,048 words are in the code and not after a call."""
    kernel, place = made("x86_64"), FORMS["x86_64"]
    stack = place.base + 0x8000
    for number in range(2048):
        kernel.ram.word(stack - shift_of(place) + 8 * number, place.base + 0x40000 + number)
    cpu = prstatus("x86_64", rip=place.base + 0x1005, cs=0x10, rsp=stack)
    guest = kernel.guest(kernel.ram.pages)._replace(notes=(cpu,) * _CPUS + (kernel.notes[1],) * _CPUS)
    (found,) = read_symbols(guest)
    traces: list[Trace] = []
    assert seconds(lambda: traces.extend(traces_of(survey(guest).cpus, [found.table] * _CPUS))) < SECONDS
    assert len(traces) == _CPUS and all(trace.pc is not None for trace in traces)
