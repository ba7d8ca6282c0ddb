"""Machines: what is known of each, and what programs make of it. The rows, and what they mean, are in machines.toml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, Literal, NamedTuple

from vmci_tui.common.packaged import packaged_toml


class Crash(NamedTuple):
    """A machine to crash."""

    starts: str | None = None
    name: str = ""


class Drgn(NamedTuple):
    """A machine to drgn."""

    name: str | None = None
    by_vaddr: bool = False


class Libkdumpfile(NamedTuple):
    """A machine to libkdumpfile."""

    name: str | None = None
    uname: tuple[str, ...] = ()
    page_size: int | None = None
    prstatus: int = 0
    of_drgn: bool = False


class Qemu(NamedTuple):
    """A machine to QEMU."""

    cpu_note: tuple[str, int] | None = None
    phys_key: str | None = None
    ram_base: int = 0


class MachineFacts(NamedTuple):
    """What is known of a machine."""

    name: str
    e_machine: int = 0
    bits: Literal[32, 64] | None = None
    by_class: bool = False
    orders: tuple[Literal["little", "big"], ...] = ()
    page_sizes: tuple[int, ...] = ()
    uname: str | None = None
    uname_like: str | None = None
    prstatus: int = 0
    other_width: str | None = None
    windows: int | None = None
    linear_bits: int | None = None
    low_addresses: bool = False
    crash: Crash = Crash()
    drgn: Drgn = Drgn()
    eu_readelf: bool = False
    libkdumpfile: Libkdumpfile = Libkdumpfile()
    qemu: Qemu = Qemu()

    @property
    def only_bits(self) -> Literal[32, 64] | None:
        """The width of a machine that has only one by its e_machine; None where the class of the file tells."""
        return None if self.by_class else self.bits

    def says_uname(self, machine: bytes) -> bool:
        """Whether `uname -m` may say this on the machine."""
        like = self.uname_like or self.uname
        return like is not None and re.fullmatch(like, machine.decode("latin-1"), re.DOTALL) is not None


_PROGRAMS: Final = {"crash": Crash, "drgn": Drgn, "libkdumpfile": Libkdumpfile, "qemu": Qemu}


@cache
def machines() -> Mapping[str, MachineFacts]:
    """Read the table: every machine by its name."""
    return {name: _facts(name, row) for name, row in packaged_toml(__package__, "machines.toml").items()}


def _facts(name: str, row: Mapping[str, Any]) -> MachineFacts:
    programs = {key: _PROGRAMS[key](**_frozen(value)) for key, value in row.items() if key in _PROGRAMS}
    return MachineFacts(name, **_frozen(row) | programs)


def _frozen(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}


def machine_facts(name: str | None) -> MachineFacts:
    """What is known of a machine by its name; nothing where it has no row."""
    return machines().get(name or "") or MachineFacts(name or "")


@cache
def _by_elf() -> Mapping[tuple[int, int | None], MachineFacts]:
    return {(row.e_machine, row.bits if row.by_class else None): row for row in machines().values()}


def machine_of_elf(e_machine: int, bits: int) -> MachineFacts:
    """What is known of a machine by the ELF header, whose class has `bits`; one without a row is called `em_N`."""
    known = _by_elf().get((e_machine, None)) or _by_elf().get((e_machine, bits))
    return known or MachineFacts(f"em_{e_machine}", e_machine)


def machine_name(e_machine: int, bits: int) -> str | None:
    """The machine's name by the ELF header; None for EM_NONE."""
    return machine_of_elf(e_machine, bits).name if e_machine else None


def machine_of_uname(machine: bytes) -> MachineFacts | None:
    """The machine on which `uname -m` may say this; None for `Unknown`, and for names that no one knows."""
    return next((row for row in machines().values() if row.says_uname(machine)), None)
