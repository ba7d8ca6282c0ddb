"""Lay an ELF dump out in the order that all readers accept.

The order, which crash 8.0.2, makedumpfile 1.7.2, drgn 0.3.0 and eu-readelf 0.188 were observed
to need: one PT_NOTE as program header 0; program headers directly after the ELF header; notes
before the first memory byte; p_align 0; 4-byte padding; no section headers, except section 0
if PN_XNUM needs it, and sections that hold data (s390x PV dumps).

If headers and notes grow into memory, a copy moves all memory after them (`shift`). In place
the first bytes of memory move to the end of the file (`lift`), as PT_LOADs of their own: this
writes as many bytes as the note has, not as the dump has.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from vmci_tui.common.errors import SaveError
from vmci_tui.containers.base import Layout, LayoutRequest
from vmci_tui.containers.elf.contents import ElfContents
from vmci_tui.containers.elf.program_headers import merged, remapped
from vmci_tui.containers.elf.regions import new_layout
from vmci_tui.formats.elf_note import align_up
from vmci_tui.formats.elf_records import (
    EI_VERSION,
    ET_CORE,
    EV_CURRENT,
    PN_XNUM,
    PT_NOTE,
    SHT_NOBITS,
    SHT_NULL,
    SHT_STRTAB,
    Section,
    Segment,
)
from vmci_tui.formats.segment_table import Segments
from vmci_tui.layers.file import HEAD_LIMIT
from vmci_tui.layers.image import Extent, Image, NewBytes, SourceBytes

BLOCK: Final = 4096
"""Memory moves by a multiple of this, so that file systems can share it (reflink)."""


class _HeadPlacement(NamedTuple):
    """The offsets of the new notes and headers, and the moves of memory, which begins at `body`."""

    notes_at: int
    head_end: int
    body: int
    shift: int
    """All of memory moves by this many bytes."""
    lift: int
    """Bytes of memory, from `body` on, that move to the end of the file."""
    size: int

    @property
    def tail(self) -> int:
        """The new offset of lifted memory: after the file's end, and after the headers that grew."""
        return max(self.size, self.body + self.lift)

    @property
    def rest(self) -> int:
        """The offset of the first byte of memory that stays when some is lifted."""
        return self.body + self.lift

    def lifted(self, offset: int) -> int:
        """Return the new offset of a byte of memory when some is lifted; bytes past the end stay past the end."""
        if offset < min(self.rest, self.size):
            return self.tail + offset - self.body
        if offset < self.size:
            return offset
        return self.tail + min(self.lift, self.size - self.body) + offset - self.size


def arrange(dump: ElfContents, request: LayoutRequest) -> Layout:
    """Return the requested layout, in the order that readers need. Raises SaveError if it is impossible."""
    dump = remapped(merged(dump) if request.choice.merged else dump, request.mapped)
    notes = tuple(note.packed(note.order) for note in request.notes)
    # Broken notes last: a reader takes all bytes after one for a part of it.
    order = sorted(range(len(notes)), key=lambda index: not notes[index].whole)
    area = b"".join(notes[index].raw for index in order)
    kept = _real_sections(dump)
    place, segments = _settle(dump, area, kept, request.in_place)
    sections, moved = _moved_sections(dump, kept, place, len(area))
    xnum = len(segments) >= PN_XNUM
    if xnum:
        zero = sections[0] if sections else Section(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        sections = (zero._replace(info=len(segments)), *sections[1:])

    head = _base(dump, place)
    _overlay(head, 0, _header(dump, len(segments), sections, xnum))
    _overlay(head, dump.format.header_size, segments.table)
    _overlay(head, dump.format.header_size + len(segments.table), _section_table(dump, sections))
    _overlay(head, place.notes_at, area)
    for at, data in moved:
        _overlay(head, at, data)

    offsets, at = [0] * len(notes), place.notes_at
    for index in order:
        offsets[index] = at
        at += len(notes[index].raw)
    image = _image(dump, head, place)
    return new_layout(dump.format, image, notes, tuple(offsets), segments, sections, _reasons(dump, place, sections))


def _settle(
    dump: ElfContents, area: bytes, kept: tuple[Section, ...], in_place: bool
) -> tuple[_HeadPlacement, Segments]:
    """Return all offsets, and the new program headers.

    Lifting splits headers, which makes their table grow, which may lift more.
    """
    old = dump.segments.without(PT_NOTE)
    aligns = old.column("align")
    if any(aligns):
        old = old.replaced(align=array(aligns.typecode, bytes(len(old) * dump.bits // 8)))
    body = _body(dump)
    place = _place(dump, len(old), area, kept, body, 0, in_place)
    while True:
        loads = _moved(old, place, dump)
        again = _place(dump, len(loads), area, kept, body, place.lift, in_place)
        if again == place:
            return place, _with_note(dump, loads, area, place)
        place = again


def _body(dump: ElfContents) -> int:
    """Return the file offset of memory; without memory, the end of the headers and notes."""
    size = dump.source.size
    each = zip(*map(dump.segments.column, ("type", "offset", "filesz")), strict=True)
    first = min((offset for kind, offset, filesz in each if filesz and offset < size and kind != PT_NOTE), default=None)
    return _known_end(dump) if first is None else first


def _place(
    dump: ElfContents, loads: int, area: bytes, kept: tuple[Section, ...], body: int, lift: int, in_place: bool
) -> _HeadPlacement:
    form, size = dump.format, dump.source.size
    count = loads + _notes_count(dump, area)
    section_count = len(kept) or int(count >= PN_XNUM)
    table_end = form.header_size + count * form.segment.size + section_count * form.section.size
    extra = sum(align_up(s.size) for s in _head_sections(kept, body))
    notes_at = table_end
    olds = list(dump.segments.of_type(PT_NOTE))
    if len(olds) == 1 and olds[0].offset % 4 == 0 and table_end <= olds[0].offset:
        end = olds[0].offset + len(area) + extra
        if end <= body:  # a classic file with its notes at a page start: they stay there
            notes_at = olds[0].offset
    head_end = notes_at + len(area) + extra
    if head_end > HEAD_LIMIT:
        raise SaveError(f"headers and notes would take {head_end} bytes; the limit is {HEAD_LIMIT}", "remove notes")
    grow = align_up(head_end - body, BLOCK) if head_end > body else 0
    if in_place:
        return _HeadPlacement(notes_at, head_end, body, 0, max(grow, lift), size)
    return _HeadPlacement(notes_at, head_end, body, grow, 0, size)


def _notes_count(dump: ElfContents, area: bytes) -> int:
    """Return 1 if the file gets a PT_NOTE: it has notes, or had such a header before; else 0."""
    return int(bool(area) or dump.segments.count_of(PT_NOTE) > 0)


def _with_note(dump: ElfContents, loads: Segments, area: bytes, place: _HeadPlacement) -> Segments:
    if not _notes_count(dump, area):
        return loads
    old = next(dump.segments.of_type(PT_NOTE), Segment(PT_NOTE, 0, 0, 0, 0, 0, 0, 0))
    first = old._replace(offset=place.notes_at, filesz=len(area), memsz=len(area), align=0)
    return Segments(dump.format, dump.format.pack_segment(first) + loads.table)


def _known_end(dump: ElfContents) -> int:
    """Return the end of the headers of a dump without memory, and of all that they name."""
    ends = [dump.format.header_size, dump.header.phoff + len(dump.segments) * dump.stride]
    ends += [offset + filesz for _, _, offset, _, _, filesz, _, _ in dump.segments.rows() if filesz]
    if dump.header.shoff:
        ends.append(dump.header.shoff + len(dump.sections) * dump.format.section.size)
    return min(max(ends), dump.source.size)


def _moved(segments: Segments, place: _HeadPlacement, dump: ElfContents) -> Segments:
    """Return the headers with the new offsets of their bytes; a header is split if only some bytes are lifted.

    Offsets 0 and -1 of no bytes stay. Bytes that a cut file lacks stay past its end, or lifted
    bytes would be taken for them.
    """
    fixed = (0, dump.format.top - 1)
    least = 0 if place.lift else place.body
    offsets, lengths = segments.column("offset"), segments.column("filesz")

    def moved_offsets() -> Iterator[int]:
        for at, length in zip(offsets, lengths, strict=True):
            if length:
                yield max(at, least) + place.shift
            else:
                yield at if at in fixed else max(at + place.shift, place.head_end)

    try:
        new = array(offsets.typecode, moved_offsets())
    except OverflowError:
        _check_offset(max(moved_offsets()), dump)
        raise
    moved = segments if new == offsets else segments.replaced(offset=new)
    if not place.lift:
        return moved
    each = enumerate(zip(offsets, lengths, strict=True))
    touched = (n for n, (at, length) in each if length and (at < place.rest or at + length > place.size))
    return moved.spliced({number: _split(segments[number], place, dump) for number in touched})


def _check_offset(offset: int, dump: ElfContents) -> None:
    form = dump.format
    if offset >= form.top:
        raise SaveError(
            f"memory would be at {offset:#x}, which does not fit into a {form.bits}-bit ELF file",
            "remove notes, so that the headers need not grow",
        )


def _split(segment: Segment, place: _HeadPlacement, dump: ElfContents) -> tuple[Segment, ...]:
    """Return the header, cut where its bytes were lifted and where the file ends."""
    offset, end = segment.offset, segment.offset + segment.filesz
    cuts = (cut for cut in (place.rest, place.size) if place.rest < place.size and offset < cut < end)
    edges = (offset, *cuts, end)
    pieces = tuple(_piece(segment, start, stop, place, dump.format.top) for start, stop in pairwise(edges))
    _check_offset(max(piece.offset for piece in pieces), dump)
    return pieces


def _piece(segment: Segment, start: int, stop: int, place: _HeadPlacement, top: int) -> Segment:
    """Return the part of a header whose bytes were at [start, stop) of the file.

    It keeps p_vaddr - p_paddr, since with p_vaddr 0 s390x reads wrong memory (observed); but a
    p_vaddr of 0 with another p_paddr means unknown and stays 0.
    """
    before, end = start - segment.offset, segment.offset + segment.filesz
    virtual = segment.vaddr + before if segment.vaddr or not segment.paddr else 0
    memory = max(segment.memsz - before, 0)
    return segment._replace(
        offset=place.lifted(start),
        vaddr=virtual % top,
        paddr=(segment.paddr + before) % top,
        filesz=stop - start,
        memsz=memory if stop == end else min(memory, stop - start),
    )


def _real_sections(dump: ElfContents) -> tuple[Section, ...]:
    """Return the section headers, if one of them holds data; () where they can be dropped."""
    if all(s.type in (SHT_NULL, SHT_STRTAB) for s in dump.sections):
        return ()
    if any(s.type not in (SHT_NULL, SHT_NOBITS) and s.offset + s.size > dump.source.size for s in dump.sections):
        return ()  # a damaged table describes nothing that could be kept
    return dump.sections


def _head_sections(kept: tuple[Section, ...], body: int) -> tuple[Section, ...]:
    return tuple(s for s in kept if s.type not in (SHT_NULL, SHT_NOBITS) and s.size and s.offset < body)


def _moved_sections(
    dump: ElfContents, kept: tuple[Section, ...], place: _HeadPlacement, notes_length: int
) -> tuple[tuple[Section, ...], list[tuple[int, bytes]]]:
    """Return the kept section headers with their new offsets, and the bytes that move within the head."""
    inside = _head_sections(kept, place.body)
    at, out, moved = place.notes_at + notes_length, [], []
    for section in kept:
        if section in inside:
            moved.append((at, dump.source.read(section.offset, section.size)))
            out.append(section._replace(offset=at))
            at += align_up(section.size)
        elif section.type == SHT_NULL or section.offset < place.body:
            out.append(section)
        elif section.offset >= place.rest:
            out.append(section._replace(offset=section.offset + place.shift))
        elif section.offset + section.size <= place.rest:
            out.append(section._replace(offset=section.offset + place.tail - place.body))
        else:
            raise SaveError("a section is in the space that the headers must grow into", "save a copy instead: -o OUT")
    return tuple(out), moved


def _header(dump: ElfContents, count: int, sections: tuple[Section, ...], xnum: bool) -> bytes:
    form = dump.format
    new = dump.header._replace(
        type=ET_CORE,
        version=EV_CURRENT,
        phoff=form.header_size,
        ehsize=form.header_size,
        phentsize=form.segment.size,
        phnum=PN_XNUM if xnum else count,
        shoff=form.header_size + count * form.segment.size if sections else 0,
        shentsize=form.section.size if sections else 0,
        shnum=len(sections),
        shstrndx=dump.header.shstrndx if len(sections) > 1 else 0,
    )
    return dump.ident[:EI_VERSION] + bytes((EV_CURRENT,)) + dump.ident[EI_VERSION + 1 :] + form.header.pack(*new)


def _section_table(dump: ElfContents, sections: tuple[Section, ...]) -> bytes:
    _check_offset(max((s.offset for s in sections), default=0), dump)
    return b"".join(dump.format.section.pack(*s) for s in sections)


def _base(dump: ElfContents, place: _HeadPlacement) -> bytearray:
    """Return the bytes to put headers and notes into: zeros if they grow, else the old bytes with old parts zeroed."""
    length = place.rest + place.shift
    if place.shift or place.lift:
        return bytearray(length)
    head = bytearray(dump.source.read(0, min(length, HEAD_LIMIT)))
    head = head.ljust(min(length, HEAD_LIMIT), b"\0")
    for start, size in _old_parts(dump):
        stop = min(start + size, len(head))
        if start < stop:
            head[start:stop] = bytes(stop - start)
    return head


def _old_parts(dump: ElfContents) -> list[tuple[int, int]]:
    count = len(dump.segments) if dump.header.phnum == PN_XNUM else dump.header.phnum  # an edit may add some
    parts = [(0, dump.format.header_size), (dump.header.phoff, count * dump.stride)]
    parts += [(s.offset, s.filesz) for s in dump.segments.of_type(PT_NOTE)]
    if dump.header.shoff:
        parts.append((dump.header.shoff, len(dump.sections) * dump.format.section.size))
    return parts


def _overlay(head: bytearray, at: int, data: bytes) -> None:
    if len(head) < at + len(data):
        head.extend(bytes(at + len(data) - len(head)))
    head[at : at + len(data)] = data


def _image(dump: ElfContents, head: bytearray, place: _HeadPlacement) -> Image:
    size = dump.source.size
    if not place.shift and not place.lift and size >= len(head) and dump.source.read(0, len(head)) == head:
        return Image.of(size)
    body = len(head) - place.shift
    extents: list[Extent] = [NewBytes(bytes(head))]
    if body < size:
        extents.append(SourceBytes(body, size - body))
    if place.lift:
        extents.append(SourceBytes(place.body, min(place.lift, size - place.body)))
    return Image(tuple(extents))


def _reasons(dump: ElfContents, place: _HeadPlacement, sections: tuple[Section, ...]) -> tuple[str, ...]:
    """Return the reasons for changes of the headers beyond the notes, for the plan."""
    out, header, form = [], dump.header, dump.format
    if header.phoff != form.header_size:
        out.append(f"program headers move from {header.phoff} to {form.header_size}, where makedumpfile looks")
    if dump.sections and not sections:
        out.append("the section headers are removed: eu-readelf would look for notes only in them, and find none")
    if header.ehsize != form.header_size:
        out.append(f"e_ehsize becomes {form.header_size} (it was {header.ehsize})")
    if header.type != ET_CORE:
        out.append(f"e_type becomes {ET_CORE}, as a dump has it (it was {header.type})")
    if header.version != EV_CURRENT or dump.ident[EI_VERSION] != EV_CURRENT:
        out.append("the ELF version becomes 1, the only one that exists")
    segments = dump.segments
    if segments.count_of(PT_NOTE) > 1:
        out.append("all notes go into one PT_NOTE: crash reads only the first")
    elif segments and segments[0].type != PT_NOTE:
        out.append("PT_NOTE becomes the first program header: crash reads only that one")
    if any(segments.column("align")):
        out.append("p_align becomes 0: notes are padded to 4 bytes, and crash mistakes aligned memory for a netdump")
    if any(s.filesz and s.offset > place.body for s in segments.of_type(PT_NOTE)):
        out.append("the notes go before memory: crash refuses them after it")
    if place.shift:
        out.append(f"memory moves by {place.shift} bytes, a multiple of {BLOCK}, to make room for the headers")
    if place.lift:
        out.append(f"the first {place.lift} bytes of memory go to the end of the file, to make room for the headers")
    return tuple(out)
