"""Every header version and form of the sub-header, saved in every way, read as libkdumpfile reads it (diskdump.c).

All other contents are kept: the text that only the header names, CPU notes, eraseinfo, page frame numbers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from itertools import product
from typing import Final, NamedTuple

import pytest

from tests.dumps import factory as elf_factory
from tests.dumps import kdump_factory as factory
from tests.dumps.records import KDUMP_HEADER, KDUMP_SUB, SINCE, Bits, Order, Padding
from tests.kit import become, opened
from vmci_tui.common.errors import EditError
from vmci_tui.containers import open_dump
from vmci_tui.containers.kdump.dump import KdumpDump
from vmci_tui.document import edit_headers, edit_notes, edit_text
from vmci_tui.document.byte_map import Places
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.document.state import State
from vmci_tui.findings.judgement import Judgement
from vmci_tui.formats.elf_note import Note, build, parse_notes
from vmci_tui.formats.header_text import HeaderText
from vmci_tui.layers.file import BytesSource
from vmci_tui.repair.safe_fixes import repair

_TEXT: Final = elf_factory.TEXT_64
_LONG: Final = _TEXT + b"KEY(of.a.long.name)=1\n" * 300
_ERASED: Final = b"erase cred.uid\n"
_FORMS: Final[list[tuple[Bits, Order, Padding]]] = [
    (64, "little", "packed"), (64, "big", "packed"), (32, "little", "packed"), (32, "big", "packed"),
    (32, "little", "padded"), (32, "big", "padded"),
]  # fmt: skip
_BLOCK: Final = 4096


def _set(state: State) -> State:
    return edit_text.set_key(state, b"OSRELEASE", b"6.1.0-next")


def _append(state: State) -> State:
    return edit_notes.append_text(state, _LONG, state.notes[0].order if state.notes else "little")


def _grow(state: State) -> State:
    return edit_text.set_text(state, _LONG)


def _strip(state: State) -> State:
    return edit_notes.strip(state)


def _phys_base(state: State) -> State:
    return edit_headers.set_phys_base(state, 0x200000)


def _order(state: State) -> State:
    return edit_headers.order_headers(state)


_WAYS: Final[dict[Callable[[State], State], Callable[[bytes], bytes]]] = {
    _set: lambda text: text.replace(b"6.1.0-test", b"6.1.0-next"),
    _append: lambda _: _LONG,
    _grow: lambda _: _LONG,
    _strip: lambda _: b"",
    _phys_base: lambda text: text,
    _order: lambda text: text,
}
"""The edits, each with the text that it makes."""


class _Read(NamedTuple):
    """The parts of a file that libkdumpfile reads."""

    version: int
    padding: Padding
    text: bytes
    pointed: bytes
    """The text that offset_vmcoreinfo names, which crash and makedumpfile read."""
    notes: tuple[Note, ...]
    erased: bytes
    rest: tuple[int, ...]
    """split, the page frame numbers, max_mapnr_64."""
    first: int
    """Offset of the first note or text, counted from the sub-header."""


def _read(plain: bytes, bits: Bits, order: Order) -> _Read:
    header = KDUMP_HEADER[bits].unpack(order, plain)
    version, payload = header["version"], (1 + header["sub_hdr_size"]) * _BLOCK

    def get(name: str, padding: Padding, since: int | None = None) -> int:
        there = version >= (since or SINCE[name])
        return KDUMP_SUB[bits, padding].unpack(order, plain, _BLOCK)[name] if there else 0

    at, size = get("offset_vmcoreinfo", "packed"), get("size_vmcoreinfo", "packed")
    packed = bits == 64 or version < 3 or (at, size) == (0, 0) or _BLOCK < at <= at + size <= payload
    form: Padding = "packed" if packed else "padded"

    def piece(name: str, since: int | None = None) -> bytes:
        start = get(f"offset_{name}", form, since)
        found = plain[start : start + get(f"size_{name}", form, since)]
        assert len(found) == get(f"size_{name}", form, since), name
        return found

    notes = parse_notes(piece("note"), order)
    pointed = piece("vmcoreinfo")
    text = next((note.desc for note in reversed(notes) if note.is_vmcoreinfo), b"") if version > 3 else pointed
    rest = ("split", "start_pfn", "end_pfn", "start_pfn_64", "end_pfn_64", "max_mapnr_64")
    starts = [get(f"offset_{name}", form) for name in ("note", "vmcoreinfo") if get(f"size_{name}", form)]
    return _Read(
        version, form, text, pointed, notes, piece("eraseinfo", 4), tuple(get(name, form) for name in rest),
        min(starts, default=_BLOCK) - _BLOCK,
    )  # fmt: skip


def _kdump(data: bytes) -> KdumpDump:
    dump = open_dump(BytesSource(data))
    assert isinstance(dump, KdumpDump)
    return dump


def _plain(data: bytes) -> bytes:
    plain = _kdump(data).plain
    return plain.read(0, plain.size)


def _result(document: Document, in_place: bool) -> bytes:
    assert document.dump is not None
    layout = document.dump.layout(document.state.of_dump._replace(in_place=in_place))
    return layout.image.read(layout.base or document.source, 0, layout.image.size)


def _file(version: int, bits: Bits, order: Order, padding: Padding, named: bool) -> bytes:
    """One part of a split dump; CPU notes from version 4 on, the text in a note or `named` by the header alone."""
    named = named or version == 3
    part = (1, 41) if version >= 2 else None
    notes = [elf_factory.cpus(order=order), *([] if named else [elf_factory.note(_TEXT, order=order)])]
    return factory.kdump(
        None, notes if version >= 4 else [], bits, order, padding, version,
        part=part, named=_TEXT if named and version >= 3 else b"", erased=_ERASED if version >= 5 else b"",
    )  # fmt: skip


def _memory(data: bytes) -> list[tuple[int, bytes]]:
    dump = _kdump(data)
    return [(item.paddr, dump.pages.read(item.offset or 0, item.length)) for item in dump.guest_memory.ranges]


@pytest.mark.parametrize("flat", [False, True], ids=["plain", "flat"])
@pytest.mark.parametrize("version", range(7))
@pytest.mark.parametrize(("bits", "order", "padding"), _FORMS)
def test_a_save_keeps_all_other_contents(bits: Bits, order: Order, padding: Padding, version: int, flat: bool) -> None:
    for named, in_place, (edit, changed) in product((False, True), (False, True), _WAYS.items()):
        plain = _file(version, bits, order, padding, named)
        before = _read(plain, bits, order)
        document = opened(factory.flattened(plain, (464, 4096, 4200, 8192)) if flat else plain)
        if edit in (_set, _grow, _strip) and not before.pointed:
            continue
        what = (named, in_place, edit.__name__)
        document.edit(become(edit(document.state)))
        data = _result(document, in_place)
        after = _read(_plain(data), bits, order)
        assert after.pointed == (text := changed(before.pointed)), what
        assert after.text == (text if before.text or edit is _append else b""), what
        cpus = [note for note in after.notes if not note.is_vmcoreinfo]
        assert cpus == [note for note in before.notes if not note.is_vmcoreinfo], what
        assert (after.erased, after.rest) == (before.erased, before.rest), what
        raised = edit is _append or (edit is _strip and version == 3)  # of version 3 libkdumpfile wants a text
        assert after.version == (max(version, 4) if raised else version), what
        if version >= 3:
            assert after.padding == ("padded" if edit in (_append, _grow) and bits == 32 else before.padding), what
            assert _kdump(data).header.form.padded == (after.padding == "padded"), what
        assert after.first in (0, *range(KDUMP_SUB[bits, after.padding].size, len(data))), what
        assert _memory(data) == _memory(plain) and _kdump(data).doubts == (), what
        assert _result(opened(data), in_place) == data, "saved once more it is the same"


@pytest.mark.parametrize("version", range(3, 7))
def test_a_text_that_only_the_header_names_is_read_and_edited(version: int) -> None:
    document = opened(_file(version, 64, "little", "packed", True))
    text = document.state.note
    assert isinstance(text, HeaderText) and text.desc == _TEXT and document.state.index == (0 if version == 3 else 2)
    found = [item.code for item in Judgement.of(document).found]
    assert "N01" not in found and "N12" not in found and ("C20" in found) == (version > 3)
    index = document.state.notes.index(text)
    place = Places(document).at(document.layout.note_offsets[index] + _TEXT.index(b"PAGESIZE"))
    assert (place.label, document.read(place.offset, 8)) == ("key PAGESIZE", b"PAGESIZE")
    for refused in (edit_notes.duplicate_note, lambda state, at: edit_notes.move_note(state, at, -1)):
        if version > 3 or refused is edit_notes.duplicate_note:
            with pytest.raises(EditError):
                refused(document.state, index)
    typed = edit_notes.overwrite_note(document.state, index, _TEXT.replace(b"OSRELEASE", b"OSRELEASX"), "little")
    assert document.edit(become(typed)) and isinstance(document.state.note, HeaderText)
    assert document.edit(Edit.of(edit_text.set_text, b"\n"))
    note = document.state.note
    assert type(note) is Note and note.is_vmcoreinfo, "of what nobody would know for a text a note is made"
    assert _kdump(_result(document, False)).notes[-1] == note


def test_repair_makes_a_note_of_the_headers_text() -> None:
    for version in range(3, 7):
        document = opened(_file(version, 64, "little", "packed", True))
        done = repair(document)
        after = _read(_result(document, False), 64, "little")
        assert after.text == after.pointed == _TEXT and len(after.notes) == (0 if version == 3 else 3)
        assert ("C20" in {step.code for step in done.steps}) == (version > 3)


def test_a_text_is_dropped_only_if_memory_contradicts_it() -> None:
    other = _TEXT.replace(b"6.1.0", b"9.9.9")
    document = opened(factory.kdump(named=other))
    (finding,) = (item for item in Judgement.of(document).found if item.code == "C20")
    assert "another text" in finding.message and finding.fix is not None and finding.severity == "error"
    done = repair(document)
    after = _read(_result(document, False), 64, "little")
    assert (after.text, after.pointed) == (_TEXT, other) and any("another text" in words for words in done.left)
    document.edit(finding.fix)
    after = _read(_result(document, False), 64, "little")
    assert (after.text, after.pointed) == (_TEXT, _TEXT)
    same = opened(factory.kdump(named=other))
    assert same.state.note is not None
    same.edit(Edit.of(edit_text.set_text, other))
    for data in (_result(same, False), _result(same, True)):
        after = _read(data, 64, "little")
        assert (after.text, after.pointed, data.count(b"9.9.9")) == (other, other, 1)


def test_notes_of_version_4_are_after_the_fields_that_libkdumpfile_reads() -> None:
    """makedumpfile of that time put them directly after size_note."""
    notes = elf_factory.cpus() + elf_factory.note(_TEXT)
    data = bytearray(factory.kdump(notes=[], version=4))
    fields = {"offset_note": _BLOCK + 64, "size_note": len(notes)}
    start = 64 + notes.index(b"OSRELEASE")
    fields |= {"offset_vmcoreinfo": _BLOCK + start, "size_vmcoreinfo": len(_TEXT)}
    for name, value in fields.items():
        KDUMP_SUB[64, "packed"].put("little", data, name, value, _BLOCK)
    data[_BLOCK + 64 : _BLOCK + 64 + len(notes)] = notes
    document = opened(bytes(data))
    document.edit(become(_phys_base(document.state)))
    for in_place in (False, True):
        after = _read(_result(document, in_place), 64, "little")
        assert (after.text, after.pointed, after.erased, after.first) == (_TEXT, _TEXT, b"", 104)


def test_possible_eraseinfo_of_version_4_is_kept() -> None:
    data = bytearray(factory.kdump(version=4))
    at = data.index(bytes(64), _BLOCK + 1000)
    struct.pack_into("<QQ", data, _BLOCK + 64, at, len(_ERASED))
    data[at : at + len(_ERASED)] = _ERASED
    for edit in _WAYS:
        document = opened(bytes(data))
        document.edit(become(edit(document.state)))
        assert _read(_result(document, False), 64, "little").erased == _ERASED, edit


def test_a_pointer_to_other_bytes_is_kept_with_the_bytes() -> None:
    data = factory.kdump(notes=[elf_factory.cpus()], named=bytes(range(128, 228)))
    document = opened(data)
    assert document.state.note is None and "C20" in {item.code for item in Judgement.of(document).found}
    document.edit(become(_phys_base(document.state)))
    assert _read(_result(document, False), 64, "little").pointed == bytes(range(128, 228))


def test_a_wrong_pointer_into_the_notes_changes_no_note() -> None:
    for at, size in ((10, 500), (300, 1 << 31), (0, 4)):
        data = factory.kdump(sub={"offset_vmcoreinfo": _BLOCK + 104 + at, "size_vmcoreinfo": size})
        document = opened(data)
        document.edit(become(_phys_base(document.state)))
        for in_place in (False, True):
            after = _kdump(_result(document, in_place))
            assert after.notes == document.opened.notes and after.plain.read(*after.header.vmcoreinfo) == _TEXT


def test_the_pointer_follows_a_note_of_another_name() -> None:
    notes = elf_factory.cpus() + build(b"VMCOREINFX\0", 0, _TEXT, "little").raw
    named = {"offset_vmcoreinfo": _BLOCK + 104 + notes.index(_TEXT), "size_vmcoreinfo": len(_TEXT)}
    document = opened(factory.kdump(notes=[notes], sub=named))
    document.edit(Edit.of(edit_notes.drop_note, 0))
    assert _read(_result(document, False), 64, "little").pointed == _TEXT
    document.edit(Edit.of(edit_notes.drop_note, 1))
    assert _read(_result(document, False), 64, "little").pointed == b""


def test_notes_use_the_room_after_eraseinfo() -> None:
    data = bytearray(factory.kdump(notes=[], sub={"offset_eraseinfo": _BLOCK + 104, "size_eraseinfo": len(_ERASED)}))
    data[_BLOCK + 104 : _BLOCK + 104 + len(_ERASED)] = _ERASED
    document = opened(bytes(data))
    document.edit(Edit.of(edit_notes.append_text, _TEXT, "little"))
    after = _read(_result(document, False), 64, "little")
    assert (after.erased, after.text, after.first) == (_ERASED, _TEXT, 120)


@pytest.mark.parametrize("flat", [False, True], ids=["plain", "flat"])
def test_a_text_at_the_end_of_the_file_is_replaced_and_not_added_to(flat: bool) -> None:
    for version in (3, 5):
        for in_place in (False, True):
            data = _file(version, 64, "little", "packed", True)
            data = factory.flattened(data, (464, 4096, 4200, 8192)) if flat else data
            sizes = set()
            for turn in range(3):
                document = opened(data)
                document.edit(Edit.of(edit_text.set_text, _LONG + b"TURN=%d\n" % turn))
                data = _result(document, in_place)
                sizes.add(len(data))
                assert data.count(b"OSRELEASE=") == 1 and _read(_plain(data), 64, "little").pointed.count(b"TURN=") == 1
            assert len(sizes) == 1
