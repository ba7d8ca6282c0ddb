"""Test C35 and C36, which compare p_vaddr with the kernel that memory proves, and their fixes."""

from __future__ import annotations

import pytest

from tests.data_files import fault
from tests.kit import elf_of, found, opened, saved
from vmci_tui.bench import chosen, craft
from vmci_tui.containers.base import VirtualRange
from vmci_tui.containers.elf.program_headers import pieces
from vmci_tui.findings.judgement import Judgement
from vmci_tui.formats.elf_records import PT_LOAD, Segment
from vmci_tui.repair.safe_fixes import repair

_GUESTS = {
    "armhf-nonote.elf": ("0xc0203000", 0x80000000),
    "i386-nonote.elf": ("0xc101e000", 0xC0000000),
    "ppc64el-nonote.elf": ("0xc000000000ec6000", 0xC000000000000000),
}


@pytest.mark.parametrize("name", _GUESTS)
def test_a_repair_writes_the_linear_map(name: str) -> None:
    document = opened(fault(name))
    done = repair(document)
    assert [step.code for step in done.steps] == ["N01", "C35"]
    first, shift = _GUESTS[name]
    loads = [s for s in elf_of(saved(document)).segments if s.type == PT_LOAD]
    assert hex(loads[0].vaddr) == first and all(s.vaddr == s.paddr + shift for s in loads)
    assert done.readers.after["drgn"].reads is True and "C35" not in found(document)


def test_the_edit_is_undone_and_redone() -> None:
    document = opened(fault("633-armhf.elf"))
    fix = found(document)["C35"].fix
    assert fix is not None and document.edit(fix)
    assert Judgement.of(document).shown["drgn"].reads is True and document.dump_unsaved
    document.undo()
    assert not document.modified and Judgement.of(document).shown["drgn"].reads is False
    document.redo()
    assert Judgement.of(document).shown["drgn"].reads is True and "C35" not in found(document)


def test_the_finding_names_its_readers_and_missing_memory_is_not_blamed() -> None:
    findings = found(opened(fault("633-armhf.elf")))
    told = findings["C35"]
    assert "M04" not in findings and told.span is not None and told.span.offset == 52 + 32 + 8
    assert {(c.reader, c.refuses) for c in told.readers} == {("libkdumpfile", True), ("drgn", False)}
    assert not {"C35", "C36"} & set(found(opened(fault("633-armhf-vaddr.elf"))))


def test_a_wrong_address_is_blamed_on_the_header_and_not_on_the_note() -> None:
    document = opened(fault("461-vaddr-lies.elf"))
    findings = found(document)
    told = findings["C36"]
    assert told.message == (
        "program header 1 puts address 0xffffffffb37fb000 at paddr 0x0, but the kernel maps it to 0x89fb000"
    )
    assert {c.reader for c in told.readers} == {"drgn", "libkdumpfile"} and not {"M03", "M05"} & set(findings)
    done = repair(document)
    assert [step.code for step in done.steps] == ["C36"] and done.readers.after["drgn"].reads is True


def test_a_header_that_crosses_an_edge_becomes_several_of_the_same_memory() -> None:
    whole = Segment(PT_LOAD, 6, 0x1000, 0, 0x40000000, 0x3000, 0x5000, 0)
    mapped = (VirtualRange(0x40000000, 0x40002000, 0x80000000), VirtualRange(0x40002000, 0x50000000, None))
    low, high = pieces(whole, mapped, 1 << 32)
    assert low == Segment(PT_LOAD, 6, 0x1000, 0xC0000000, 0x40000000, 0x2000, 0x2000, 0)
    assert high == Segment(PT_LOAD, 6, 0x3000, 0, 0x40002000, 0x1000, 0x3000, 0)
    assert tuple(pieces(whole, (VirtualRange(0, 0x1000, 5),), 1 << 32)) == (whole,)


def test_memory_that_the_kernel_does_not_map_gets_no_address() -> None:
    made = craft(chosen(["C35"]))
    assert found(made.document)["C35"].readers[0].reader == "drgn"
    repair(made.document)
    loads = [s for s in elf_of(saved(made.document)).segments if s.type == PT_LOAD]
    assert {s.vaddr - s.paddr for s in loads if s.paddr == made.parts.uts} == {0xC0000000}
    others = [s.vaddr for s in loads if s.paddr != made.parts.uts]
    assert others and not any(others), "the crafted guest's page tables map little more than its name"
