"""Test the dump header of a Windows guest: any bytes are read, never as text, and never lost."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from hypothesis import strategies as st

from tests.dumps.factory import elf, note
from tests.kit import found, opened, saved
from tests.opened_files import open_document
from tests.properties import given
from vmci_tui.document import edit_notes
from vmci_tui.document.edit import Edit
from vmci_tui.formats.elf_note import NAME, Note, build
from vmci_tui.formats.windows_header import HEADER_BYTES, date, windows_header, windows_json, windows_text
from vmci_tui.readers.verdicts import READERS
from vmci_tui.render import dump_report as report
from vmci_tui.repair.fix_for_reader import fix_for_reader
from vmci_tui.repair.safe_fixes import repair

_SAMPLE = "x86_64-windows.elf"
_TICKS = 133_534_440_000_000_000
"""2024-02-26 18:00 UTC as a Windows time stamp."""


def _header(bits: int, **values: int) -> Note:
    """Make a header filled with PAGE, with these values at the offsets of the fields."""
    start = b"PAGEDU64" if bits == 64 else b"PAGEDUMP"
    desc = bytearray(start.ljust(8) + b"PAGE" * (HEADER_BYTES[bits] // 4 - 2))
    parsed = windows_header(build(NAME, 0, bytes(desc), "little"))
    assert parsed is not None
    for field in parsed.fields:
        if field.name in values:
            desc[field.offset : field.offset + field.length] = values[field.name].to_bytes(field.length, "little")
    return build(NAME, 0, bytes(desc), "little")


def test_the_sample_has_its_build_and_the_addresses_of_its_lists(sample: Callable[[str], str]) -> None:
    out = report.show_json(open_document(sample(_SAMPLE)))
    assert out["vmcoreinfo"] is None
    told = out["windows"]
    assert told["bits"] == 64 and told["minor_version"] == 19041 and told["machine"] == "x86_64"
    assert told["directory_table_base"] == 0x1AA002 and told["ps_loaded_module_list"] == 0xFFFFF80312C2A290
    assert told["bugcheck_code"] == 0x161 and told["bugcheck_parameters"] == [0, 0, 0, 0]
    assert told["kd_debugger_data_block"] is None and told["date"] is None, "Windows left them out"


def test_the_text_shows_the_header_in_place_of_keys(sample: Callable[[str], str]) -> None:
    lines = "\n".join(report.show_text(open_document(sample(_SAMPLE))))
    assert "Windows dump header: Windows build 19041, 64 bit, a live dump" in lines
    assert "KdDebuggerDataBlock not filled in" in lines and "\nvmcoreinfo" not in lines


def test_other_dumps_have_no_windows_header(sample: Callable[[str], str]) -> None:
    assert report.show_json(open_document(sample("amd64-cut-note.elf")))["windows"] is None
    assert windows_json(None) is None and not list(windows_text(build(NAME, 0, b"A=1\n", "little")))


@pytest.mark.parametrize("bits", [64, 32])
def test_fields_of_both_widths(bits: int) -> None:
    made = _header(
        bits, MinorVersion=2600, BugcheckCode=0xD1, BugcheckParameter4=7, NumberOfRuns=3, NumberOfPages=9,
        DumpType=1, SystemTime=_TICKS, SystemUpTime=50_000_000, KdDebuggerDataBlock=0x80000000,
    )  # fmt: skip
    header, told = windows_header(made), windows_json(made)
    assert header is not None and told is not None
    assert header.summary == f"Windows build 2600, {bits} bit, bug check 0xd1" and not header.missing
    assert told["bugcheck_parameters"] == [None, None, None, 7] and told["kd_debugger_data_block"] == 0x80000000
    assert (told["number_of_runs"], told["number_of_pages"], told["dump_type"]) == (3, 9, 1)
    assert told["date"] == "2024-02-26T18:00:00Z" and told["system_up_time"] == 50_000_000
    shown = "\n".join(windows_text(made))
    assert "2024-02-26T18:00:00Z" in shown and "5 seconds" in shown and "full" in shown
    assert told["pfn_database"] is None, "PAGE over and over is not a value"


def test_the_offsets_of_fields_are_those_of_qemu() -> None:
    """include/qemu/win_dump_defs.h, packed; unread fields are padding."""
    wide = struct.calcsize("<4s4sIIQQQQIIIIQQQQ32s")
    assert wide == 0x80 and 0x80 + 8 + 704 + 3000 + struct.calcsize("<IIQQII15Q") == 0xF98
    assert struct.calcsize("<4s4s6IIII4I32sI") == 0x60
    for bits, names in ((64, {"KdDebuggerDataBlock": 0x80, "DumpType": 0xF98}), (32, {"KdDebuggerDataBlock": 0x60})):
        header = windows_header(_header(bits))
        assert header is not None
        offsets = {field.name: field.offset for field in header.fields}
        assert names.items() <= offsets.items() and list(offsets.values()) == sorted(offsets.values())
        ends = [field.offset + field.length for field in header.fields]
        assert all(end <= offset for end, offset in zip(ends, list(offsets.values())[1:], strict=False))


@given(st.sampled_from((b"PAGEDU64", b"PAGEDUMP")), st.binary(max_size=0x2100))
def test_any_bytes_are_read(start: bytes, rest: bytes) -> None:
    made = build(NAME, 0, start + rest, "little")
    header = windows_header(made)
    assert header is not None and header.summary.isprintable()
    assert all(line.isascii() and line.isprintable() for line in windows_text(made))
    assert windows_json(made) is not None
    if len(start + rest) < HEADER_BYTES[header.bits]:
        assert f"{HEADER_BYTES[header.bits] - len(start + rest)} bytes of the header are missing" in header.summary


@pytest.mark.parametrize("ticks", [0, 1 << 63, (1 << 64) - 1])
def test_an_invalid_time_is_none(ticks: int) -> None:
    assert date(ticks) is None


def test_it_is_one_finding_without_faults_of_a_text(sample: Callable[[str], str]) -> None:
    codes = found(open_document(sample(_SAMPLE)))
    assert "build 19041" in codes["N13"].message
    assert {c.reader for c in codes["N13"].readers} >= {"crash", "drgn", "libkdumpfile"}
    assert not [code for code in codes if code.startswith("T")]


def test_no_edit_removes_it(sample: Callable[[str], str]) -> None:
    document = open_document(sample(_SAMPLE))
    kept = document.state.notes[2].raw
    repair(document)
    for reader in READERS:
        fix_for_reader(document, reader.name)
    document.edit(Edit.of(edit_notes.append_text, b"OSRELEASE=6.1.0\n", "little"))
    document.edit(Edit.of(edit_notes.strip))
    assert [n.raw for n in document.state.notes if n.is_windows] == [kept] and kept in saved(document)
    assert not [n for n in document.state.notes if n.is_vmcoreinfo and not n.is_windows]


def test_a_text_beside_it_is_shown_as_text() -> None:
    document = opened(elf((_header(64).raw + note(b"OSRELEASE=6.1.0\n"),)))
    assert document.state.vmcoreinfo is not None and report.show_json(document)["windows"] is None
