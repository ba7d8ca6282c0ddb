"""Test the offsets of the records' fields against the C headers that define them."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.paths import ROOT
from vmci_tui.common.named_struct import NamedStruct
from vmci_tui.common.span import Span
from vmci_tui.formats import flattened_records
from vmci_tui.formats.elf_note import note_header
from vmci_tui.formats.elf_records import IDENT, format_of
from vmci_tui.formats.fw_cfg_entry import entry_span
from vmci_tui.formats.kdump_records import KdumpFormat, Width
from vmci_tui.formats.registers.other_sets import QEMU_STATE

_ELF: Final = (  # elf.h: field, (offset, length) in an ELF32 and in an ELF64 header
    ("EI_CLASS", (4, 1), (4, 1)), ("e_type", (16, 2), (16, 2)), ("e_machine", (18, 2), (18, 2)),
    ("e_phoff", (28, 4), (32, 8)), ("e_shoff", (32, 4), (40, 8)), ("e_phentsize", (42, 2), (54, 2)),
    ("e_phnum", (44, 2), (56, 2)), ("e_shstrndx", (50, 2), (62, 2)),
)  # fmt: skip


@pytest.mark.parametrize(("field", "narrow", "wide"), _ELF)
def test_the_fields_of_an_elf_header(field: str, narrow: tuple[int, int], wide: tuple[int, int]) -> None:
    assert format_of(32, "big").span(field) == Span(*narrow)
    assert format_of(64, "little").span(field) == Span(*wide)


def test_a_field_of_a_table_is_where_its_record_is() -> None:
    assert format_of(64, "little").segment.span("p_paddr", 64) == Span(88, 8)
    assert format_of(32, "little").segment.span("p_flags", 52) == Span(76, 4)
    assert format_of(64, "big").section.span("sh_info", 64) == Span(108, 4)
    assert note_header("big").span("type", 100) == Span(108, 4)
    assert flattened_records.RECORD.span("size", 4096) == Span(4104, 8)
    assert entry_span("paddr") == Span(8, 8, "entry")


@pytest.mark.parametrize(("bits", "first", "size"), [(32, 416, 452), (64, 428, 464)])
def test_the_fields_of_a_kdump_header(bits: Width, first: int, size: int) -> None:
    header = KdumpFormat(bits, "little").header
    assert header.size == size
    assert header.span("utsname.machine") == Span(272, 65)
    assert header.span("block_size", through="max_mapnr") == Span(first, 16)


def test_the_fields_of_a_kdump_sub_header() -> None:
    assert KdumpFormat(64, "little").sub_header.span("offset_note", 4096) == Span(4144, 8)
    assert KdumpFormat(32, "little").sub_header.span("offset_note") == Span(32, 8)
    assert KdumpFormat(32, "little", padded=True).sub_header.span("offset_note") == Span(40, 8)


_NAMED: Final = re.compile(
    r"""\.(?:span|field|part|segment_field)\((?:\d, )?"([^"{]+)"(?=[),])(?:, (?:through=)?"([^"]+)")?"""
)


def test_every_field_named_in_the_code_exists() -> None:
    kdump, elf = KdumpFormat(64, "little"), format_of(64, "little")
    records = (
        *(kdump.header, kdump.sub_header, kdump.page, IDENT, elf.header, elf.segment, elf.section),
        *(note_header("big"), flattened_records.HEADER, flattened_records.RECORD, QEMU_STATE.record("little")),
    )
    known = {field.name for record in records for field in record.fields}
    text = "".join(path.read_text() for path in (ROOT / "vmci_tui").rglob("*.py"))
    named = {name for pair in _NAMED.findall(text) for name in pair if name}
    assert len(named) > 20 and named <= known


def test_no_bare_offset_is_used_for_a_field() -> None:
    files = {path.name: path.read_text() for path in (ROOT / "vmci_tui").rglob("*.py")}
    assert [name for name, text in files.items() if re.search(r"Span\(\d+, ?\d", text)] == []


def test_the_bytes_of_a_field() -> None:
    record = NamedStruct.of("big", ("a", "b", "c"), ("B", "3xI", "2s"))
    data = record.pack(1, 2, b"hi")
    assert (record.size, record.part("b", data), record.part("c", data[:9])) == (10, b"\0\0\0\2", b"h")
    with pytest.raises(KeyError):
        record.span("d")
