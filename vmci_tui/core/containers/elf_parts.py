"""The parts of an ELF dump and where they lie: regions for the hex view, and guest memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmci_tui.core.containers.base import Layout, Region
from vmci_tui.core.containers.elf_format import PT_LOAD, SHT_STRTAB, Format, Section, Segment
from vmci_tui.core.image import Image
from vmci_tui.core.memory import Mapping, Memory, merge
from vmci_tui.core.note import Note

if TYPE_CHECKING:
    from vmci_tui.core.containers.elf import ElfDump


def memory_of(segments: tuple[Segment, ...], form: Format, size: int) -> Memory:
    """The guest memory that PT_LOAD headers describe, in a file of `size` bytes."""
    loads = (Mapping(s.paddr, s.vaddr, s.offset, s.filesz, s.memsz) for s in segments if s.type == PT_LOAD)
    # A core of a process or of the kernel's own view may say memsz 0 and mean filesz.
    return merge((m if m.memsz >= m.filesz else m._replace(memsz=m.filesz) for m in loads), size, form.top)


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
    segments: tuple[Segment, ...],
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
        memory_of(segments, form, image.size),
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
