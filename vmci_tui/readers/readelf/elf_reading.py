"""A dump as `readelf -n` (GNU) reads it: where it looks for notes, which notes it shows, its complaints.

In a core file it searches PT_NOTEs, in any other file SHT_NOTE sections first.
Source: binutils 2.40, binutils/readelf.c; run: 2.40.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Final

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, NAME, ByteOrder
from vmci_tui.formats.elf_records import (
    ET_CORE,
    IDENT,
    MAGIC,
    PN_XNUM,
    SHT_NOTE,
    ElfHeader,
    Section,
    Segment,
    format_of,
)
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import RuleHit
from vmci_tui.readers.shared.elf_notes import NoteArea, WalkedNote, note_segments, release_of, walk

ERROR: Final = "readelf: Error: "
WARNING: Final = "readelf: Warning: "
NO_HEADERS: Final = (
    WARNING + "possibly corrupt ELF header - it has a non-zero program header offset, but no program headers"
)
SMALL_ENTRY: Final = ERROR + "The e_phentsize field in the ELF header is less than the size of an ELF program header"
_KEPT: Final = 1 << 16
"""Section headers that are read; a dump has two."""


def cut(length: int, what: str) -> str:
    """Return get_data's message about bytes that the file lacks."""
    return f"{ERROR}Reading {length} bytes extends past end of file for {what}"


def misaligned(align: int) -> str:
    """Return process_notes_at's message, which shows the unsigned number as a signed one."""
    return f"{WARNING}Corrupt note: alignment {align - (1 << 64) if align >> 63 else align}, expecting 4 or 8"


class ReadelfReading:
    """The file as readelf reads it; `message` is its first message about missing notes."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.magic = IDENT.part("magic", view.head)
        # get_file_header: any class but ELFCLASS64 is read as 32-bit, any order but ELFDATA2MSB as little-endian.
        self.bits = 64 if IDENT.part("EI_CLASS", view.head) == b"\2" else 32
        self.order: ByteOrder = "big" if IDENT.part("EI_DATA", view.head) == b"\2" else "little"
        self.form = format_of(self.bits, self.order)

    @property
    def is_elf(self) -> bool:
        return self.magic == MAGIC and self.view.size >= self.form.header_size

    @cached_property
    def header(self) -> ElfHeader:
        return self.view.header(self.bits, self.order)

    def has(self, offset: int, length: int) -> bool:
        """Whether the file holds these bytes."""
        return offset + length <= self.view.size

    @cached_property
    def first_section(self) -> Section | None:
        header, size = self.header, self.form.section.size
        if not header.shoff or header.shentsize < size or not self.has(header.shoff, header.shentsize):
            return None
        return self.view.sections(self.bits, self.order, header.shoff, 1)[0]

    @cached_property
    def phnum(self) -> int:
        first = self.first_section
        return first.info if self.header.phnum == PN_XNUM and first and first.info else self.header.phnum

    @cached_property
    def shnum(self) -> int:
        first = self.first_section
        return first.size & 0xFFFFFFFF if self.header.shnum == 0 and first else self.header.shnum

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """All section headers; empty if the table is not whole."""
        header = self.header
        if self.first_section is None or not self.has(header.shoff, header.shentsize * self.shnum):
            return ()
        return self.view.sections(self.bits, self.order, header.shoff, min(self.shnum, _KEPT))

    @cached_property
    def no_table(self) -> str | None:
        """get_program_headers' message if it cannot read the program headers; None if it can."""
        size, stride = self.form.segment.size, self.header.phentsize
        if self.phnum * size >= self.view.size:
            return f"{ERROR}Too many program headers - {self.phnum:#x} - the file is not that big"
        if not stride or not self.phnum:
            return ""
        if stride < size:
            return SMALL_ENTRY
        if not self.has(self.header.phoff, stride * self.phnum):
            return cut(stride * self.phnum, "program headers")
        return None

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """The PT_NOTEs. Headers are read without gaps even if e_phentsize is larger."""
        if not self.is_elf or self.no_table is not None:
            return ()
        return note_segments(self.view, self.bits, self.order, self.header.phoff, self.phnum)

    @cached_property
    def by_sections(self) -> bool:
        return self.header.type != ET_CORE and any(s.type == SHT_NOTE for s in self.sections)

    @cached_property
    def places(self) -> tuple[tuple[int, int, int], ...]:
        """Offset, length and alignment of all note areas that are not empty, in the program's order."""
        if not self.is_elf:
            return ()
        if self.by_sections:
            all_ = [(s.offset, s.size, s.addralign) for s in self.sections if s.type == SHT_NOTE]
        else:
            all_ = [(s.offset, s.filesz, s.align) for s in self.segments]
        return tuple(place for place in all_ if place[1])

    @cached_property
    def areas(self) -> tuple[NoteArea, ...]:
        """The areas that it walks: whole in the file, with alignment 0 to 4, or 8."""
        return tuple(
            walk(offset, self.view.read(offset, length), self.order, 8 if align == 8 else 4)
            for offset, length, align in self.places
            if self.has(offset, length) and (align <= 4 or align == 8)
        )

    @cached_property
    def notes(self) -> tuple[WalkedNote, ...]:
        return tuple(note for area in self.areas for note in area.notes)

    @cached_property
    def shown(self) -> tuple[WalkedNote, ...]:
        """The notes whose printed name contains VMCOREINFO."""
        return tuple(note for note in self.notes if NAME[:-1] in note.shown)

    def broken(self, area: NoteArea) -> str:
        """Return process_notes_at's message about the note at which the walk ends early; empty if it does not."""
        if area.broken is None:
            return ""
        rest = len(area.data) - area.broken
        if rest < HEADER:
            remain = "byte remains" if rest == 1 else "bytes remain"
            return f"{WARNING}Corrupt note: only {rest} {remain}, not enough for a full note"
        where = f"{area.broken:#x}" if area.broken else "0"
        return f"{WARNING}note with invalid namesz and/or descsz found at offset {where}"

    @cached_property
    def message(self) -> str:
        """The first message printed instead of notes; else empty."""
        if not self.by_sections:
            if not self.phnum:
                nothing = NO_HEADERS if self.header.phoff else ""
                return "No notes found file." if self.header.type == ET_CORE else nothing
            if self.no_table is not None:
                return self.no_table
        for offset, length, align in self.places:
            if not self.has(offset, length):
                return cut(length, "section contents" if self.by_sections else "notes")
            if align > 4 and align != 8:
                return misaligned(align)
        return next(filter(None, map(self.broken, self.areas)), "")

    @property
    def note(self) -> Span | None:
        return self.shown[0].span if self.shown else None

    @property
    def text(self) -> bytes | None:
        return self.shown[0].desc if self.shown else None

    @cached_property
    def osrelease(self) -> bytes | None:
        """The release in the first shown note that has one; readelf prints it as hex."""
        releases = (release_of(note.desc) for note in self.shown)
        return next((release for release in releases if release is not None), None)

    @property
    def no_note(self) -> bool:
        """Whether it reads the file as ELF but shows no VMCOREINFO note."""
        return self.is_elf and not self.shown

    def hit(self, span: Span | None = None) -> RuleHit:
        """Return a reason for showing nothing, with the words that it prints."""
        return RuleHit(span, self.message)

    def fault(self, finder: Callable[[NoteArea, ByteOrder], Span | None]) -> RuleHit | None:
        """Return the first area with this fault, with its message; None if a note is shown anyway."""
        for area in self.areas if self.no_note else ():
            span = finder(area, self.order)
            if span is not None:
                return RuleHit(span, self.broken(area))
        return None
