"""How a kdump file would lie with other notes and header fields: at the cost of the notes, memory stays.

Notes go into the blocks of the sub-header where they fit, else to the end of the file, as
makedumpfile does with eraseinfo. Readers follow two pointers to the text (crash and makedumpfile
offset_vmcoreinfo, drgn and libkdumpfile the note): both are set, together. What the old notes'
place held is zeroed, since crash looks for the text of a flattened file anywhere in its head.

A 32-bit file whose notes lie at its end gets the padded sub-header: libkdumpfile takes a packed one
for padded where the notes do not lie between headers and pages (diskdump.c, read_sub_hdr_32).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from vmci_tui.core.containers import kdump_parts
from vmci_tui.core.containers.base import UTSNAME, HeaderFields, Layout
from vmci_tui.core.containers.flattened import FlattenedSource
from vmci_tui.core.containers.kdump_flat import Block, last_record, patched, renewed
from vmci_tui.core.containers.kdump_format import header_fields
from vmci_tui.core.containers.kdump_head import NEWEST, read_header, text_of
from vmci_tui.core.errors import SaveError
from vmci_tui.core.image import Copy, Extent, Image, ImageSource, Literal, diff
from vmci_tui.core.note import Note, up

if TYPE_CHECKING:
    from vmci_tui.core.containers.kdump import KdumpDump

_ALIGN: Final = 16
"""Notes at the end of the file begin at a multiple of this."""
_WITH_NOTES: Final = 4
"""The first header version that has a pointer to notes."""
_PADDED: Final = (
    "the notes go to the end of the file, and the sub-header becomes the padded one, without which drgn misses "
    "them; a crash that is built for i386 expects the packed one"
)


class _Change(NamedTuple):
    """What the plain file gets: blocks in place of others, and from `end` on nothing but `tail`."""

    blocks: tuple[Block, ...]
    end: int
    tail: Block | None
    starts: tuple[int, ...]
    """Where each note of the state begins."""
    reasons: tuple[str, ...]


def arrange(
    dump: KdumpDump, notes: tuple[Note, ...], fields: HeaderFields | None, in_place: bool, plain: bool
) -> Layout:
    """The layout with these notes and fields. Raises SaveError where no file can hold them."""
    flat = dump.plain if isinstance(dump.plain, FlattenedSource) else None
    notes = tuple(note.packed(note.order) for note in notes)
    if flat is None or plain:
        if in_place and flat is not None:
            raise SaveError("a flattened file cannot be made plain in place", "save a copy of it: -o OUT")
        change = _change(dump, notes, fields, None)
        image = _plain_image(change)
        return kdump_parts.layout(_after(dump, notes, change), image, None, image.size, dump.plain, change.reasons)
    change = _change(dump, notes, fields, flat)
    image, records = patched(flat, change.blocks, change.end, change.tail)
    if not in_place and diff(dump.source, image):
        fresh = _change(dump, notes, fields, None)
        made = renewed(flat, _pieces(dump, fresh), dump.header.bitmaps[0], fresh.end, fresh.tail)
        if made is not None:
            change, (image, records) = fresh, made
    return kdump_parts.layout(_after(dump, notes, change), image, records, records.size, None, change.reasons)


def _after(dump: KdumpDump, notes: tuple[Note, ...], change: _Change) -> KdumpDump:
    """The dump as it would be opened."""
    header = read_header(ImageSource(dump.plain, _plain_image(change)))
    after = replace(dump, header=header, notes=notes, note_starts=change.starts)
    vars(after).update(pages=dump.pages, memory=dump.memory)  # cached: what is edited changes neither
    return after


def _pieces(dump: KdumpDump, change: _Change) -> tuple[Block, ...]:
    """The blocks without the zeros that follow sub-header and notes."""
    (_, head), (block, second) = change.blocks
    least = dump.header.form.sub_header_length(NEWEST)
    size = max(up(len(second.rstrip(b"\0"))), least)
    first = change.starts[0] - block if change.starts and change.starts[0] < block + len(second) else least
    parts = ((0, head), (block, second[:first]), (block + first, second[first:size]))
    return tuple((offset, data) for offset, data in parts if data)


def _plain_image(change: _Change) -> Image:
    extents: list[Extent] = []
    at = 0
    for offset, data in change.blocks:
        extents += [Copy(at, offset - at), Literal(data)]
        at = offset + len(data)
    extents.append(Copy(at, change.end - at))
    if change.tail is not None:
        offset, data = change.tail
        extents.append(Literal(bytes(offset - change.end) + data))
    return Image(tuple(extent for extent in extents if extent.length))


def _change(
    dump: KdumpDump, notes: tuple[Note, ...], fields: HeaderFields | None, flat: FlattenedSource | None
) -> _Change:
    header, reasons = dump.header, []
    order = sorted(range(len(notes)), key=lambda index: not notes[index].whole)
    area = b"".join(notes[index].raw for index in order)
    version = header.version
    if area and version < _WITH_NOTES:
        version = _WITH_NOTES
        reasons.append(f"header version {header.version} has no place for notes: it becomes {version}")
    block, blocks_end = header.block_size, header.bitmaps[0]
    if dump.plain.size < blocks_end:
        raise SaveError("the file is cut off before its bitmaps", "copy the dump again, whole")
    end, scrubbed = _end(dump, flat)
    form, at = header.form, _inside(dump, version, area)
    if at is None:
        at = up(end, _ALIGN)
        if scrubbed and len(area) <= header.sub.size_note:  # the record that is not the last has room
            at = header.sub.offset_note
            scrubbed = ((at, area.ljust(header.sub.size_note, b"\0")),)
        elif dump.pages.end > end:
            missing = dump.pages.end - end
            raise SaveError(
                f"the file is cut off: {missing} bytes of pages are missing, for which notes would be taken",
                "copy the dump again, whole",
            )
        if form.bits == 32 and not form.padded:
            form = form._replace(padded=True)
            reasons.append(_PADDED)
    starts, place = [0] * len(notes), at
    for index in order:
        starts[index] = place
        place += len(notes[index].raw)
    text = text_of(notes, tuple(starts))
    old_text = text_of(dump.notes, dump.note_starts)
    if old_text is not None and header.version >= _WITH_NOTES and header.vmcoreinfo != old_text:
        reasons.append("offset_vmcoreinfo pointed elsewhere than the note's text: both pointers are set together")
    sub = header.sub._replace(offset_note=at if area else 0, size_note=len(area))
    if text is not None or old_text is not None:
        offset, size = text or (0, 0)
        sub = sub._replace(offset_vmcoreinfo=offset, size_vmcoreinfo=size)
    if fields is not None:
        sub = sub._replace(phys_base=fields.phys_base)
    second = bytearray(dump.plain.read(block, blocks_end - block).ljust(blocks_end - block, b"\0"))
    _scrub(dump, second)
    length = form.sub_header_length(version)
    second[:length] = form.sub_header.pack(*sub)[:length]
    blocks = [(0, _header(dump, version, fields)), (block, bytes(second))]
    tail = None
    if block <= at < blocks_end:
        second[at - block : at - block + len(area)] = area
        blocks[1] = block, bytes(second)
    elif area and at >= end:
        tail = at, area
    return _Change((*blocks, *scrubbed), end, tail, tuple(starts), tuple(reasons))


def _inside(dump: KdumpDump, version: int, area: bytes) -> int | None:
    """Where the notes go within the blocks of the sub-header; None where they do not fit."""
    header = dump.header
    first = header.block_size + header.form.sub_header_length(version)
    last = header.bitmaps[0]
    offset, size = header.eraseinfo
    if size and first < offset + size and offset < last:
        last = max(offset, first)
    old, old_size = header.notes
    if old_size == len(area) and first <= old and old + old_size <= last:
        return old
    return first if not area or first + len(area) <= last else None


def _end(dump: KdumpDump, flat: FlattenedSource | None) -> tuple[int, tuple[Block, ...]]:
    """Where the pages end, and what is zeroed beyond: notes that an earlier save put to the end of the file.

    They are known by this: they begin at a multiple of 16 behind the pages, end where the file ends,
    and are whole.
    """
    offset, size = dump.header.notes
    end = dump.plain.size
    ours = size and offset % _ALIGN == 0 and offset >= dump.pages.end and offset + size == end
    if not ours or not dump.notes or not all(note.whole for note in dump.notes):
        return end, ()
    if flat is not None and not last_record(flat, offset):
        return end, ((offset, bytes(size)),)
    return offset, ()


def _scrub(dump: KdumpDump, second: bytearray) -> None:
    """Zero the old notes and the old text in the blocks of the sub-header; eraseinfo stays."""
    block = dump.header.block_size
    kept, kept_size = dump.header.eraseinfo
    for offset, size in (dump.header.notes, dump.header.vmcoreinfo):
        first, last = max(offset - block, 0), min(offset + size - block, len(second))
        if kept_size and kept - block < last and kept + kept_size - block > first:
            last = max(kept - block, first)
        if first < last:
            second[first:last] = bytes(last - first)


def _header(dump: KdumpDump, version: int, fields: HeaderFields | None) -> bytes:
    """Block 0's header; names that are as they were stay to the byte, with what follows their NUL."""
    form, header = dump.header.form, dump.header.header
    head = bytearray(dump.plain.read(0, form.header.size))
    places = {name: (offset, length) for name, offset, length in header_fields(form.bits)}
    if version != dump.header.version:
        offset, length = places["header_version"]
        head[offset : offset + length] = version.to_bytes(length, form.order)
    if fields is not None:
        for name, old, new in zip(UTSNAME, header.utsname, fields.utsname, strict=True):
            if old != new:
                offset, length = places[f"utsname.{name}"]
                head[offset : offset + length] = new.ljust(length, b"\0")
    return bytes(head)
