"""Test the registers of CPUs' notes: their names and values are those that eu-readelf prints, for every machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.eu_readelf_notes import core_of, needs_eu_readelf, printed_notes
from tests.opened_files import open_document
from vmci_tui.containers.elf.dump import ElfDump
from vmci_tui.formats.elf_note import ByteOrder, Note, build
from vmci_tui.formats.registers.decode import register, registers_of, set_of
from vmci_tui.formats.registers.other_sets import OTHERS
from vmci_tui.formats.registers.prstatus import PRSTATUS
from vmci_tui.machines.table import MACHINES

Sample = Callable[[str], str]

_CPUS = (
    "x86_64-smp16.elf", "i386-note.elf-win16k", "arm64-cut-note.elf", "aarch64-be-linux.elf",
    "armhf-nonote.elf-win16k", "s390x-cut-note.elf", "ppc64el-nonote.elf-win16k",
)  # fmt: skip
_SHIFTED = ("s390x", 2)
"""A note of which eu-readelf 0.188 reads all registers one byte too late."""


def _agree(core: Path, machine: str, notes: tuple[Note, ...]) -> int:
    """Hold each note against eu-readelf; return how many values agreed."""
    agreed = 0
    for note, printed in zip(notes, printed_notes(core), strict=True):
        mine = {one.name: one for one in registers_of(note, machine)}
        for name, value in printed.items() if mine and (machine, note.type) != _SHIFTED else ():
            assert mine[name].value == value % (1 << 8 * mine[name].length), (machine, note.type, name)
            agreed += 1
    return agreed


@needs_eu_readelf
@pytest.mark.parametrize("name", _CPUS)
def test_registers_of_samples_are_those_of_eu_readelf(name: str, sample: Sample, tmp_path: Path) -> None:
    with open_document(sample(name)) as document:
        dump = document.dump
        assert isinstance(dump, ElfDump) and dump.machine is not None
        notes = tuple(note for note in dump.notes if not note.is_vmcoreinfo)
        core = core_of(tmp_path, dump.machine, dump.order, notes)
        assert _agree(core, dump.machine, notes) >= 20
        assert all(set_of(note, dump.machine) is not None for note in notes), "every note of a CPU is decoded"


@needs_eu_readelf
@pytest.mark.parametrize(
    ("machine", "order"), [(machine, order) for machine in PRSTATUS for order in MACHINES[machine].orders]
)
def test_every_byte_of_nt_prstatus_is_in_its_register(machine: str, order: ByteOrder, tmp_path: Path) -> None:
    desc = bytes(number * 7 % 251 for number in range(MACHINES[machine].prstatus))
    note = build(b"CORE\0", 1, desc, order)
    assert _agree(core_of(tmp_path, machine, order, (note,)), machine, (note,)) >= 20


@pytest.mark.parametrize("machine", PRSTATUS)
def test_the_length_is_that_of_the_table_of_machines(machine: str) -> None:
    assert PRSTATUS[machine].fits(MACHINES[machine].prstatus)
    assert not PRSTATUS[machine].fits(PRSTATUS[machine].record("little").size - 1)


def test_roles_and_meanings_are_of_fields_that_exist() -> None:
    for one in (*PRSTATUS.values(), *OTHERS.values()):
        assert {*one.roles} <= {*one.names} and len({*one.names}) == len(one.names)
    for machine, one in PRSTATUS.items():
        assert {"pc", "sp", "result"} <= {*one.roles.values()}, machine


def test_a_register_has_its_place_and_its_role(sample: Sample) -> None:
    with open_document(sample("amd64-cut-note.elf")) as document:
        dump = document.dump
        assert dump is not None
        state = next(note for note in dump.notes if note.name == b"QEMU\0")
        tables = register(registers_of(state, "x86_64"), "tables")
    assert tables is not None and tables.name == "cr3"
    assert int.from_bytes(state.desc[416:424], "little") == tables.value and tables.offset == 416


def test_other_notes_and_lengths_have_none() -> None:
    note = build(b"CORE\0", 1, bytes(144), "little")
    assert registers_of(note, None) == () == registers_of(note, "alpha")
    assert [one.name for one in registers_of(note, "x86_64")][16:18] == ["cstime.sec", "cstime.usec"], "the i386 set"
    assert registers_of(note.with_desc(bytes(64)), "x86_64") == ()
    assert registers_of(replace(note, broken="cut"), "x86_64") == ()


@pytest.mark.parametrize("name", _CPUS)
def test_registers_encoded_again_are_the_note(name: str, sample: Sample) -> None:
    with open_document(sample(name)) as document:
        dump = document.dump
        assert dump is not None
        notes = tuple(note for note in dump.notes if set_of(note, dump.machine) is not None)
        assert notes
        for note in notes:
            decoder = set_of(note, dump.machine)
            values = {one.name: one.value for one in registers_of(note, dump.machine)}
            assert decoder is not None and decoder.encode(values, note.order, note.descsz) == note.desc


def test_values_are_cut_to_the_width_of_their_fields() -> None:
    registers = PRSTATUS["x86_64"]
    desc = registers.encode({"cs": 0x1_0010, "rip": -1}, "little", 336)
    assert {one.name: one.value for one in registers.decode(desc, "little") if one.value} == {
        "cs": 0x10,
        "rip": (1 << 64) - 1,
    }
    assert not any(registers.encode({}, "little", 336))
