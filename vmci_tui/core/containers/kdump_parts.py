"""The parts of a kdump file and where they lie in it, for the hex view and for messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from vmci_tui.core.containers.base import Layout, Region
from vmci_tui.core.containers.flattened import HEADER_SIZE, RECORD, FlattenedSource
from vmci_tui.core.containers.kdump_format import PAGE_DESCRIPTOR, header_fields, sub_header_fields
from vmci_tui.core.image import Image

if TYPE_CHECKING:
    from vmci_tui.core.containers.kdump import KdumpDump


PIECE_LIMIT: Final = 1 << 15
"""Records of a flattened file that are shown one by one; of more, only those with the headers and notes are."""
_PAGE_FIELDS: Final = (("offset", 0, 8), ("size", 8, 4), ("flags", 12, 4), ("page_flags", 16, 8))
_RECORD_FIELDS: Final = (("offset", 0, 8), ("size", 8, 8))
_FLAT_FIELDS: Final = (("signature", 0, 16), ("type", 16, 8), ("version", 24, 8))


def as_it_is(dump: KdumpDump) -> Layout:
    """The file as it lies on disk; offsets are those of the file, also where it is flattened."""
    regions, offsets = list(_regions(dump)), dump.note_starts
    if isinstance(dump.plain, FlattenedSource):
        flat = dump.plain
        regions = list(_in_records(flat, regions))
        offsets = tuple(_place(flat, start) for start in dump.note_starts)
    image = Image.of(dump.source.size)
    return Layout(image, dump.notes, offsets, dump.memory, disjoint(regions, image.size), bits=dump.bits)


def _regions(dump: KdumpDump) -> Iterator[Region]:
    """The parts of the plain file."""
    header, form = dump.header, dump.header.form
    yield Region(0, form.header.size, "header", "kdump header", header_fields(form.bits))
    length = form.sub_header_length(header.version)
    yield Region(header.block_size, length, "header", "kdump sub-header", sub_header_fields(form))
    for index, (start, note) in enumerate(zip(dump.note_starts, dump.notes, strict=True)):
        yield Region(start, len(note.raw), "note", f"note {index}")
    if header.eraseinfo[1]:
        yield Region(*header.eraseinfo, "other", "eraseinfo: what makedumpfile erased")
    start, length = header.bitmaps
    used, used_length = header.bitmap
    yield Region(start, used - start, "other", "bitmap of the machine's pages")
    yield Region(used, used_length, "other", "bitmap of the pages in this file")
    first, last = header.pfns
    table = PAGE_DESCRIPTOR * (dump.pages.bitmap.rank(last) if first < last else 0)
    yield Region(header.descriptors, table, "segments", "page descriptor", _PAGE_FIELDS, PAGE_DESCRIPTOR)
    data = header.descriptors + table
    yield Region(data, max(dump.plain.size - data, 0), "other", "pages of memory, compressed")


def _place(flat: FlattenedSource, offset: int) -> int:
    """Where a byte of the plain file lies; one that no record holds lies behind them all."""
    found = flat.file_offset(offset)
    return flat.file.size if found is None else found


def _in_records(flat: FlattenedSource, regions: list[Region]) -> Iterator[Region]:
    """The regions as they lie in the records of a flattened file, and what stands before each record."""
    yield Region(0, HEADER_SIZE, "header", "header of the flattened file", _FLAT_FIELDS)
    few = len(flat) <= PIECE_LIMIT
    for region in regions:
        if few or region.kind in ("header", "note"):
            for piece in flat.pieces(region.offset, region.length):
                before = piece.offset - region.offset
                yield region._replace(offset=piece.place, length=piece.length, skipped=before)
    if few:
        for piece in flat.pieces(0, flat.size):
            yield Region(piece.place - RECORD.size, RECORD.size, "segments", "record's header", _RECORD_FIELDS)
    if flat.end_mark is not None:
        yield Region(flat.end_mark, RECORD.size, "segments", "end mark of the flattened file", _RECORD_FIELDS)


def disjoint(regions: list[Region], size: int) -> tuple[Region, ...]:
    """The regions in file order, within the file; the later of two that overlap gives way."""
    out: list[Region] = []
    for region in sorted(regions):
        start, stop = max(region.offset, out[-1].end if out else 0), min(region.end, size)
        if start < stop:
            skipped = region.skipped + start - region.offset
            out.append(region._replace(offset=start, length=stop - start, skipped=skipped))
    return tuple(out)
