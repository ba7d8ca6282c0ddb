"""List the parts of an ELF dump with their offsets: regions for the hex view, and guest memory."""

from __future__ import annotations

from vmci_tui.containers.base import Layout, Region
from vmci_tui.containers.elf.contents import ElfContents, memory_of
from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.elf_records import SHT_STRTAB, ElfFormat, Section
from vmci_tui.formats.segment_table import Segments
from vmci_tui.layers.image import Image


def current_layout(dump: ElfContents) -> Layout:
    """Return the layout of the file on disk."""
    regions = [
        Region(0, dump.format.header_size, "header", "ELF header"),
        Region(dump.header.phoff, len(dump.segments) * dump.stride, "segments", "program headers"),
    ]
    if dump.header.shoff and dump.sections:
        length = len(dump.sections) * dump.format.section.size
        regions.append(Region(dump.header.shoff, length, "sections", "section headers"))
    regions += [
        Region(s.offset, s.size, "other", "section names")
        for s in dump.sections
        if s.type == SHT_STRTAB and s.offset and s.size
    ]
    return Layout(
        Image.of(dump.source.size),
        dump.notes,
        dump.note_offsets,
        lambda: dump.memory,
        _disjoint(regions, dump.notes, dump.note_offsets, dump.source.size),
        record=dump.stride,
        bits=dump.bits,
    )


def new_layout(
    form: ElfFormat,
    image: Image,
    notes: tuple[Note, ...],
    offsets: tuple[int, ...],
    segments: Segments,
    sections: tuple[Section, ...],
    reasons: tuple[str, ...],
) -> Layout:
    """Return a layout with new headers: ELF header, program headers, section headers, without gaps."""
    table_end = form.header_size + len(segments) * form.segment.size
    regions = [
        Region(0, form.header_size, "header", "ELF header"),
        Region(form.header_size, len(segments) * form.segment.size, "segments", "program headers"),
        Region(table_end, len(sections) * form.section.size, "sections", "section headers"),
    ]
    return Layout(
        image,
        notes,
        offsets,
        lambda: memory_of(segments, image.size),
        _disjoint(regions, notes, offsets, image.size),
        reasons,
        record=form.segment.size,
        bits=form.bits,
    )


def _disjoint(
    regions: list[Region], notes: tuple[Note, ...], offsets: tuple[int, ...], size: int
) -> tuple[Region, ...]:
    """Return the regions in file order; the later of two that overlap is cut."""
    regions += [
        Region(at, len(n.raw), "note", f"note {i}") for i, (at, n) in enumerate(zip(offsets, notes, strict=True))
    ]
    out: list[Region] = []
    for region in sorted(regions):
        start = max(region.offset, out[-1].end if out else 0)
        stop = min(region.end, size)
        if start < stop:
            out.append(region._replace(offset=start, length=stop - start))
    return tuple(out)
