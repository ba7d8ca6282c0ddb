"""List the parts of a kdump file with their offsets, for the hex view and for messages."""

from __future__ import annotations

from collections.abc import Iterator

from vmci_tui.containers.base import Layout, Region, disjoint
from vmci_tui.containers.flattened_regions import FlatRecords, file_offset_of, in_records
from vmci_tui.containers.kdump.contents import KdumpContents
from vmci_tui.formats.header_text import HeaderText
from vmci_tui.layers.file import Source
from vmci_tui.layers.image import Image


def current_layout(dump: KdumpContents) -> Layout:
    """Return the layout of the file on disk."""
    return layout(dump, Image.of(dump.source.size), dump.flat, dump.plain.size)


def layout(
    dump: KdumpContents,
    image: Image,
    records: FlatRecords | None,
    plain_size: int,
    base: Source | None = None,
    reasons: tuple[str, ...] = (),
) -> Layout:
    """Return the layout of an image whose headers and notes are those of `dump`; offsets are those of the image.

    `records` locate the plain file's `plain_size` bytes in a flattened one; None for a plain file.
    """
    regions, offsets = list(_regions(dump, plain_size)), dump.note_starts
    if records is not None:
        regions = list(in_records(records, regions))
        offsets = tuple(file_offset_of(records, start) for start in dump.note_starts)
    parts = disjoint(regions, image.size)
    return Layout(image, dump.notes, offsets, lambda: dump.memory, parts, reasons, appends=True, base=base)


def _regions(dump: KdumpContents, plain_size: int) -> Iterator[Region]:
    """Yield the parts of the plain file."""
    header, form = dump.header, dump.header.form
    yield Region(0, form.header.size, "header", "kdump header", form.header.fields)
    length = form.sub_header_length(header.version)
    yield Region(header.block_size, length, "header", "kdump sub-header", form.sub_header.fields)
    for index, (start, note) in enumerate(zip(dump.note_starts, dump.notes, strict=True)):
        label = "text that the header names" if isinstance(note, HeaderText) else f"note {index}"
        yield Region(start, len(note.raw), "note", label)
    if header.eraseinfo[1]:
        yield Region(*header.eraseinfo, "other", "eraseinfo: what makedumpfile erased")
    start, length = header.bitmaps
    used, used_length = header.bitmap
    yield Region(start, used - start, "other", "bitmap of the machine's pages")
    yield Region(used, used_length, "other", "bitmap of the pages in this file")
    first, last = header.pfns
    table = form.page.size * (dump.pages.bitmap.rank(last) if first < last else 0)
    yield Region(header.descriptors, table, "segments", "page descriptor", form.page.fields, form.page.size)
    data = header.descriptors + table
    beyond = [start for start in (*dump.note_starts, header.eraseinfo[0]) if start >= data]
    yield Region(data, max(min(plain_size, *beyond) if beyond else plain_size, data) - data, "other", "pages of memory")
