"""How a program reads an ELF file up to its notes: the common steps.

A reader is a subclass with the policy of its program. Offsets and lengths are in bytes of
the file; numbers are read in the class and byte order that the program assumes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from itertools import chain
from typing import ClassVar, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import NOTE_LIMIT, ByteOrder
from vmci_tui.formats.elf_records import (
    IDENT,
    MAGIC,
    PN_XNUM,
    PT_NOTE,
    SHT_NOTE,
    ElfHeader,
    Section,
    Segment,
    format_of,
)
from vmci_tui.formats.segment_table import Segments
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import RuleHit
from vmci_tui.readers.shared.elf_notes import NoteArea, WalkedNote, broken_note, release_of, walk

Finder = Callable[[NoteArea, ByteOrder], Span | None]
"""Finds a fault in an area, with the byte order of the file: the bytes concerned, or None."""


class Place(NamedTuple):
    """A note area as a section or program header describes it: file offset, length and alignment in bytes."""

    offset: int
    length: int
    align: int


class ElfFile:
    """The headers of a file as the program reads them. Every property is safe for any bytes."""

    other_class: ClassVar[int] = 64
    """The class, 32 or 64, as which it reads a file whose EI_CLASS is neither 1 nor 2."""
    stride_counts: ClassVar[bool] = False
    """Whether it uses e_shentsize; else a section header has its usual length."""
    only_order: ClassVar[ByteOrder | None] = None
    """The byte order that it assumes; None if it goes by EI_DATA."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.magic = IDENT.part("magic", view.head)
        self.bits = {b"\1": 32, b"\2": 64}.get(IDENT.part("EI_CLASS", view.head), self.other_class)
        by_data: ByteOrder = "big" if IDENT.part("EI_DATA", view.head) == b"\2" else "little"
        self.order: ByteOrder = self.only_order or by_data
        self.form = format_of(self.bits, self.order)

    def has(self, offset: int, length: int) -> bool:
        """Whether the file holds these bytes."""
        return offset + length <= self.view.size

    @property
    def is_elf(self) -> bool:
        return self.magic == MAGIC and self.has(0, self.form.header_size)

    @cached_property
    def header(self) -> ElfHeader:
        return self.view.header(self.bits, self.order)

    @property
    def section_stride(self) -> int:
        return self.header.shentsize if self.stride_counts else self.form.section.size

    @cached_property
    def first_section(self) -> Section | None:
        """Section 0, which holds numbers that are too large for the ELF header."""
        offset, stride, size = self.header.shoff, self.section_stride, self.form.section.size
        if not offset or stride < size or not self.has(offset, stride):
            return None
        return self.view.sections(self.bits, self.order, offset, 1)[0]

    @cached_property
    def shnum(self) -> int:
        """The claimed number of sections: e_shnum, or if that is 0 the size of section 0."""
        first = self.first_section
        return first.size if self.header.shnum == 0 and first else self.header.shnum

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """All section headers; empty if the table is not whole in the file."""
        if not self.has(self.header.shoff, self.section_stride * self.shnum):
            return ()
        return self.view.sections(self.bits, self.order, self.header.shoff, self.shnum)

    @cached_property
    def phnum(self) -> int:
        """The number of program headers that it reads: as a rule that in section 0, if it is there for PN_XNUM."""
        first = self.first_section
        return first.info if self.header.phnum == PN_XNUM and first and first.info else self.header.phnum

    @property
    def phoff(self) -> int:
        """The offset of the program headers."""
        return self.header.phoff

    @property
    def has_table(self) -> bool:
        """Whether it can read the program headers."""
        return self.has(self.phoff, self.phnum * self.form.segment.size)

    @cached_property
    def table(self) -> Segments:
        """All program headers; they are read without gaps even if e_phentsize is larger."""
        return self.view.segments(self.bits, self.order, self.phoff, self.phnum if self.has_table else 0)


class ElfProgram(ElfFile, ABC):
    """The file up to its notes. It searches the PT_NOTEs, or the sections of notes."""

    last_wins: ClassVar[bool] = False
    """Whether the last of several VMCOREINFO notes counts; else the first."""
    padding_counts: ClassVar[bool] = True
    """Whether the walk ends at a note whose padding is not in the area."""

    @property
    def opened(self) -> bool:
        """Whether it gets as far as looking for notes."""
        return self.is_elf

    @property
    def by_sections(self) -> bool:
        """Whether it searches sections, not PT_NOTEs."""
        return False

    @cached_property
    def note_sections(self) -> tuple[Section, ...]:
        return tuple(section for section in self.sections if section.type == SHT_NOTE)

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """The PT_NOTEs; up to 65,000 other headers are not unpacked."""
        return tuple(self.table.of_type(PT_NOTE)) if self.opened else ()

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """All places that it searches for notes, in the program's order."""
        if not self.opened:
            return ()
        if self.by_sections:
            return tuple(Place(section.offset, section.size, section.addralign) for section in self.note_sections)
        return tuple(Place(segment.offset, segment.filesz, segment.align) for segment in self.segments)

    @abstractmethod
    def complaint(self, place: Place) -> str:
        """Return its message about a place that it does not walk; empty if it walks it."""

    def broken(self, area: NoteArea) -> str:
        """Return its message about the note at which the walk ends early; empty if it does not."""
        return ""

    @cached_property
    def areas(self) -> tuple[NoteArea, ...]:
        """The areas that it walks. Any alignment except 8 is read as 4."""
        return tuple(self._walked(place) for place in self.places if not self.complaint(place))

    def _walked(self, place: Place) -> NoteArea:
        data = self.view.read(place.offset, place.length)
        return walk(place.offset, data, self.order, 8 if place.align == 8 else 4, self.padding_counts)

    @cached_property
    def message(self) -> str:
        """The first message printed instead of notes; else empty."""
        return next(filter(None, chain(map(self.complaint, self.places), map(self.broken, self.areas))), "")

    @cached_property
    def notes(self) -> tuple[WalkedNote, ...]:
        return tuple(note for area in self.areas for note in area.notes)

    @property
    @abstractmethod
    def shown(self) -> tuple[WalkedNote, ...]:
        """The VMCOREINFO notes that it shows."""

    @cached_property
    def no_note(self) -> bool:
        """Whether it looks for notes but shows no VMCOREINFO note."""
        return self.opened and not self.shown

    @property
    def missed_by_segments(self) -> bool:
        """Whether it searches PT_NOTEs, but shows no VMCOREINFO note."""
        return self.no_note and not self.by_sections

    @property
    def missed(self) -> bool:
        """Whether its walk reaches no VMCOREINFO note."""
        return self.no_note

    def fault(self, finder: Finder) -> RuleHit | None:
        """Return the first area with this fault, with its message; None if the walk reaches the note in any area."""
        found = ((area, finder(area, self.order)) for area in (self.areas if self.missed else ()))
        return next((RuleHit(span, self.broken(area)) for area, span in found if span is not None), None)

    @property
    def cut_off(self) -> RuleHit | None:
        """The first place that is not whole in the file, if no VMCOREINFO note is shown."""
        places, size = self.places if self.no_note else (), self.view.size
        outside = (place for place in places if not self.has(place.offset, place.length))
        return next((RuleHit(Span(min(each.offset, size), 0), self.complaint(each)) for each in outside), None)

    @property
    def broken_behind(self) -> RuleHit | None:
        """The first note that is not whole, if a VMCOREINFO note is shown."""
        broken = (area for area in (self.areas if self.shown else ()) if area.broken is not None)
        return next((RuleHit(broken_note(area, self.order), self.broken(area)) for area in broken), None)

    @property
    def too_many_notes(self) -> bool:
        """Whether there are more notes than are walked here."""
        return self.no_note and any(len(area.notes) >= NOTE_LIMIT for area in self.areas)

    @property
    def chosen(self) -> WalkedNote | None:
        """The note that its verdict is about."""
        return self.shown[-1 if self.last_wins else 0] if self.shown else None

    @property
    def note(self) -> Span | None:
        return None if self.chosen is None else self.chosen.span

    @property
    def text(self) -> bytes | None:
        return None if self.chosen is None else self.chosen.desc

    @cached_property
    def osrelease(self) -> bytes | None:
        """The release in the first shown note that has one."""
        releases = (self.release_in(note.desc) for note in self.shown)
        return next((release for release in releases if release is not None), None)

    def release_in(self, text: bytes) -> bytes | None:
        """Return the release as it prints it; None if there is none."""
        return release_of(text)


def elf_field(program: ElfProgram, name: str) -> Span:
    """Return the bytes of a field of the ELF header, by the names of the ELF specification."""
    return program.form.span(name)
