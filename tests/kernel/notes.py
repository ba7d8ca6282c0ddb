"""Make notes of CPUs with chosen registers."""

from __future__ import annotations

from vmci_tui.formats.elf_note import Note, build
from vmci_tui.formats.registers.other_sets import QEMU_STATE
from vmci_tui.formats.registers.prstatus import PRSTATUS
from vmci_tui.formats.registers.register_set import RegisterSet
from vmci_tui.machines.table import MACHINES


def prstatus(machine: str, **values: int) -> Note:
    """Return NT_PRSTATUS of a machine, its other registers 0, in the machine's usual byte order."""
    order = MACHINES[machine].orders[0]
    return build(b"CORE\0", 1, _filled(PRSTATUS[machine], MACHINES[machine].prstatus, order, values), order)


def qemu_state(**values: int) -> Note:
    """Return QEMU's note of an x86 CPU, its other registers 0."""
    return build(b"QEMU\0", 0, _filled(QEMU_STATE, 440, "little", values), "little")


def _filled(kind: RegisterSet, length: int, order: str, values: dict[str, int]) -> bytes:
    desc = bytearray(length)
    places = {field.name: field for field in kind.record("little" if order == "little" else "big").fields}
    for name, value in values.items():
        at = places[name]
        desc[at.offset : at.offset + at.length] = value.to_bytes(at.length, "little" if order == "little" else "big")
    return bytes(desc)
