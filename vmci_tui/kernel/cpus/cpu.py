"""Collect what the notes of a dump say about each CPU: NT_PRSTATUS, and the control registers where notes have them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final, NamedTuple

from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.note_kinds import is_cpu
from vmci_tui.formats.registers.decode import register, registers_of
from vmci_tui.formats.registers.register_set import Register, Role

_CONTROL: Final = ((b"QEMU", 0, "cs.selector"), (b"LINUX", 0x304, "cr0"), (b"LINUX", 0x305, "prefix"))
"""Name and type of notes with more registers of a CPU, and the first of them that NT_PRSTATUS does not have."""
MOST: Final = 8192
"""CPUs of a kernel: CONFIG_NR_CPUS at most, and twice as many as QEMU has."""
_FIRST: Final = "cstime.usec"
_LAST: Final = "fpvalid"
"""The fields of NT_PRSTATUS between which the registers are."""


class Cpu(NamedTuple):
    """A CPU, as the notes have it."""

    number: int
    """From 0 on, in the order of the notes."""
    machine: str
    """Whose registers they are: a 64-bit CPU that runs a 32-bit kernel may have either width's."""
    general: tuple[Register, ...]
    """The registers of NT_PRSTATUS, in its order."""
    control: tuple[Register, ...]
    """Control registers, segments and the like, where other notes have them; else empty."""
    pid: int
    """pr_pid of the note: the task where the kernel wrote the note, a number of the CPU where QEMU did."""

    @property
    def registers(self) -> tuple[Register, ...]:
        """All registers; no two have the same name."""
        return self.general + self.control

    def value(self, name: str) -> int | None:
        """Return a register's value by its name; None if no note has it."""
        return next((one.value for one in self.registers if one.name == name), None)

    def role(self, role: Role) -> int | None:
        """Return the value of the register that has this role; None if none has."""
        found = register(self.registers, role)
        return None if found is None else found.value


def cpus_of(notes: Iterable[Note], machine: str | None) -> tuple[Cpu, ...]:
    """Return the CPUs of a dump of `machine`, one for each NT_PRSTATUS that can be decoded, the first MOST.

    Notes of one kind are in the order of the CPUs. If there are fewer control registers than CPUs, nothing says whose
    they are, so they are left out.
    """
    if machine is None:
        return ()
    notes = tuple(notes)
    decoded = (fields for note in notes if is_cpu(note) and (fields := registers_of(note, machine)))
    states = list(islice(decoded, MOST))
    more: list[list[tuple[Register, ...]]] = []
    for name, kind, first in _CONTROL:
        of_kind = (note for note in notes if note.type == kind and note.name.rstrip(b"\0") == name)
        found = [_from(first, registers_of(note, machine)) for note in islice(of_kind, MOST)]
        more += [found] if len(found) == len(states) else []
    out = []
    for number, fields in enumerate(states):
        general = _general(fields)
        control = _others(general, (one for found in more for one in found[number]))
        out.append(Cpu(number, _machine(machine, fields), general, control, _pid(fields)))
    return tuple(out)


def _others(known: tuple[Register, ...], more: Iterable[Register]) -> tuple[Register, ...]:
    """Return the registers that have none of the known names."""
    names = {one.name for one in known}
    return tuple(one for one in more if one.name not in names)


def _from(first: str, fields: tuple[Register, ...]) -> tuple[Register, ...]:
    names = [one.name for one in fields]
    return fields[names.index(first) :] if first in names else ()


def _general(fields: tuple[Register, ...]) -> tuple[Register, ...]:
    names = [one.name for one in fields]
    return fields[names.index(_FIRST) + 1 : names.index(_LAST)]


def _pid(fields: tuple[Register, ...]) -> int:
    return next(one.value for one in fields if one.name == "pid")


def _machine(machine: str, fields: tuple[Register, ...]) -> str:
    """Return which of the two x86 machines, or of arm and arm64, the registers are of."""
    names = {one.name for one in fields}
    told = {"rip": "x86_64", "eip": "i386", "pstate": "aarch64", "cpsr": "arm"}
    return next((found for name, found in told.items() if name in names), machine)
