"""Lay a kdump file out with other notes and header fields; only notes and headers are written, memory stays.

Notes go into the blocks of the sub-header where they fit, else to the end of the file, as
makedumpfile does with eraseinfo. Readers follow two pointers to the text (crash and makedumpfile
offset_vmcoreinfo, drgn and libkdumpfile the note): both are set, together. A text that only the
header names (header_text.py) is after the notes. The old notes are zeroed, since crash looks for the text
of a flattened file anywhere in its first bytes.

In a 32-bit file libkdumpfile detects the form of the sub-header by the pointer to the text (diskdump.c,
read_sub_hdr_32): a packed one whose text is outside its blocks becomes padded, and a padded one without
a text keeps an offset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import accumulate
from typing import Final, NamedTuple

from vmci_tui.common.errors import SaveError
from vmci_tui.containers.base import HeaderFields, Layout, LayoutRequest
from vmci_tui.containers.kdump import regions as kdump_parts
from vmci_tui.containers.kdump.contents import KdumpContents
from vmci_tui.containers.kdump.flattened_layout import Block, patched, renewed
from vmci_tui.containers.kdump.header import NEWEST, read_header, text_of
from vmci_tui.containers.kdump.room import WITH_NOTES, WITH_TEXT, NoteRoom, eraseinfo, form_for, read_length, room, stay
from vmci_tui.formats.elf_note import Note, align_up
from vmci_tui.formats.fw_cfg_entry import SIZE_LIMIT
from vmci_tui.formats.header_text import HeaderText, saved_order
from vmci_tui.formats.kdump_records import INCOMPLETE, UTSNAME, KdumpFormat, KdumpSubHeader
from vmci_tui.layers.flattened import FlattenedSource
from vmci_tui.layers.image import Extent, Image, ImageSource, NewBytes, SourceBytes, diff

_PADDED: Final = (
    "the notes go to the end of the file, and the sub-header becomes the padded one, without which drgn misses "
    "them; a crash that is built for i386 expects the packed one"
)
_INCOMPLETE: Final = "the flattened file was cut off: the header's status will say that the dump is incomplete"


class _PlainChange(NamedTuple):
    """The changes of the plain file: replaced blocks, and from `end` on only `tail`."""

    blocks: tuple[Block, ...]
    end: int
    tail: Block | None
    starts: tuple[int, ...]
    """Where each note of the state begins."""
    reasons: tuple[str, ...]


def arrange(dump: KdumpContents, request: LayoutRequest) -> Layout:
    """Return the layout with the requested notes and fields. Raises SaveError if no file can hold them."""
    flat = dump.flat
    notes, fields = tuple(note.packed(note.order) for note in request.notes), request.header
    if flat is None or request.choice.plain:
        if request.in_place and flat is not None:
            raise SaveError("a flattened file cannot be made plain in place", "save a copy of it: -o OUT")
        change = _change(dump, notes, fields, None)
        image = _plain_image(change)
        return kdump_parts.layout(_after(dump, notes, change), image, None, image.size, dump.plain, change.reasons)
    change = _change(dump, notes, fields, flat)
    image, records = patched(flat, change.blocks, change.end, change.tail)
    if not request.in_place and diff(dump.source, image):
        fresh = _change(dump, notes, fields, None)
        made = renewed(flat, _pieces(dump, fresh), dump.header.bitmaps[0], fresh.end, fresh.tail)
        if made is not None:
            change, (image, records) = fresh, made
    return kdump_parts.layout(_after(dump, notes, change), image, records, records.size, None, change.reasons)


def _after(dump: KdumpContents, notes: tuple[Note, ...], change: _PlainChange) -> KdumpContents:
    """Return the saved dump as it would be opened."""
    header = read_header(ImageSource(dump.plain, _plain_image(change)))
    after = replace(dump, header=header, notes=notes, note_starts=change.starts)
    vars(after).update(pages=dump.pages, memory=dump.memory)  # cached: no edit changes them
    return after


def _pieces(dump: KdumpContents, change: _PlainChange) -> tuple[Block, ...]:
    """Return the blocks without the zeros that follow sub-header and notes."""
    (_, head), (block, second) = change.blocks
    least = dump.header.form.sub_header_length(NEWEST)
    size = max(align_up(len(second.rstrip(b"\0"))), least)
    inside = [start for start in change.starts if block <= start < block + len(second)]
    first = min(inside) - block if inside else least
    parts = ((0, head), (block, second[:first]), (block + first, second[first:size]))
    return tuple((offset, data) for offset, data in parts if data)


def _plain_image(change: _PlainChange) -> Image:
    extents: list[Extent] = []
    at = 0
    for offset, data in change.blocks:
        extents += [SourceBytes(at, offset - at), NewBytes(data)]
        at = offset + len(data)
    extents.append(SourceBytes(at, change.end - at))
    if change.tail is not None:
        offset, data = change.tail
        extents.append(NewBytes(bytes(offset - change.end) + data))
    return Image(tuple(extent for extent in extents if extent.length))


def _change(
    dump: KdumpContents, notes: tuple[Note, ...], fields: HeaderFields | None, flat: FlattenedSource | None
) -> _PlainChange:
    header, reasons = dump.header, [_INCOMPLETE] if dump.flat is not None and dump.flat.cut else []
    block, blocks_end = header.block_size, header.bitmaps[0]
    if dump.plain.size < blocks_end:
        raise SaveError("the file is cut off before its bitmaps", "copy the dump again, whole")
    order = saved_order(notes)
    length = sum(len(notes[index].raw) for index in order if not isinstance(notes[index], HeaderText))
    version = header.version
    old_text = text_of(dump.notes, dump.note_starts)
    if length and version < WITH_NOTES:
        version = WITH_NOTES
        reasons.append(f"header version {header.version} has no place for notes: it becomes {version}")
    elif version == WITH_TEXT and old_text is not None and not order:
        version = WITH_NOTES  # libkdumpfile opens no file of version 3 without a text
        reasons.append(f"a file of header version {header.version} is to have a text: it becomes {version}")
    second = bytearray(dump.plain.read(block, blocks_end - block).ljust(blocks_end - block, b"\0"))
    sub, erased = header.sub, eraseinfo(dump)
    stays = stay(dump, notes, version)
    if stays:
        area, there, places = b"", NoteRoom(0, dump.plain.size), dict(enumerate(dump.note_starts))
    else:
        area = b"".join(notes[index].raw for index in order)
        there = room(dump, area, flat)
        places = dict(zip(order, accumulate((len(notes[i].raw) for i in order), initial=there.at), strict=False))
        sub = sub._replace(offset_note=there.at if length else 0, size_note=length)
        _zero(second, block, header.notes, erased)
    text = _text(dump, notes, places)
    if text != header.vmcoreinfo:
        sub = sub._replace(offset_vmcoreinfo=text[0], size_vmcoreinfo=text[1])
        if header.vmcoreinfo[1] <= SIZE_LIMIT:
            _zero(second, block, header.vmcoreinfo, erased)
    if old_text is not None and header.version >= WITH_NOTES and header.vmcoreinfo != old_text:
        reasons.append("offset_vmcoreinfo did not point at the note's text: both pointers are set together")
    if fields is not None:
        sub = sub._replace(phys_base=fields.phys_base)
    form = form_for(header.form, text, version, block, blocks_end)
    if form != header.form:
        reasons.append(_PADDED)
    _put_fields(dump, form, sub, version, second, moved=not stays)
    for index, at in places.items():
        if block <= at < blocks_end:  # also if they stay: a wrong pointer may have pointed into them
            raw = notes[index].raw[: blocks_end - at]
            second[at - block : at - block + len(raw)] = raw
    tail = (there.at, area) if area and there.at >= there.end else None
    starts = tuple(places.get(index, text[0]) for index in range(len(notes)))
    blocks = ((0, _header(dump, version, fields)), (block, bytes(second)))
    return _PlainChange((*blocks, *there.blocks), there.end, tail, starts, tuple(reasons))


def _text(dump: KdumpContents, notes: tuple[Note, ...], places: Mapping[int, int]) -> tuple[int, int]:
    """Return offset and length of the text that the header is to name, also if vmci does not recognise it as text."""
    text = text_of(tuple(notes[index] for index in places), tuple(places.values()))
    if text is not None or text_of(dump.notes, dump.note_starts) is not None:
        return text or (0, 0)
    named, (area, size) = dump.header.vmcoreinfo, dump.header.notes
    for note, start in zip(dump.notes, dump.note_starts, strict=True):
        if (start + note.desc_start, note.descsz) == named and note in notes:
            return places[notes.index(note)] + note.desc_start, note.descsz
    moved = tuple(places.values()) != dump.note_starts
    return (0, 0) if moved and named[0] < area + size and area < sum(named) else named


def _put_fields(
    dump: KdumpContents, form: KdumpFormat, sub: KdumpSubHeader, version: int, second: bytearray, moved: bool
) -> None:
    """Write the sub-header's fields; in the full length that readers read if notes moved or the form changed.

    Raises SaveError if they would overwrite eraseinfo.
    """
    header, (offset, size) = dump.header, eraseinfo(dump)
    if size:
        sub = sub._replace(offset_eraseinfo=offset, size_eraseinfo=size)
    if form.bits == 32 and form.padded and version >= WITH_TEXT and not sub.size_vmcoreinfo:
        sub = sub._replace(offset_vmcoreinfo=header.block_size + form.sub_header.size)
    length = read_length(form, version) if moved else form.sub_header_length(version)
    if (form, version) != (header.form, header.version):
        length = form.sub_header.size
        if size and offset < header.block_size + length and header.block_size < offset + size:
            raise SaveError("eraseinfo is in the space of the padded sub-header", "save it with a shorter text")
        second[:length] = bytes(length)
        length = read_length(form, version)
    second[:length] = form.sub_header.pack(*sub)[:length]


def _zero(second: bytearray, block: int, gone: tuple[int, int], kept: tuple[int, int]) -> None:
    """Zero the range `gone` in the sub-header's blocks, which begin at `block`, except the range `kept`."""
    first, last = max(gone[0] - block, 0), min(sum(gone) - block, len(second))
    for low, high in ((first, min(last, kept[0] - block)), (max(first, sum(kept) - block), last)):
        if low < high:
            second[low:high] = bytes(high - low)


def _header(dump: KdumpContents, version: int, fields: HeaderFields | None) -> bytes:
    """Return block 0's header; unchanged names keep their bytes, also those after the NUL.

    If one is edited, each name gets a NUL: libkdumpfile refuses names that run into each other.
    """
    form, header = dump.header.form, dump.header.header
    head = bytearray(dump.plain.read(0, form.header.size))
    if version != dump.header.version:
        offset, length, _ = form.header.span("header_version")
        head[offset : offset + length] = version.to_bytes(length, form.order)
    if dump.flat is not None and dump.flat.cut:
        offset, length, _ = form.header.span("status")
        head[offset : offset + length] = (header.status | INCOMPLETE).to_bytes(length, form.order)
    if fields is not None:
        for name, old, new in zip(UTSNAME, header.utsname, fields.utsname, strict=True):
            offset, length, _ = form.header.span(f"utsname.{name}")
            if old != new or (fields.utsname != header.utsname and head[offset + length - 1]):
                head[offset : offset + length] = new[: length - 1].ljust(length, b"\0")
    return bytes(head)
