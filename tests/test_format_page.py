"""Test that every table and every row of bytes of docs/format.md agrees with the code and the real samples."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.paths import DOCS, SAMPLES
from vmci_tui.formats.elf_note import NAME, ByteOrder, build, parse_raw
from vmci_tui.formats.fw_cfg_entry import FIELDS, RESET, Entry, EntryHistory, Write, linux_size
from vmci_tui.formats.windows_header import windows_header
from vmci_tui.machines.lookup import machine_name
from vmci_tui.readers.qemu import warnings
from vmci_tui.readers.qemu.entry_reading import DumpTarget, QemuReading, RegionBytes

PAGE = (DOCS / "format.md").read_text()
GUEST = DumpTarget(machine_name(62, 64), 64, "little")
TEXT = (b"OSRELEASE=6.1.0\nPAGESIZE=4096\n" + b"X" * 400)[:369] + b"\n"
NOTE = build(NAME, 0, TEXT, "little").raw
LIES = {"the note": NOTE, "the text alone": TEXT, "no RAM": b""}


def table(first: str) -> list[list[str]]:
    """Return the rows of the table whose first column has this title."""
    lines = PAGE.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(f"| {first} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def tables(first: str) -> Iterator[list[list[str]]]:
    """Return all tables whose first column has this title."""
    for part in PAGE.split(f"| {first} |")[1:]:
        yield [[cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"(?m)^\|.*$", part)[1:]]


BLOCKS = [bytes.fromhex(block) for block in re.findall(r"```\n([0-9a-f ]+)\n```", PAGE)]


def history(host: int, guest: int, size: int, paddr: int = 0x1000) -> EntryHistory:
    return EntryHistory.of_blob(Entry(host, guest, size, paddr).pack())


def reading(what: EntryHistory, region: bytes, guest: DumpTarget = GUEST, version: str = "7.2") -> QemuReading:
    return QemuReading(what, RegionBytes(region), guest, version)


def test_the_bytes_are_those_of_a_real_guest() -> None:
    entry, reset, note = BLOCKS
    assert entry == (SAMPLES / "good.entry").read_bytes() and Entry.parse(entry) == (0, 1, 4132, 0x19C8000)
    assert reset == RESET
    assert (SAMPLES / "amd64.note").read_bytes().startswith(note)


def test_the_fields_are_at_the_offsets_of_the_page() -> None:
    entry, note = tables("field")
    assert [(row[0], int(row[1]), int(row[2])) for row in entry[:4]] == list(map(tuple, FIELDS))
    real = (SAMPLES / "amd64.note").read_bytes()
    fields = {row[0]: (int(row[1]), int(row[2])) for row in note[:4]}
    for name, value in (("namesz", 11), ("descsz", len(parse_raw(real).desc)), ("type", 0)):  # type: ignore[union-attr]
        at, length = fields[name]
        assert int.from_bytes(real[at : at + length], "little") == value
    at, length = fields["name"]
    assert real[at : at + length] == NAME and real[24:].startswith(b"OSRELEASE=")


def writes_of(words: str) -> EntryHistory:
    """Return the writes of a row."""
    return EntryHistory("writes", () if words == "none" else tuple(map(_write, words.split(", "))))


def _write(words: str) -> Write:
    good = Entry(0, 1, 4132, 0x1000).pack()
    if words == "off":
        return Write(0, 16, Entry(0, 0, 4132, 0x1000).pack())
    if words == "bad source":
        return Write(0, 16, None)
    offset, length = map(int, words.split("+"))
    return Write(offset, length, (good + good)[offset : offset + length])


@pytest.mark.parametrize("row", table("writes since reset"), ids=lambda row: row[0])
def test_writes(row: list[str]) -> None:
    assert writes_of(row[0]).present is (row[1] == "present")


def test_the_note_of_the_table_has_its_length() -> None:
    assert len(NOTE) == 396 and len(TEXT) == 370


@pytest.mark.parametrize("row", table("host_format | guest_format"), ids=lambda row: " ".join(row[:4]))
def test_rules_of_qemu(row: list[str]) -> None:
    """tests/real runs the same rows with a real QEMU."""
    host, guest, size, region, says, appends = row
    seen = reading(history(int(host), int(guest), int(size)), LIES[region])
    assert (warnings(seen) or ("nothing",)) == (says,)
    assert len(seen.appended or b"") == (0 if appends == "nothing" else int(appends))


def test_sizes_of_regions() -> None:
    assert [(int(page), int(size)) for page, size in table("page")] == [
        (page, linux_size(page)) for page in (4096, 16384, 65536)
    ]


@pytest.mark.parametrize("row", table("guest"), ids=lambda row: ", ".join(row[:2]))
def test_byte_orders(row: list[str]) -> None:
    order: ByteOrder = "big" if "big" in row[0] else "little"
    guest = DumpTarget("aarch64", 32 if "32" in row[0] else 64, order)
    note = build(NAME, 0, TEXT, "big" if row[1].startswith("big") else "little").raw
    versions = ("7.2", "10.0")
    for version, said in zip(versions, row[2:], strict=True):
        appended = reading(history(0, 1, 4132), note, guest, version).appended is not None
        assert said == ("appends" if appended else "refuses"), version


@pytest.mark.parametrize("row", table("line"), ids=lambda row: row[0])
def test_phys_base(row: list[str]) -> None:
    text = b"OSRELEASE=6.1.0\n" + row[0].strip("`").encode() + b"\n"
    seen = reading(history(0, 1, 4132), build(NAME, 0, text, "little").raw)
    value, _, words = row[1].partition(", and says ")
    assert seen.phys_base == int(value, 16)
    assert warnings(seen) == ((words.strip("`"),) if words else ())


def test_a_windows_guest() -> None:
    raw = (SAMPLES / "x86_64-windows.note").read_bytes()
    note = parse_raw(raw)
    assert note is not None and note.desc.startswith(b"PAGEDU64") and note.type == 0 and note.name == NAME
    assert len(note.desc) == 8192 and len(note.raw) == 8216 and windows_header(note) is not None
