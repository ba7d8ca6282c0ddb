"""eu-readelf as a reader: which rule decides, with which words; `tests/real/` holds it to the program."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from tests.dumps.factory import ARM, TEXT_64, Load, cpus, elf, note
from tests.dumps.records import Bits
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers.eu_readelf import READER
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import Verdict, judge

_GOOD = cpus() + note()
_HUGE_SECTION_0 = elf([_GOOD], shoff=len(elf([_GOOD]))) + bytes(32) + struct.pack("<Q", 1 << 33) + bytes(24)
_BAD_DATA = "eu-readelf: failed reading 'FILE': invalid data"
_GARBAGE = "eu-readelf: cannot get content of note: garbage data"


def verdict(data: bytes) -> Verdict:
    return judge(READER, View(BytesSource(data)))


def noted(area: bytes, **how: Any) -> bytes:
    return elf([area], **how)


def with_note_section(area: bytes, segment: bytes = b"", align: int = 4, first: bool = False, **how: Any) -> bytes:
    """A 64-bit dump with one SHT_NOTE section over `area` at its end; `segment` is the PT_NOTE."""
    body = elf([segment or area], shnum=1 if first else 2, shentsize=64, shoff=1, **how)
    at = len(body) + len(area)
    row = struct.pack("<II4QII2Q", 0, 7, 0, 0, len(body), len(area), 0, 0, align, 0)
    return body[:40] + struct.pack("<Q", at) + body[48:] + area + (row if first else bytes(64) + row)


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("bits", [32, 64])
def test_prints_the_text_of_every_class_and_order(bits: Any, order: Any) -> None:
    machine = {32: ARM, 64: 183}[bits]
    seen = verdict(elf([cpus(2, order) + note(order=order)], bits=bits, order=order, machine=machine))
    assert (seen.accepts, seen.osrelease, seen.says) == (True, "6.1.0-test", "OSRELEASE=6.1.0-test")
    assert seen.text == TEXT_64
    assert seen.note is not None and seen.note.length == len(note())


@pytest.mark.parametrize(
    "how",
    [
        {"phentsize": 0},
        {"p_align": 4096},
        {"notes_behind": True},
        {"version": 9},
        {"shoff": 1 << 40, "shnum": 3},
        {"loads": [Load(0, bytes(8))] + [Load(0, at=0)] * 65_600, "shnum": 0, "shoff": 0},
    ],
)
def test_what_others_mind_it_does_not(how: dict[str, Any]) -> None:
    assert verdict(noted(_GOOD, **how)).accepts


def test_sections_hide_the_segments() -> None:
    for how in ({"qemu": True}, {"sections": [b"abcd"]}):
        hidden = verdict(noted(_GOOD, **how))
        assert (hidden.accepts, hidden.stage, hidden.says) == (False, "note", "")
        assert hidden.fired[0].rule.cause == "C07"
    assert verdict(with_note_section(_GOOD)).accepts
    assert verdict(with_note_section(_GOOD, align=4096)).accepts
    assert verdict(with_note_section(cpus(), note())).fired[0].rule.name == "other-sections"
    section_0 = verdict(with_note_section(_GOOD, first=True))
    assert section_0.fired[0].rule.name == "sections"


def test_more_headers_than_e_phnum_can_say_hide_them_too() -> None:
    many = verdict(noted(_GOOD, loads=[Load(0, bytes(8))] + [Load(0, at=0)] * 65_600))
    assert (many.accepts, many.fired[0].rule.name, many.fired[0].rule.cause) == (False, "many-headers", "C11")


CASES: list[tuple[str, str, str, bytes]] = [
    ("empty", "before", "eu-readelf: input file is empty", b""),
    (
        "another-container",
        "before",
        "eu-readelf: failed reading 'FILE': not a valid ELF file",
        b"makedumpfile" + bytes(99),
    ),
    (
        "identification",
        "before",
        "eu-readelf: failed reading 'FILE': not a valid ELF file",
        noted(_GOOD)[:6] + b"\2" + noted(_GOOD)[7:],
    ),
    ("too-short", "before", "eu-readelf: failed reading 'FILE': invalid ELF file data", noted(_GOOD)[:63]),
    ("section-count", "before", "eu-readelf: failed reading 'FILE': invalid ELF file data", _HUGE_SECTION_0),
    ("byte-order", "before", _BAD_DATA, noted(_GOOD)[:5] + b"\2" + noted(_GOOD)[6:]),
    ("class-of-machine", "before", "", noted(_GOOD)[:4] + b"\1" + noted(_GOOD)[5:]),
    ("headers-elsewhere", "before", _BAD_DATA, noted(_GOOD, phoff=1 << 40)),
    ("table-cut", "before", _BAD_DATA, noted(_GOOD, phnum=0xFFFF)),
    ("no-headers", "note", "", noted(_GOOD, phoff=0)),
    ("no-note-segment", "note", "", elf([])),
    ("notes-cut", "note", "eu-readelf: cannot get content of note: invalid operation", noted(_GOOD)[:700]),
    ("padded-to-4", "note", _GARBAGE, noted(note(b"12345", b"CORE\0") + note(), p_align=8)),
    ("byte-swapped", "note", _GARBAGE, noted(cpus() + note(order="big"))),
    ("unpadded", "note", _GARBAGE, noted(note(b"A=1")[:-1])),
    ("shifted", "note", _GARBAGE, noted(cpus() + bytes(4) + note())),
    ("broken", "note", _GARBAGE, noted(cpus() + note(descsz=5000))),
    ("not-a-core", "note", "", noted(_GOOD, type=2)),
    ("machine", "note", "", noted(_GOOD, machine=9)),
    ("mips", "note", "", noted(_GOOD, machine=8)),
    ("loongarch", "note", "", noted(_GOOD, machine=258)),
    ("type", "note", "", noted(cpus() + note(kind=1))),
    ("name", "note", "", noted(cpus() + note(name=b"VMCOREINFO"))),
    ("no-note", "note", "", noted(cpus())),
    ("behind-nul", "after", "", noted(note(b"\0" + TEXT_64))),
    ("no-release", "after", "", noted(note(b"PAGESIZE=4096\n"))),
]


@pytest.mark.parametrize(("name", "stage", "words", "data"), CASES, ids=[case[0] for case in CASES])
def test_what_decides(name: str, stage: str, words: str, data: bytes) -> None:
    seen = verdict(data)
    first = next(each for each in seen.fired if each.rule.refuses)
    assert (first.rule.name, seen.accepts, seen.stage, seen.says) == (name, False, stage, words)
    assert seen.osrelease is None
    assert first.span is None or 0 <= first.span.offset <= len(data)


def test_complaints_do_not_refuse() -> None:
    cases = {
        "nul": noted(note(TEXT_64 + b"A=1\0\n")),
        "several": noted(note() + note(b"OSRELEASE=2\n")),
        "broken-behind": noted(note() + b"abc"),
    }
    for name, data in cases.items():
        seen = verdict(data)
        assert seen.accepts and seen.osrelease == "6.1.0-test"
        assert [each.rule.name for each in seen.fired] == [name]


def test_each_line_is_printed_up_to_its_nul() -> None:
    assert verdict(noted(note(b"A=1\0OSRELEASE=1\nOSRELEASE=2\0x\nOSRELEASE=3"))).osrelease == "2"
    assert READER.lines(b"A=1\0x\nB=2\nB=3\nC\0=4") == {b"A": b"1", b"B": b"2"}
    # The key may be anywhere in a line; no release is read from there.
    inner = verdict(noted(note(b"XOSRELEASE=1\n")))
    assert (inner.accepts, inner.osrelease) == (True, None)


def test_what_it_would_unpack_is_unknown() -> None:
    assert verdict(b"\x1f\x8b\x08\0" + bytes(100)).accepts is None


@pytest.mark.parametrize("cut", range(0, 300, 7))
def test_any_bytes_give_a_verdict(cut: int) -> None:
    data = noted(_GOOD)
    assert verdict(data[:cut]).accepts is False
    verdict(data[:cut] + b"\xff" * 40 + data[cut + 40 :])


@pytest.mark.parametrize(("machine", "bits"), [(258, 64), (258, 32), (8, 64), (8, 32)])
def test_mips_and_loongarch_have_a_backend_only_in_newer_versions(machine: int, bits: Bits) -> None:
    data = elf((note(),), bits=bits, machine=machine)
    for version, accepts in (("0.183", False), ("0.188", False), ("0.192", True), ("0.196", True)):
        said = judge(READER.at(version), View(BytesSource(data)))
        assert said.accepts is accepts, version
        assert said.stage == (None if accepts else "note")
        assert [item.accepts for item in said.by_version] == [False, True]
