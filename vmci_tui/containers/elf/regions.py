"""The parts of an ELF dump and where they lie: regions for the hex view, and guest memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmci_tui.containers.base import Layout, Region
from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.elf_records import PT_LOAD, SHT_STRTAB, Format, Section
from vmci_tui.formats.segment_table import Segments
from vmci_tui.layers.image import Image
from vmci_tui.layers.memory_map import Memory, merge

if TYPE_CHECKING:
    from vmci_tui.containers.elf.dump import ElfDump


def memory_of(segments: Segments, size: int) -> Memory:
    """The guest memory that PT_LOAD headers describe, in a file of `size` bytes."""
    # A core of a process or of the kernel's own view may say memsz 0 and mean filesz.
    loads = (
        (paddr, offset, filesz, memsz if memsz > filesz else filesz)
        for kind, _, offset, _, paddr, filesz, memsz, _ in segments.rows()
        if kind == PT_LOAD
    )
    return merge(loads, size, segments.form.top)


def memory_end(segments: Segments) -> int:
    """Where the bytes of memory that PT_LOAD headers claim end in the file; 0 where they claim none."""
    rows = segments.rows()
    return max((offset + size for kind, _, offset, _, _, size, _, _ in rows if kind == PT_LOAD and size), default=0)


def stride(dump: ElfDump) -> int:
    """Bytes from one program header of the file to the next."""
    return max(dump.header.phentsize, dump.format.segment.size)


def as_it_is(dump: ElfDump) -> Layout:
    """The file as it lies on disk."""
    regions = [
        Region(0, dump.format.header_size, "header", "ELF header"),
        Region(dump.header.phoff, len(dump.segments) * stride(dump), "segments", "program headers"),
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
        dump.memory,
        _disjoint(regions, dump.notes, dump.note_offsets, dump.source.size),
        record=stride(dump),
        bits=dump.bits,
    )


def as_arranged(
    form: Format,
    image: Image,
    notes: tuple[Note, ...],
    offsets: tuple[int, ...],
    segments: Segments,
    sections: tuple[Section, ...],
    reasons: tuple[str, ...],
) -> Layout:
    """The file with a new head: ELF header, program headers, section headers, each right behind the other."""
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
        memory_of(segments, image.size),
        _disjoint(regions, notes, offsets, image.size),
        reasons,
        record=form.segment.size,
        bits=form.bits,
    )


def _disjoint(
    regions: list[Region], notes: tuple[Note, ...], offsets: tuple[int, ...], size: int
) -> tuple[Region, ...]:
    """The regions in file order; the later of two that overlap gives way."""
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
