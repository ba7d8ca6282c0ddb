"""Test one case of each finding about kdump files, and that its fix removes it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests import kit
from tests.dumps import factory
from tests.dumps.kdump_factory import INCOMPLETE, ZLIB, flattened, kdump
from vmci_tui.containers.kdump.dump import KdumpDump
from vmci_tui.document.document import Document
from vmci_tui.document.state import State
from vmci_tui.findings.catalogue import catalogue
from vmci_tui.findings.judgement import Judgement
from vmci_tui.repair.safe_fixes import Choice, repair

LINUX = {"sysname": b"Linux", "release": b"6.1.0-test", "version": b"#1 SMP", "machine": b"x86_64"}
PHYS_BASE = 16777216
"""The release of the factory's text."""


def opened(data: bytes) -> Document:
    return kit.opened(data)


def good(uts: Mapping[str, bytes] = LINUX, **sub: int) -> bytes:
    return kdump(uts=uts, sub={"phys_base": PHYS_BASE, **sub})


CASES = {
    "C19": good({"machine": b"x86_64"}),
    "C20": good(offset_vmcoreinfo=0, size_vmcoreinfo=0),
    "C21": flattened(good()),
    "M07": good(phys_base=0x16777216),
}
DOUBTED = good()[: 4 * 4096]
"""Cut off before its page descriptors."""
CODES = {*CASES, "C02", "C23", "C24", "C32", "C33"}


def codes(document: Document) -> set[str]:
    return {item.code for item in Judgement.of(document).found}


def test_a_good_kdump_has_none_of_these_findings() -> None:
    assert not codes(opened(good())) & CODES


@pytest.mark.parametrize("code", CASES)
def test_each_finding_has_its_case_and_its_fix_removes_it(code: str) -> None:
    document = opened(CASES[code])
    finding = kit.found(document)[code]
    assert finding.fix is not None and finding.message.isascii() and finding.message.isprintable()
    before = codes(document)
    assert document.edit(finding.fix)
    assert code not in codes(document)
    again = opened(kit.saved(document))
    assert code not in codes(again) and not codes(again) & CODES
    document.undo()
    assert codes(document) == before


@pytest.mark.parametrize("code", CASES)
def test_repair_removes_each_finding(code: str) -> None:
    document = opened(CASES[code])
    done = repair(document)
    assert code in {step.code for step in done.steps} and code not in codes(opened(kit.saved(document)))


def test_a_file_that_stays_flattened_is_repaired() -> None:
    document = opened(flattened(good({"machine": b"x86_64"})))
    done = repair(document, Choice(keep_flattened=True))
    assert {step.code for step in done.steps} == {"C19"}
    saved = opened(kit.saved(document))
    assert saved.container == "flattened" and not codes(saved) & {"C19", "C20"}


def test_the_message_names_the_misreading() -> None:
    assert "read the decimal number as hexadecimal" in kit.found(opened(CASES["M07"]))["M07"].message
    assert "had no note to read it from" in kit.found(opened(good(phys_base=0)))["M07"].message


def test_a_cut_file_is_reported() -> None:
    finding = kit.found(opened(DOUBTED))["C02"]
    assert finding.fix is None and finding.severity == "error"


def test_a_part_of_a_split_dump_is_reported_with_the_command_to_join_it() -> None:
    for part, words in (((0, 2), "the pages 0x0 to 0x2 of 0x29"), ((41, 41), "no pages")):
        found = kit.found(opened(kdump(uts=LINUX, sub={"phys_base": PHYS_BASE}, part=part)))
        assert words in found["C32"].message and "makedumpfile --reassemble" in catalogue()["C32"].cure
        assert not {"C02", "C23"} & set(found)


def test_an_incomplete_status_is_reported() -> None:
    found = kit.found(opened(kdump(uts=LINUX, head={"status": INCOMPLETE | ZLIB})))
    assert found["C33"].severity == "warning" and "C02" not in found
    data = bytearray(kdump(uts=LINUX, head={"status": INCOMPLETE | ZLIB}))
    dump = opened(bytes(data)).dump
    assert isinstance(dump, KdumpDump)
    at = dump.header.descriptors + 48
    data[at : at + 72] = bytes(72)
    finding = kit.found(opened(bytes(data)))["C02"]
    assert finding.message == "3 of 5 pages of memory are missing: their descriptors are empty"


def test_records_without_an_end_mark_are_reported() -> None:
    assert kit.found(opened(flattened(good(), end=None)))["C24"].severity == "error"


def test_utsname_comes_from_the_note_if_memory_lacks_it() -> None:
    document = opened(CASES["C19"])
    repair(document)
    header = document.state.header
    assert header is not None and header.utsname[:5] == (b"Linux", b"", b"6.1.0-test", b"unknown", b"x86_64")


def test_another_text_at_the_pointer_is_an_error_an_equal_one_a_warning() -> None:
    at = len(good())
    for text, severity in ((factory.TEXT_64, "warning"), (factory.TEXT_64.replace(b"6.1.0", b"9.9.9"), "error")):
        data = good(offset_vmcoreinfo=at, size_vmcoreinfo=len(text)) + text
        assert kit.found(opened(data))["C20"].severity == severity


def test_an_elf_dump_has_none_of_these_findings() -> None:
    assert not codes(kit.opened(factory.elf((factory.note(),)))) & CODES
    assert State().header is None
