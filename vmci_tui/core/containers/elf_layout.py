"""How an ELF dump lies, and how it would lie in the order that all readers take.

The order (crash 8.0.2, makedumpfile 1.7.2, drgn 0.3.0, eu-readelf 0.188 were seen to
need it): one PT_NOTE as program header 0; program headers right behind the ELF header;
notes before the first memory byte; p_align 0; 4-byte padding; no section headers, but
for section 0 where PN_XNUM needs it and for sections that hold data (s390x PV dumps).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vmci_tui.core.containers.base import Layout, Region
from vmci_tui.core.containers.elf_format import (
    PN_XNUM,
    PT_LOAD,
    PT_NOTE,
    SHT_NOBITS,
    SHT_NULL,
    SHT_STRTAB,
    Format,
    Section,
    Segment,
)
from vmci_tui.core.errors import SaveError
from vmci_tui.core.image import Copy, Extent, Image, Literal
from vmci_tui.core.memory import Mapping, Memory, merge
from vmci_tui.core.note import Note, up
from vmci_tui.core.source import HEAD_LIMIT

if TYPE_CHECKING:
    from vmci_tui.core.containers.elf import ElfDump

BLOCK: Final = 4096
"""Memory moves by a multiple of this, so that file systems can share it (reflink)."""


class _Plan(NamedTuple):
    """Where the parts of the new head lie; `body` is the first byte of memory, `shift` how far it moves."""

    table_end: int
    notes_at: int
    head_end: int
    body: int
    shift: int


def memory_of(segments: tuple[Segment, ...], form: Format, size: int) -> Memory:
    """The guest memory that PT_LOAD headers describe, in a file of `size` bytes."""
    loads = (Mapping(s.paddr, s.vaddr, s.offset, s.filesz, s.memsz) for s in segments if s.type == PT_LOAD)
    # A core of a process or of the kernel's own view may say memsz 0 and mean filesz.
    return merge((m if m.memsz >= m.filesz else m._replace(memsz=m.filesz) for m in loads), size, form.top)


def as_it_is(dump: ElfDump) -> Layout:
    """The file as it lies on disk."""
    regions = [
        Region(0, dump.format.header_size, "header", "ELF header"),
        _table_region(dump, dump.header.phoff, len(dump.segments)),
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
        record=_stride(dump),
        bits=dump.bits,
    )


def arrange(dump: ElfDump, notes: tuple[Note, ...]) -> Layout:
    """The file with these notes, in the order that readers need. Raises SaveError where it cannot be."""
    notes = tuple(note.packed(note.order) for note in notes)
    # Broken ones last: a reader takes all that follows one for a part of it.
    order = sorted(range(len(notes)), key=lambda index: not notes[index].whole)
    area = b"".join(notes[index].raw for index in order)
    kept = _real_sections(dump)
    loads = tuple(s for s in dump.segments if s.type != PT_NOTE)
    with_note = 1 if area or len(loads) < len(dump.segments) else 0
    count = len(loads) + with_note
    xnum = count >= PN_XNUM
    plan = _place(dump, count, len(kept) or int(xnum), area, kept)

    segments = tuple(_moved(s, plan, dump) for s in loads)
    if with_note:
        old = next((s for s in dump.segments if s.type == PT_NOTE), Segment(PT_NOTE, 0, 0, 0, 0, 0, 0, 0))
        first = old._replace(offset=plan.notes_at, filesz=len(area), memsz=len(area), align=0)
        segments = (first, *segments)
    sections, moved = _moved_sections(dump, kept, plan, len(area))
    if xnum:
        zero = sections[0] if sections else Section(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        sections = (zero._replace(info=count), *sections[1:])

    head = _base(dump, plan)
    _overlay(head, 0, _header(dump, plan, count, sections, xnum))
    _overlay(head, dump.format.header_size, _table(dump, segments, sections))
    _overlay(head, plan.notes_at, area)
    for at, data in moved:
        _overlay(head, at, data)

    image = _image(dump, bytes(head), plan)
    offsets, at = [0] * len(notes), plan.notes_at
    for index in order:
        offsets[index] = at
        at += len(notes[index].raw)
    return _layout(dump, image, notes, tuple(offsets), segments, sections, plan)


def _stride(dump: ElfDump) -> int:
    return max(dump.header.phentsize, dump.format.segment.size)


def _place(dump: ElfDump, count: int, section_count: int, area: bytes, kept: tuple[Section, ...]) -> _Plan:
    form, size = dump.format, dump.source.size
    table_end = form.header_size + count * form.segment.size + section_count * form.section.size
    used = [s.offset for s in dump.segments if s.type != PT_NOTE and s.filesz and s.offset < size]
    body = min(used, default=_known_end(dump))
    extra = sum(up(s.size) for s in _head_sections(kept, body))
    notes_at = table_end
    olds = [s for s in dump.segments if s.type == PT_NOTE]
    if len(olds) == 1 and olds[0].offset % 4 == 0 and table_end <= olds[0].offset:
        end = olds[0].offset + len(area) + extra
        if end <= body:  # a classic file with its notes at a page start: they stay there
            notes_at = olds[0].offset
    head_end = notes_at + len(area) + extra
    if head_end > HEAD_LIMIT:
        raise SaveError(f"the head would take {head_end} bytes; {HEAD_LIMIT} are the limit", "take notes out")
    shift = up(head_end - body, BLOCK) if head_end > body else 0
    return _Plan(table_end, notes_at, head_end, body, shift)


def _known_end(dump: ElfDump) -> int:
    """Where the head of a dump without memory ends: behind all that its headers name."""
    ends = [dump.format.header_size, dump.header.phoff + len(dump.segments) * _stride(dump)]
    ends += [s.offset + s.filesz for s in dump.segments if s.filesz]
    if dump.header.shoff:
        ends.append(dump.header.shoff + len(dump.sections) * dump.format.section.size)
    return min(max(ends), dump.source.size)


def _real_sections(dump: ElfDump) -> tuple[Section, ...]:
    """The section headers, if one of them holds data; () where they can be dropped."""
    if all(s.type in (SHT_NULL, SHT_STRTAB) for s in dump.sections):
        return ()
    if any(s.type not in (SHT_NULL, SHT_NOBITS) and s.offset + s.size > dump.source.size for s in dump.sections):
        return ()  # a damaged table describes nothing that could be kept
    return dump.sections


def _head_sections(kept: tuple[Section, ...], body: int) -> tuple[Section, ...]:
    return tuple(s for s in kept if s.type not in (SHT_NULL, SHT_NOBITS) and s.size and s.offset < body)


def _moved(segment: Segment, plan: _Plan, dump: ElfDump) -> Segment:
    """The header with the offset that its bytes have now; offsets 0 and -1 of no bytes stay."""
    offset = segment.offset
    if segment.filesz == 0 and offset in (0, dump.format.top - 1):
        return segment._replace(align=0)
    new = offset + plan.shift if offset >= plan.body else plan.body + plan.shift
    return segment._replace(offset=new, align=0)


def _moved_sections(
    dump: ElfDump, kept: tuple[Section, ...], plan: _Plan, notes_length: int
) -> tuple[tuple[Section, ...], list[tuple[int, bytes]]]:
    """The kept section headers with their new offsets, and the bytes that move within the head."""
    inside = _head_sections(kept, plan.body)
    at, out, moved = plan.notes_at + notes_length, [], []
    for section in kept:
        if section in inside:
            moved.append((at, dump.source.read(section.offset, section.size)))
            out.append(section._replace(offset=at))
            at += up(section.size)
        elif section.offset >= plan.body and section.type != SHT_NULL:
            out.append(section._replace(offset=section.offset + plan.shift))
        else:
            out.append(section)
    return tuple(out), moved


def _header(dump: ElfDump, plan: _Plan, count: int, sections: tuple[Section, ...], xnum: bool) -> bytes:
    form = dump.format
    shoff = form.header_size + count * form.segment.size if sections else 0
    new = dump.header._replace(
        phoff=form.header_size,
        ehsize=form.header_size,
        phentsize=form.segment.size,
        phnum=PN_XNUM if xnum else count,
        shoff=shoff,
        shentsize=form.section.size if sections else 0,
        shnum=len(sections),
        shstrndx=dump.header.shstrndx if len(sections) > 1 else 0,
    )
    return dump.ident + form.header.pack(*new)


def _table(dump: ElfDump, segments: tuple[Segment, ...], sections: tuple[Section, ...]) -> bytes:
    form = dump.format
    biggest = max((s.offset for s in segments), default=0)
    if biggest >= form.top or any(s.offset >= form.top for s in sections):
        raise SaveError(
            f"memory would lie at {biggest:#x}, which a {form.bits}-bit ELF file cannot say",
            "take notes out, so that the head need not grow",
        )
    rows = [form.pack_segment(s) for s in segments] + [form.section.pack(*s) for s in sections]
    return b"".join(rows)


def _base(dump: ElfDump, plan: _Plan) -> bytearray:
    """The head before anything is put into it: the old one without its old parts where memory stays."""
    length = plan.body + plan.shift
    if plan.shift:
        return bytearray(length)
    head = bytearray(dump.source.read(0, min(length, HEAD_LIMIT)))
    head = head.ljust(min(length, HEAD_LIMIT), b"\0")
    for start, size in _old_parts(dump):
        stop = min(start + size, len(head))
        if start < stop:
            head[start:stop] = bytes(stop - start)
    return head


def _old_parts(dump: ElfDump) -> list[tuple[int, int]]:
    parts = [(0, dump.format.header_size), (dump.header.phoff, len(dump.segments) * _stride(dump))]
    parts += [(s.offset, s.filesz) for s in dump.segments if s.type == PT_NOTE]
    if dump.header.shoff:
        parts.append((dump.header.shoff, len(dump.sections) * dump.format.section.size))
    return parts


def _overlay(head: bytearray, at: int, data: bytes) -> None:
    if len(head) < at + len(data):
        head.extend(bytes(at + len(data) - len(head)))
    head[at : at + len(data)] = data


def _image(dump: ElfDump, head: bytes, plan: _Plan) -> Image:
    size = dump.source.size
    if not plan.shift and size >= len(head) and dump.source.read(0, len(head)) == head:
        return Image.of(size)
    body = len(head) - plan.shift
    extents: list[Extent] = [Literal(head)]
    if body < size:
        extents.append(Copy(body, size - body))
    return Image(tuple(extents))


def _layout(
    dump: ElfDump,
    image: Image,
    notes: tuple[Note, ...],
    offsets: tuple[int, ...],
    segments: tuple[Segment, ...],
    sections: tuple[Section, ...],
    plan: _Plan,
) -> Layout:
    form = dump.format
    regions = [
        Region(0, form.header_size, "header", "ELF header"),
        Region(form.header_size, len(segments) * form.segment.size, "segments", "program headers"),
        Region(plan.table_end - len(sections) * form.section.size, len(sections) * form.section.size, "sections",
               "section headers"),
    ]  # fmt: skip
    return Layout(
        image,
        notes,
        offsets,
        memory_of(segments, form, dump.source.size + plan.shift),
        _disjoint(regions, notes, offsets, image.size),
        _reasons(dump, plan, sections),
        record=form.segment.size,
        bits=form.bits,
    )


def _reasons(dump: ElfDump, plan: _Plan, sections: tuple[Section, ...]) -> tuple[str, ...]:
    """Why the head changes beyond the notes, in words for the plan."""
    out, header, form = [], dump.header, dump.format
    if header.phoff != form.header_size:
        out.append(f"program headers move from {header.phoff} to {form.header_size}, where makedumpfile looks")
    if dump.sections and not sections:
        out.append("the section headers go: eu-readelf looks for notes only in them, and finds none")
    if header.ehsize != form.header_size:
        out.append(f"e_ehsize becomes {form.header_size} (it was {header.ehsize})")
    kinds = [s.type for s in dump.segments]
    if kinds.count(PT_NOTE) > 1:
        out.append("all notes go into one PT_NOTE: crash reads only the first")
    elif kinds and kinds[0] != PT_NOTE:
        out.append("PT_NOTE becomes the first program header: crash looks nowhere else")
    if any(s.align for s in dump.segments):
        out.append("p_align becomes 0: notes are padded to 4 bytes, and crash takes aligned memory for a netdump")
    if any(s.type == PT_NOTE and s.filesz and s.offset > plan.body for s in dump.segments):
        out.append("the notes go before memory: crash refuses them behind it")
    if plan.shift:
        out.append(f"memory moves by {plan.shift} bytes, a multiple of {BLOCK}, to make room for the head")
    return tuple(out)


def _table_region(dump: ElfDump, offset: int, count: int) -> Region:
    return Region(offset, count * _stride(dump), "segments", "program headers")


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
