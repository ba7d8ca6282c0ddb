"""Finding a machine by its name, by an ELF header, by what `uname -m` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vmci_tui.machines.facts import MachineFacts
from vmci_tui.machines.table import MACHINES

_BY_ELF: Final[Mapping[tuple[int, int | None], MachineFacts]] = {
    (row.e_machine, row.bits if row.by_class else None): row for row in MACHINES.values()
}


def machine_facts(name: str | None) -> MachineFacts:
    """What is known of a machine by its name; nothing where it has no row."""
    return MACHINES.get(name or "") or MachineFacts(name or "")


def machine_of_elf(e_machine: int, bits: int) -> MachineFacts:
    """What is known of a machine by the ELF header, whose class has `bits`; one without a row is called `em_N`."""
    known = _BY_ELF.get((e_machine, None)) or _BY_ELF.get((e_machine, bits))
    return known or MachineFacts(f"em_{e_machine}", e_machine)


def machine_name(e_machine: int, bits: int) -> str | None:
    """The machine's name by the ELF header; None for EM_NONE."""
    return machine_of_elf(e_machine, bits).name if e_machine else None


def machine_of_uname(machine: bytes) -> MachineFacts | None:
    """The machine on which `uname -m` may say this; None for `Unknown`, and for names that no one knows."""
    return next((row for row in MACHINES.values() if row.says_uname(machine)), None)
