"""Find the registers in a note of a dump."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.registers.other_sets import OTHERS
from vmci_tui.formats.registers.prstatus import PRSTATUS
from vmci_tui.formats.registers.register_set import Register, RegisterSet, Role
from vmci_tui.machines.table import MACHINES

_PRSTATUS: Final = (b"CORE", 1)


def registers_of(note: Note, machine: str | None) -> tuple[Register, ...]:
    """Return the fields of a CPU's note in a dump of `machine`, in the descriptor's order; () for any other note.

    The machine's other width counts too, where the length says so: QEMU writes 64-bit notes of a 32-bit guest's CPU
    in some files, and 32-bit notes in others.
    """
    found = set_of(note, machine)
    return () if found is None else found.decode(note.desc, note.order)


def set_of(note: Note, machine: str | None) -> RegisterSet | None:
    """Return the set by which a note is decoded; None if there is none for its kind and length."""
    if machine is None or not note.whole:
        return None
    return next((one for one in _sets(note, machine) if one.fits(note.descsz)), None)


def register(registers: tuple[Register, ...], role: Role) -> Register | None:
    """Return the register that has this role; None if none has."""
    return next((one for one in registers if one.role == role), None)


def _sets(note: Note, machine: str) -> Iterator[RegisterSet]:
    kind = note.name.rstrip(b"\0"), note.type
    other = MACHINES[machine].other_width if machine in MACHINES else None
    for name in filter(None, (machine, other)):
        found = PRSTATUS.get(name) if kind == _PRSTATUS else OTHERS.get((name, *kind))
        if found is not None:
            yield found
