"""libkdumpfile's names of machines, and what it knows of each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from vmci_tui.machines.facts import Libkdumpfile
from vmci_tui.machines.lookup import machine_of_elf
from vmci_tui.machines.table import MACHINES


def arch_of_elf(machine: int, bits: int) -> str | None:
    """Return the name for e_machine and the file's class (elfdump.c mach2arch); None if unknown."""
    return machine_of_elf(machine, bits).libkdumpfile.name


def arch_of_uname(machine: bytes) -> str | None:
    """Return the name for a machine in utsname (util.c machine_arch_name): any other name with arm in front is arm."""
    named = (name for name, row in _by_name().items() if machine in row.uname)
    return next(named, "arm" if machine.startswith(b"arm") else None)


def arch_facts(arch: str | None) -> Libkdumpfile:
    """Return the facts of a machine by libkdumpfile's name; defaults without a name."""
    return _by_name().get(arch or "", Libkdumpfile())


@cache
def _by_name() -> Mapping[str, Libkdumpfile]:
    rows = (row.libkdumpfile for row in MACHINES.values())
    return {row.name: row for row in reversed([*rows]) if row.name is not None}
