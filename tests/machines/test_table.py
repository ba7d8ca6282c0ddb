"""Test that the table of machines agrees with other sources."""

from __future__ import annotations

import pytest
from elftools.elf.enums import ENUM_E_MACHINE

from vmci_tui.machines.facts import MachineFacts
from vmci_tui.machines.lookup import machine_facts, machine_name, machine_of_elf, machine_of_uname
from vmci_tui.machines.table import MACHINES

_ELF = {
    "i386": "EM_386", "s390x": "EM_S390", "s390": "EM_S390", "riscv64": "EM_RISCV", "riscv32": "EM_RISCV",
    "loongarch64": "EM_LOONGARCH", "loongarch32": "EM_LOONGARCH", "mips64": "EM_MIPS", "sparc64": "EM_SPARCV9",
    "ia64": "EM_IA_64", "alpha": "EM_ALPHA, not the official number", "em_4": "EM_68K", "em_252": "EM_CSKY",
}  # fmt: skip
"""Machines whose name in elf.h does not follow from ours."""


@pytest.mark.parametrize("name", MACHINES)
def test_the_fields_of_a_row_agree(name: str) -> None:
    facts = MACHINES[name]
    assert not (facts.by_class and facts.bits is None)
    assert all(size in (4096, 16384, 65536) for size in facts.page_sizes)
    assert facts.other_width is None or MACHINES[facts.other_width].other_width == name
    assert facts.uname is None or facts.says_uname(facts.uname)


@pytest.mark.parametrize("name", MACHINES)
def test_numbers_are_those_of_elf_h(name: str) -> None:
    number = ENUM_E_MACHINE.get(_ELF.get(name, f"EM_{name.upper()}"))
    assert number in (None, MACHINES[name].e_machine)


def test_e_machine_and_class_name_one_machine() -> None:
    for e_machine in {row.e_machine for row in MACHINES.values()}:
        rows = [row for row in MACHINES.values() if row.e_machine == e_machine]
        assert len(rows) == 1 or ({row.bits for row in rows if row.by_class} == {32, 64} and len(rows) == 2)
        for bits in (32, 64):
            assert machine_of_elf(e_machine, bits) in rows
    assert [machine_name(22, bits) for bits in (32, 64)] == ["s390", "s390x"]
    assert (machine_name(0, 64), machine_name(62, 32), machine_name(999, 64)) == (None, "x86_64", "em_999")


def test_a_utsname_names_at_most_one_machine() -> None:
    said = "x86_64 i386 i486 i586 i686 aarch64 aarch64_be armv7l armv8b s390x ppc64 ppc64le ppc riscv64 mips mips64"
    for name in (*said.split(), "loongarch64", "Unknown", "arm", "armv", "x86_64 ", ""):
        rows = [row for row in MACHINES.values() if row.says_uname(name.encode())]
        assert len(rows) == (name not in ("Unknown", "arm", "armv", "x86_64 ", "")), name
        assert machine_of_uname(name.encode()) == (rows[0] if rows else None)


def test_a_machine_without_a_row_has_no_facts() -> None:
    for facts in (machine_facts(None), machine_facts("vax"), machine_of_elf(75, 32)):
        assert facts == MachineFacts(facts.name, facts.e_machine)
