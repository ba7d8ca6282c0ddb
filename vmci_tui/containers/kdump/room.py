"""Find room for the notes of a kdump file: in the sub-header's blocks, or after the pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.common.errors import SaveError
from vmci_tui.containers.kdump.contents import KdumpContents
from vmci_tui.containers.kdump.flattened_layout import Block, last_record
from vmci_tui.containers.kdump.header import NEWEST, text_of
from vmci_tui.formats.elf_note import Note, align_up
from vmci_tui.formats.header_text import HeaderText
from vmci_tui.formats.kdump_records import KdumpFormat
from vmci_tui.layers.flattened import FlattenedSource

_ALIGN: Final = 16
"""Notes at the end of the file begin at a multiple of this."""
WITH_TEXT: Final = 3
"""The first header version that has a pointer to the text."""
WITH_NOTES: Final = 4
"""The first header version that has a pointer to notes."""
_WITH_ERASEINFO: Final = 5
"""The first version that has a pointer to eraseinfo; but libkdumpfile reads it from version 4 on."""


class NoteRoom(NamedTuple):
    """The offset for the notes, and the new end of the file."""

    at: int
    end: int
    """The bytes after it are dropped: notes that an earlier save put there."""
    blocks: tuple[Block, ...] = ()
    """New bytes for such notes that cannot be cut off."""


def read_length(form: KdumpFormat, version: int) -> int:
    """Return the length of the sub-header that any reader reads in a file of this version."""
    return form.sub_header_length(_WITH_ERASEINFO if version == WITH_NOTES else version)


def eraseinfo(dump: KdumpContents) -> tuple[int, int]:
    """Return offset and length of makedumpfile's list of what it erased; (0, 0) if there is none.

    Version 4 has no such fields, but bytes there that make sense as such count.
    """
    header = dump.header
    if header.version != WITH_NOTES:
        return header.eraseinfo
    length, first = header.form.sub_header_length(WITH_NOTES), header.block_size
    fields = first + length, first + read_length(header.form, WITH_NOTES)
    used = (header.notes, header.vmcoreinfo)
    if any(offset < fields[1] and fields[0] < offset + size for offset, size in used):
        return 0, 0
    sub = header.form.unpack_sub_header(dump.plain.read(first, header.form.sub_header.size), _WITH_ERASEINFO)
    offset, size = sub.offset_eraseinfo, sub.size_eraseinfo
    return (offset, size) if size and fields[1] <= offset <= offset + size <= dump.plain.size else (0, 0)


def form_for(form: KdumpFormat, text: tuple[int, int], version: int, block: int, blocks_end: int) -> KdumpFormat:
    """Return the form that libkdumpfile detects for a 32-bit sub-header with this text."""
    inside = block < text[0] <= sum(text) <= blocks_end
    known = form.bits == 64 or form.padded or version < WITH_TEXT or inside or text == (0, 0)
    return form if known else form._replace(padded=True)


def stay(dump: KdumpContents, notes: tuple[Note, ...], version: int) -> bool:
    """Return whether these are the file's notes at a valid place: outside all fields, in the blocks if they fit."""
    header = dump.header
    area = sum(len(note.raw) for note in notes if not isinstance(note, HeaderText))
    if notes != dump.notes or version != header.version or area != header.notes[1]:
        return False
    text = text_of(notes, dump.note_starts)
    if text is not None and form_for(header.form, text, version, header.block_size, header.bitmaps[0]) != header.form:
        return False
    first = header.block_size + read_length(header.form, version)
    places = list(zip(dump.note_starts, (len(note.raw) for note in notes), strict=True))
    inside = all(start + length <= header.bitmaps[0] for start, length in places)
    return all(start >= first for start, _ in places) and (
        inside or _inside(dump, sum(length for _, length in places)) is None
    )


def room(dump: KdumpContents, area: bytes, flat: FlattenedSource | None) -> NoteRoom:
    """Return the room for this area: in the sub-header's blocks, or at the end. Raises SaveError for a cut file."""
    end, scrubbed = _end(dump, flat)
    at = _inside(dump, len(area))
    if at is not None:
        return NoteRoom(at, end, scrubbed)
    at = align_up(end, _ALIGN)
    if scrubbed and len(area) <= dump.header.sub.size_note:  # the old record has room
        at = dump.header.sub.offset_note
        scrubbed = ((at, area.ljust(dump.header.sub.size_note, b"\0")),)
    elif dump.pages.end > end:
        missing = dump.pages.end - end
        raise SaveError(
            f"the file is cut off: {missing} bytes of pages are missing, and readers would mistake notes for them",
            "copy the dump again, whole",
        )
    return NoteRoom(at, end, scrubbed)


def _spaces(dump: KdumpContents) -> Iterator[tuple[int, int]]:
    """Yield the free ranges of the sub-header's blocks: after all fields of the newest version, without eraseinfo."""
    header = dump.header
    first, last = header.block_size + header.form.sub_header_length(NEWEST), header.bitmaps[0]
    offset, size = eraseinfo(dump)
    if size and first < offset + size and offset < last:
        yield first, max(offset, first)
        first = align_up(offset + size)
    yield first, max(last, first)


def _inside(dump: KdumpContents, length: int) -> int | None:
    """Return the offset for the notes within the blocks of the sub-header; None if they do not fit."""
    spaces = list(_spaces(dump))
    old, old_size = dump.header.notes
    if length and old_size == length and any(first <= old and old + old_size <= last for first, last in spaces):
        return old
    return next((first for first, last in spaces if first + length <= last or not length), None)


def _end(dump: KdumpContents, flat: FlattenedSource | None) -> tuple[int, tuple[Block, ...]]:
    """Return the end of the pages, and zeros for notes that an earlier save put at the end of the file.

    Such notes begin at a multiple of 16 after the pages, end where the file ends, and are whole.
    """
    offset, size = _at_the_end(dump)
    if not size:
        return dump.plain.size, ()
    if flat is not None and not last_record(flat, offset):
        return dump.plain.size, ((offset, bytes(size)),)
    return offset, ()


def _at_the_end(dump: KdumpContents) -> tuple[int, int]:
    """Return offset and length of the notes and text at the end of the file; (0, 0) if there are none."""
    places = [(start, len(note.raw)) for start, note in zip(dump.note_starts, dump.notes, strict=True)]
    if not places or not all(note.whole for note in dump.notes):
        return 0, 0
    offset, stop = places[0][0], sum(places[-1])
    together = sum(length for _, length in places) == stop - offset
    ours = together and offset % _ALIGN == 0 and offset >= dump.pages.end and stop == dump.plain.size
    return (offset, stop - offset) if ours else (0, 0)
