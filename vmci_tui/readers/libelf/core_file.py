"""How libelf (elfutils 0.196, which comes with drgn) opens a file and walks its notes.

It reads program headers by their own size whatever e_phentsize says, ignores e_version,
and ends a note area at the first note that does not fit with its padding.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, ByteOrder, align_up, note_header
from vmci_tui.formats.elf_records import (
    EI_CLASS,
    EI_DATA,
    EI_VERSION,
    IDENT,
    MAGIC,
    PN_XNUM,
    PT_NOTE,
    ElfFormat,
    ElfHeader,
    Segment,
    format_of,
)
from vmci_tui.formats.segment_table import Segments
from vmci_tui.readers.file_view import SEGMENT_LIMIT, View

_NOTE_LIMIT: Final = 1 << 17
"""Notes of one area that are read at most: no dump has as many CPUs."""
_NAME_LIMIT: Final = 32
"""Bytes of a note's name that are stored: no reader knows a longer name."""


class CoreNote(NamedTuple):
    """A note with its offsets in the file."""

    offset: int
    namesz: int
    name: bytes
    """The first bytes of the name."""
    kind: int
    desc: int
    descsz: int

    @property
    def span(self) -> Span:
        return Span(self.offset, self.desc + self.descsz - self.offset)


class CoreNoteArea(NamedTuple):
    """The notes of one PT_NOTE."""

    segment: Segment
    data: bytes
    notes: tuple[CoreNote, ...]
    broken: int | None
    """The file offset of the note at which the walk ended early; None if it reached the end."""


class CoreFile:
    """A file as libelf sees it."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.ident = view.head[: IDENT.size].ljust(IDENT.size, b"\0")
        self.bits = 32 if self.ident[EI_CLASS] == 1 else 64
        self.order: ByteOrder = "big" if self.ident[EI_DATA] == 2 else "little"

    @cached_property
    def is_elf(self) -> bool:
        """Whether libelf accepts e_ident (determine_kind), and the ELF header is whole."""
        right = self.ident[EI_CLASS] in (1, 2) and self.ident[EI_DATA] in (1, 2) and self.ident[EI_VERSION] == 1
        return self.ident.startswith(MAGIC) and right and self.view.size >= self.form.header_size

    @property
    def form(self) -> ElfFormat:
        return format_of(self.bits, self.order)

    @cached_property
    def header(self) -> ElfHeader:
        return self.view.header(self.bits, self.order)

    @cached_property
    def sections_claimed(self) -> int:
        """The number of section headers that the file claims: e_shnum, or sh_size of the first if that is 0."""
        if self.header.shnum or not self.header.shoff:
            return self.header.shnum
        first = self.view.sections(self.bits, self.order, self.header.shoff, 1)
        return first[0].size if first else 0

    @property
    def sections(self) -> int:
        """The number of section headers (get_shnum): 0 if they are not all in the file."""
        room = self.view.size - self.header.shoff
        return self.sections_claimed if room >= self.form.section.size * self.sections_claimed else 0

    @cached_property
    def claimed(self) -> int:
        """The number of program headers that the file claims, with PN_XNUM resolved."""
        if self.header.phnum == PN_XNUM and self.sections:
            return self.view.sections(self.bits, self.order, self.header.shoff, 1)[0].info
        return self.header.phnum

    @cached_property
    def count(self) -> int | None:
        """The number of program headers; None if e_phoff is after the file's end, or they are not all in it."""
        if self.header.phoff == 0:
            return 0
        room = self.view.size - self.header.phoff
        fit = room // self.form.segment.size
        if room <= 0 or 0 < fit < self.claimed:
            return None
        return min(self.claimed, fit, SEGMENT_LIMIT)

    @cached_property
    def segments(self) -> Segments:
        """All whole program headers."""
        return self.view.segments(self.bits, self.order, self.header.phoff, self.count or 0)

    @cached_property
    def note_segments(self) -> tuple[Segment, ...]:
        return tuple(self.segments.of_type(PT_NOTE))

    @cached_property
    def bad_segment(self) -> Segment | None:
        """The first PT_NOTE that is not whole in the file (elf_getdata_rawchunk refuses it)."""
        size = self.view.size
        return next((s for s in self.note_segments if s.offset >= 1 << 63 or s.offset + s.filesz > size), None)

    @cached_property
    def areas(self) -> tuple[CoreNoteArea, ...]:
        """The PT_NOTEs before the first one that is not in the file, walked as gelf_getnote does."""
        bad = self.bad_segment
        good = self.note_segments if bad is None else self.note_segments[: self.note_segments.index(bad)]
        return tuple(self._area(segment) for segment in good)

    def _area(self, segment: Segment) -> CoreNoteArea:
        data = self.view.read(segment.offset, segment.filesz)
        notes, end = walk(data, self.order, 8 if segment.align == 8 else 4)
        moved = tuple(n._replace(offset=n.offset + segment.offset, desc=n.desc + segment.offset) for n in notes)
        return CoreNoteArea(segment, data, moved, None if end >= len(data) else segment.offset + end)


def walk(data: bytes, order: ByteOrder, align: int, tail: bool = True) -> tuple[list[CoreNote], int]:
    """Return the notes of an area, and where the walk ended; `tail`: the last note's padding must fit too."""
    words = note_header(order)
    found: list[CoreNote] = []
    at, size = 0, len(data)
    while at + HEADER <= size and len(found) < _NOTE_LIMIT:
        namesz, descsz, kind = words.unpack_from(data, at)
        name, desc = at + HEADER, align_up(at + HEADER + namesz, align)
        end = desc + align_up(descsz, align)
        if desc + descsz > size or (tail and end > size):
            break
        found.append(CoreNote(at, namesz, data[name : name + min(namesz, _NAME_LIMIT)], kind, desc, descsz))
        at = end
    return found, at
