"""Test the entry's region in the dump's memory, and its comparison with the dump's note."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import strategies as st

from tests.dumps.factory import TEXT_64, Load, cpus, elf, note, ram
from tests.dumps.records import Order
from tests.kit import full_write, opened
from tests.opened_files import open_document
from tests.properties import given
from vmci_tui.containers.guest import raw_guest
from vmci_tui.document import edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.formats.elf_note import parse_raw
from vmci_tui.formats.fw_cfg_entry import RESET, Entry, EntryHistory
from vmci_tui.layers.file import BytesSource
from vmci_tui.search.entry_region import RegionView, object_at, region_lines, region_of

_PADDR = 0x1000
_WINDOWS = note(b"PAGEDU64" + bytes(100))


def _seen(
    region: bytes,
    *notes: bytes,
    size: int = 4132,
    paddr: int = _PADDR,
    memory: int = 8192,
    order: Order = "little",
    memsz: int | None = None,
) -> RegionView:
    history = EntryHistory("blob", (full_write(Entry(0, 1, size, paddr).pack()),))
    load = Load(_PADDR, region.ljust(memory, b"\0")[:memory], memsz)
    machine = 62 if order == "little" else 22
    area = cpus(order=order) + b"".join(notes)
    seen = region_of(opened(elf((area,), (load,), order=order, machine=machine), history))
    assert seen is not None and seen.why.isprintable()
    return seen


def test_the_note_that_was_appended() -> None:
    seen = _seen(note(), note())
    assert (seen.found.kind, seen.same, seen.first, seen.bytes_differ) == ("note", True, None, 0)
    assert "exactly" in seen.why and seen.remarks == ()
    assert list(region_lines(seen)) == [seen.why]


def test_a_header_in_the_guests_own_order_is_no_difference() -> None:
    seen = _seen(note(), note(order="big"), order="big")
    assert seen.same and len(seen.remarks) == 1 and "byte order of the header" in seen.why


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        (b"6.1.0-test", b"5.9.9-test", "another kernel"),
        (b"KERNELOFFSET=1000000", b"KERNELOFFSET=2000000", "another boot"),
        (b"KERNELOFFSET=1000000\n", b"KERNELOFFSET=1000000\nCRASHTIME=1763900000\n", "panicked"),
        (b"SIZE(list_head)=16", b"SIZE(list_head)=17", "was edited"),
        (b"KERNELOFFSET=1000000\n", b"KERNELOFFSET=1000000", "another form"),
    ],
)
def test_meanings_of_a_difference(old: bytes, new: bytes, word: str) -> None:
    seen = _seen(note(TEXT_64.replace(old, new)), note())
    assert seen.same is False and word in seen.why and seen.difference is not None
    assert seen.difference.keys or word == "another form"


def test_the_first_byte_that_differs_counts_from_the_note() -> None:
    changed = TEXT_64.replace(b"6.1.0-test", b"6.1.9-text")
    seen = _seen(note(changed), note())
    assert seen.bytes_differ == 2 and seen.first is not None
    assert note(changed)[seen.first] == ord("9") and note()[seen.first] == ord("0")
    # What only pads, and may be anything, is not compared.
    assert _seen(note(TEXT_64 + b"A=1\n", pad=b"!"), note(TEXT_64 + b"A=1\n")).same


def test_name_and_type_are_compared() -> None:
    seen = _seen(note(kind=5), note())
    assert seen.same is False and seen.first is None and "type is 0x5 in the region" in seen.remarks[0]


def test_a_text_without_a_note_header_is_recognised() -> None:
    seen = _seen(TEXT_64, note())
    assert (seen.found.kind, seen.same) == ("text", True) and "without a note header" in seen.why
    candidate = seen.found.candidate
    assert candidate is not None and candidate.kind == "text" and candidate.text == TEXT_64
    other = _seen(TEXT_64[:-1] + b"junk without an end", note())
    assert other.found.candidate is not None and other.found.candidate.text.endswith(b"\n")
    assert other.same is False and other.first is not None and other.first < len(TEXT_64)


def test_neither_a_note_nor_a_text() -> None:
    assert _seen(b"", note()).found.kind == "zeros"
    garbage = _seen(ram(4096), note())
    assert garbage.found.kind == "other" and ram(4096)[:12].hex(" ") in garbage.why
    assert _seen(note(name=b"FOO\0"), note()).found.kind == "other"
    assert all(_seen(data).same is None for data in (b"", note(), TEXT_64, ram(64)))


def test_a_windows_header_is_compared_with_that_of_the_dump() -> None:
    seen = _seen(_WINDOWS, _WINDOWS, size=len(_WINDOWS))
    assert (seen.found.kind, seen.same, seen.difference) == ("windows", True, None)
    changed = _seen(_WINDOWS[:-1] + b"!", _WINDOWS)
    assert changed.same is False and changed.difference is None and changed.first == len(_WINDOWS) - 1
    # A Linux note in one, a Windows header in the other.
    assert _seen(_WINDOWS, note()).same is False and _seen(note(), _WINDOWS).same is False


@pytest.mark.parametrize("paddr", [0, 0x3000, 1 << 40, (1 << 64) - 1])
def test_a_region_outside_the_dump(paddr: int) -> None:
    seen = _seen(note(), note(), paddr=paddr)
    assert (seen.found.kind, seen.found.bytes_in_file, seen.same) == ("outside", 0, None)


def test_memory_that_the_file_lacks_is_not_zeros() -> None:
    assert _seen(note(), note(), paddr=0x4000, memsz=1 << 20).found.kind == "outside"


def test_a_note_of_which_the_dump_has_a_part() -> None:
    cut = _seen(note(), note(), memory=200)
    assert (cut.found.kind, cut.same) == ("cut", True) and "matches the dump's note" in cut.why
    other = _seen(note(TEXT_64.replace(b"6.1.0", b"6.1.1")), note(), memory=200)
    assert other.same is False and other.first is not None and str(other.first) in other.why
    # The region's end is missing, the note is whole.
    assert "not in the dump" in (whole := _seen(note(), note(), memory=1024)).why and whole.same


@pytest.mark.parametrize("size", [0, 11, 12, 23, 1 << 20, (1 << 32) - 1])
def test_a_wrong_size_hides_no_note(size: int) -> None:
    assert _seen(note(), note(), size=size).same


def test_an_entry_that_points_nowhere() -> None:
    assert region_of(opened(elf())) is None
    assert region_of(opened(elf(), EntryHistory.of_blob(RESET))) is None


def test_an_edit_of_the_note_is_a_difference() -> None:
    history = EntryHistory("blob", (full_write(Entry(0, 1, 4132, _PADDR).pack()),))
    document = opened(elf((cpus() + note(),), (Load(_PADDR, note().ljust(8192, b"\0")),)), history)
    document.edit(Edit.of(edit_text.set_key, b"PAGESIZE", b"8192"))
    seen = region_of(document)
    assert seen is not None and seen.same is False
    assert any("PAGESIZE: changed" in line for line in region_lines(seen))


@pytest.mark.parametrize(
    ("dump", "blob", "kind", "same"),
    [
        ("amd64-cut-note.elf", "good.entry", "note", True),
        ("amd64-cut-nonote.elf", "good.entry", "note", None),
        ("x86_64-window.elf", "x86_64-window.entry", "note", True),
        ("x86_64-windows.elf", "x86_64-windows.entry", "windows", True),
        ("x86_64-beyond-ram.elf", "x86_64-beyond-ram.entry", "outside", None),
        ("aarch64-be-linux.elf", "aarch64-be-linux.entry", "note", True),
    ],
)
def test_real_dumps(sample: Callable[[str], str], dump: str, blob: str, kind: str, same: bool | None) -> None:
    document: Document = open_document(sample(dump), sample(blob))
    seen = region_of(document)
    assert seen is not None and (seen.found.kind, seen.same) == (kind, same)


@given(st.binary(max_size=300), st.integers(0, 1 << 32), st.booleans())
def test_any_bytes_are_described(data: bytes, size: int, headed: bool) -> None:
    data = note()[:24] + data if headed else data
    found = object_at(raw_guest(BytesSource(data), _PADDR), _PADDR, size)
    assert found.bytes_in_file <= len(data) and (found.kind != "outside" or not data)
    if found.candidate is not None and found.kind == "note":
        assert parse_raw(found.candidate.raw) is not None
