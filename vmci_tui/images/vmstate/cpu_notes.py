"""Make the notes of a dump's CPUs from the state of the CPUs in a QEMU stream, as QEMU's own dump has them.

Sources: QEMU 7.2 and 10.0 target/*/arch_dump.c: which notes of which length, in which order. Of a CPU with SVE
QEMU writes one note more (NT_ARM_SVE), which is not made here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from vmci_tui.formats.elf_note import ByteOrder, Note, build
from vmci_tui.formats.registers.other_sets import OTHERS
from vmci_tui.formats.registers.prstatus import PRSTATUS
from vmci_tui.images.vmstate.cpu_fields import CPU_FIELDS, Values
from vmci_tui.images.vmstate.cpu_machine import machine_of
from vmci_tui.images.vmstate.cpu_state import CpuState
from vmci_tui.images.vmstate.description import Description
from vmci_tui.machines.table import MACHINES

CPU, COMMON = "cpu", "cpu_common"
"""The names of the sections: the registers of a CPU, and what QEMU keeps of one of any machine."""
STATE_LIMIT: Final = 1 << 20
"""Bytes of one CPU's state; an x86 CPU with AMX has 20 KB."""
_NO_STATES: Final[Mapping[int, bytes]] = {}
_CORE, _LINUX, _QEMU = b"CORE\0", b"LINUX\0", b"QEMU\0"


class _Kind(NamedTuple):
    name: bytes
    type: int
    length: int = 0
    """Bytes of the descriptor; 0 for those of its fields."""


# fmt: off
_KINDS: Final[Mapping[str, tuple[_Kind, ...]]] = {
    "aarch64": (_Kind(_CORE, 2, 528),),
    "arm": (_Kind(_LINUX, 0x400),),
    "ppc64": tuple(_Kind(_CORE, kind) for kind in (2, 0x100, 0x102, 0x101)),
    "s390x": (_Kind(_CORE, 2), *(_Kind(_LINUX, kind)
              for kind in (0x305, 0x304, 0x301, 0x302, 0x303, 0x309, 0x30A, 0x30B))),
}
"""What follows NT_PRSTATUS of a CPU, in QEMU's order."""
_AFTER_ALL: Final[Mapping[str, tuple[_Kind, ...]]] = dict.fromkeys(("x86_64", "i386"), (_Kind(_QEMU, 0),))
"""What follows the notes of all CPUs, for each of them."""
# fmt: on


class Cpus(NamedTuple):
    """The CPUs of a stream."""

    number: int
    """How many have their state in the stream."""
    machine: str | None = None
    """None if the stream does not describe their state, or of no machine that is known here."""
    order: ByteOrder | None = None
    """The byte order of the notes, and of QEMU's own dump."""
    notes: tuple[Note, ...] = ()
    doubts: tuple[str, ...] = ()
    """Sentences about what the notes lack."""
    halted: frozenset[int] = frozenset()
    """Those that wait, from 0 on in the order of their notes."""


def read_cpus(
    states: Mapping[int, bytes], description: Description | None, common: Mapping[int, bytes] = _NO_STATES
) -> Cpus:
    """Return the notes of all CPUs.

    `states` are the bytes of the sections named `cpu`, and `common` of those named `cpu_common`, by the number of the
    CPU.

    A CPU whose bytes are not as many as the description says has no notes.
    """
    if not states:
        return Cpus(0, doubts=("The state of no CPU is in the stream: the notes of CPUs are missing.",))
    if description is None:
        words = "The stream does not describe the state of its devices: the notes of CPUs are missing."
        return Cpus(len(states), doubts=(words,))
    found = tuple(_described(CPU, states, description))
    kind = machine_of(found)
    if kind is None:
        words = "The state of the CPUs is described in a way that is not known here: their notes are missing."
        return Cpus(len(states), doubts=(words,))
    machine, order = kind
    doubts = () if len(found) == len(states) else (_without(set(states) - {state.instance for state in found}),)
    if any(state.has_part("cpu/sve/") for state in found):
        doubts = (*doubts, "The SVE registers are left out: QEMU's own dump has one more note of each CPU.")
    waiting = {state.instance for state in _described(COMMON, common, description) if state.number("halted")}
    halted = frozenset(number for number, state in enumerate(found) if state.instance in waiting)
    return Cpus(len(states), machine, order, tuple(_notes(found, machine, order)), doubts, halted)


def _described(name: str, states: Mapping[int, bytes], description: Description) -> Iterator[CpuState]:
    for instance, data in sorted(states.items()):
        layout = description.layout(name, instance)
        if layout is not None and layout.length == len(data):
            yield CpuState(instance, data, layout)


def _notes(states: Sequence[CpuState], machine: str, order: ByteOrder) -> Iterator[Note]:
    first = _Kind(_CORE, 1, MACHINES[machine].prstatus or 0)
    values = [_in_order(CPU_FIELDS[machine].values(state), order) for state in states]
    for one in values:
        kinds = _KINDS.get(machine, ()) if one.get("fpvalid", 1) else ()
        yield from (_note(kind, machine, order, one) for kind in (first, *kinds))
    for one in values:
        yield from (_note(kind, machine, order, one) for kind in _AFTER_ALL.get(machine, ()))


def _note(kind: _Kind, machine: str, order: ByteOrder, values: Values) -> Note:
    registers = PRSTATUS[machine] if kind.type == 1 else OTHERS[machine, kind.name.rstrip(b"\0"), kind.type]
    length = kind.length or registers.record(order).size
    return build(kind.name, kind.type, registers.encode(values, order, length), order)


def _in_order(values: Values, order: ByteOrder) -> Values:
    """Return the values with VSCR of PowerPC, a word at the end of its 16 bytes in either byte order."""
    return values | {"vscr": values["vscr"] << 96} if order == "little" and "vscr" in values else values


def _without(instances: set[int]) -> str:
    listed = ", ".join(map(str, sorted(instances)[:8])) + (", ..." if len(instances) > 8 else "")
    return f"The state of CPU {listed} is cut, or not as the stream describes it: its notes are missing."
