"""List the parts of an ELF dump with their offsets: regions for the hex view, and guest memory."""

from __future__ import annotations

from collections.abc import Iterator

from vmci_tui.containers.base import Layout, Region, disjoint
from vmci_tui.containers.elf.contents import ElfContents, memory_of
from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.elf_records import SHT_STRTAB, ElfFormat, Section
from vmci_tui.formats.segment_table import Segments
from vmci_tui.layers.image import Image


def current_layout(dump: ElfContents) -> Layout:
    """Return the layout of the file on disk."""
    form, size = dump.format, dump.source.size
    regions = [*_headers(form, dump.header.phoff, len(dump.segments), dump.stride)]
    if dump.header.shoff:
        regions.append(_section_headers(form, dump.header.shoff, dump.sections))
    regions += [
        Region(s.offset, s.size, "other", "section names")
        for s in dump.sections
        if s.type == SHT_STRTAB and s.offset and s.size
    ]
    parts = disjoint([*regions, *_notes(dump.notes, dump.note_offsets)], size)
    return Layout(Image.of(size), dump.notes, dump.note_offsets, lambda: dump.memory, parts)


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
    headers = _headers(form, form.header_size, len(segments), form.segment.size)
    regions = [*headers, _section_headers(form, table_end, sections), *_notes(notes, offsets)]
    parts = disjoint(regions, image.size)
    return Layout(image, notes, offsets, lambda: memory_of(segments, image.size), parts, reasons)


def _headers(form: ElfFormat, at: int, count: int, stride: int) -> Iterator[Region]:
    yield Region(0, form.header_size, "header", "ELF header", form.header_fields)
    yield Region(at, count * stride, "segments", "program header", form.segment.fields, stride)


def _section_headers(form: ElfFormat, at: int, sections: tuple[Section, ...]) -> Region:
    size = form.section.size
    return Region(at, len(sections) * size, "sections", "section header", form.section.fields, size)


def _notes(notes: tuple[Note, ...], offsets: tuple[int, ...]) -> Iterator[Region]:
    for index, (at, note) in enumerate(zip(offsets, notes, strict=True)):
        yield Region(at, len(note.raw), "note", f"note {index}")
