"""Decide from the notes of its CPUs whether QEMU wrote a dump: only then was there a guest and an entry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from vmci_tui.formats.elf_note import Note
from vmci_tui.machines.lookup import machine_facts

_PRSTATUS: Final = (b"CORE\0", 1)
_NEVER: Final = frozenset(((b"CORE\0", 3), (b"CORE\0", 4)))
"""NT_PRPSINFO and NT_TASKSTRUCT, which /proc/kcore has (Linux, fs/proc/kcore.c), and QEMU never writes."""
_XEN: Final = b"Xen\0"


def may_be_from_qemu(notes: Iterable[Note], machine: str | None) -> bool:
    """Return whether QEMU may have written a dump with these notes; True also if they do not decide it."""
    kinds = {(note.name, note.type) for note in notes}
    if (b"QEMU\0", 0) in kinds:
        return True
    if kinds & _NEVER or any(name == _XEN for name, _ in kinds):
        return False
    beside = machine_facts(machine).qemu.cpu_note
    return _PRSTATUS not in kinds or beside is None or beside in kinds
