"""GNU readelf as a reader: which rule decides, with which words; `tests/real/` holds it to the program."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dumps import factory
from tests.dumps.factory import TEXT_64, Load, cpus, elf, note
from tests.readers.test_eu_readelf import with_note_section
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers.file_view import View
from vmci_tui.readers.readelf import READER
from vmci_tui.readers.rule import Verdict, judge

_GOOD = cpus() + note()
_AT = len(cpus())
"""Offset of the VMCOREINFO note in its area; the area is at 0xb0."""


def verdict(data: bytes) -> Verdict:
    return judge(READER, View(BytesSource(data)))


def fired(data: bytes) -> list[str]:
    return [each.rule.name for each in verdict(data).fired]


def noted(area: bytes, **how: Any) -> bytes:
    return elf([area], **how)


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("qemu", [False, True])
def test_shows_the_note_of_every_class_and_order(bits: Any, order: Any, qemu: bool) -> None:
    seen = verdict(elf([cpus(2, order) + note(order=order)], bits=bits, order=order, qemu=qemu, machine=8))
    assert (seen.accepts, seen.osrelease, seen.stage) == (True, "6.1.0-test", None)
    assert seen.says == f"{'VMCOREINFO':<20} 0x{len(TEXT_64):08x}"
    assert seen.text == TEXT_64
    assert seen.note is not None and seen.note.length == len(note())


@pytest.mark.parametrize(
    "how",
    [
        {"phentsize": 64},
        {"p_align": 4},
        {"notes_behind": True},
        {"note_first": False},
        {"type": 2},
        {"version": 9},
        {"loads": [Load(0, bytes(8))] + [Load(0, at=0)] * 65_600},
    ],
)
def test_what_others_mind_it_does_not(how: dict[str, Any]) -> None:
    assert verdict(noted(_GOOD, **how)).accepts


def test_the_text_is_never_read() -> None:
    for text in (b"", b"\0" + TEXT_64, b"PAGESIZE=4096\n", TEXT_64.replace(b"\n", b"\r\n")):
        assert verdict(noted(cpus() + note(text))).accepts
    assert verdict(noted(note(b"\0\n" + TEXT_64))).osrelease == "6.1.0-test"
    assert verdict(noted(note(b"A=1"))).osrelease is None


CASES: list[tuple[str, str, str, bytes]] = [
    ("too-short", "before", "readelf: Error: FILE: Failed to read file's magic number", noted(_GOOD)[:7]),
    ("too-short", "before", "readelf: Error: FILE: Failed to read file header", noted(_GOOD)[:63]),
    (
        "another-container",
        "before",
        "readelf: Error: Not an ELF file - it has the wrong magic bytes at the start",
        b"KDUMP   " + bytes(500),
    ),
    (
        "magic",
        "before",
        "readelf: Error: Not an ELF file - it has the wrong magic bytes at the start",
        b"\x7fELG" + noted(_GOOD)[4:],
    ),
    (
        "byte-order",
        "before",
        "readelf: Error: Too many program headers - 0x200 - the file is not that big",
        noted(_GOOD)[:5] + b"\2" + noted(_GOOD)[6:],
    ),
    ("class", "before", "No notes found file.", noted(_GOOD)[:4] + b"\3" + noted(_GOOD)[5:]),
    ("class-of-machine", "before", "No notes found file.", noted(_GOOD)[:4] + b"\1" + noted(_GOOD)[5:]),
    ("no-headers", "before", "No notes found file.", noted(_GOOD, phnum=0)),
    ("entry-size", "before", "", noted(_GOOD, phentsize=0)),
    (
        "entry-size",
        "before",
        "readelf: Error: The e_phentsize field in the ELF header is less than the size of an ELF program header",
        noted(_GOOD, phentsize=55),
    ),
    (
        "headers-elsewhere",
        "before",
        "readelf: Error: Reading 112 bytes extends past end of file for program headers",
        noted(_GOOD, phoff=1 << 40),
    ),
    (
        "table-cut",
        "before",
        "readelf: Error: Too many program headers - 0xffff - the file is not that big",
        noted(_GOOD, phnum=0xFFFF),
    ),
    ("no-note-segment", "note", "", elf([])),
    (
        "notes-cut",
        "note",
        f"readelf: Error: Reading {len(_GOOD)} bytes extends past end of file for notes",
        noted(_GOOD)[:700],
    ),
    (
        "alignment",
        "note",
        "readelf: Warning: Corrupt note: alignment 4096, expecting 4 or 8",
        noted(_GOOD, p_align=4096),
    ),
    (
        "padded-to-4",
        "note",
        "readelf: Warning: Corrupt note: only 4 bytes remain, not enough for a full note",
        noted(note(b"12345", b"CORE\0") + note(), p_align=8),
    ),
    (
        "byte-swapped",
        "note",
        f"readelf: Warning: note with invalid namesz and/or descsz found at offset {_AT:#x}",
        noted(cpus() + note(order="big")),
    ),
    (
        "unpadded",
        "note",
        "readelf: Warning: note with invalid namesz and/or descsz found at offset 0",
        noted(note(b"A=1")[:-1]),
    ),
    (
        "shifted",
        "note",
        f"readelf: Warning: note with invalid namesz and/or descsz found at offset {_AT + 24:#x}",
        noted(cpus() + bytes(4) + note()),
    ),
    (
        "broken",
        "note",
        f"readelf: Warning: note with invalid namesz and/or descsz found at offset {_AT:#x}",
        noted(cpus() + note(descsz=5000)),
    ),
    ("other-name", "note", "", noted(cpus() + note(name=b"vmcoreinfo\0"))),
    ("no-note", "note", "", noted(cpus())),
]


@pytest.mark.parametrize(("name", "stage", "words", "data"), CASES, ids=[case[0] for case in CASES])
def test_what_decides(name: str, stage: str, words: str, data: bytes) -> None:
    seen = verdict(data)
    first = next(each for each in seen.fired if each.rule.refuses)
    assert (first.rule.name, seen.accepts, seen.stage, seen.says) == (name, False, stage, words)
    assert seen.osrelease is None and seen.note is None
    assert first.span is None or 0 <= first.span.offset <= len(data)


def test_complaints_do_not_refuse() -> None:
    cases = {
        "only-contains": noted(note(name=b"VMCOREINFO_XEN\0")),
        "several": noted(note() + note(b"OSRELEASE=2\n")),
        "broken-behind": noted(note() + b"abc"),
        "large-entry": noted(_GOOD, phentsize=64),
        "no-sections": noted(_GOOD, shoff=64),
        "sections-cut": noted(_GOOD, shoff=1 << 40, shnum=2, shentsize=64),
        "names-cut": elf([cpus(order="big") + note(order="big")], order="big", machine=factory.S390, qemu=True),
    }
    for name, data in cases.items():
        assert verdict(data).accepts
        assert fired(data) == [name]
    behind = verdict(cases["broken-behind"]).fired[0]
    assert behind.words == "readelf: Warning: Corrupt note: only 3 bytes remain, not enough for a full note"


def test_outside_a_core_file_sections_come_first() -> None:
    assert verdict(with_note_section(_GOOD, type=2)).accepts
    hidden = verdict(with_note_section(cpus(), note(), type=2))
    assert (hidden.accepts, hidden.fired[0].rule.name) == (False, "sections")
    assert verdict(with_note_section(cpus(), note())).accepts


def test_an_archive_is_unknown() -> None:
    assert verdict(b"!<arch>\n" + bytes(100)).accepts is None


@pytest.mark.parametrize("cut", range(0, 300, 7))
def test_any_bytes_give_a_verdict(cut: int) -> None:
    data = noted(_GOOD, qemu=True)
    assert verdict(data[:cut]).accepts is False
    verdict(data[:cut] + b"\xff" * 40 + data[cut + 40 :])
