"""A dump as `eu-readelf -n` reads it: where it looks for notes, which notes it decodes, its complaints.

libdwfl opens the file and needs all its program headers; then only sections are searched
if there are any, else PT_NOTEs. Source: elfutils 0.188, src/readelf.c, libelf, libdwfl,
libebl, backends; run: 0.188.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Final

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import NAME, ByteOrder
from vmci_tui.formats.elf_records import (
    EI_CLASS,
    EI_DATA,
    EI_VERSION,
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
from vmci_tui.machines.lookup import machine_of_elf
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import RuleHit
from vmci_tui.readers.shared.elf_notes import NoteArea, WalkedNote, note_segments, walk

FAILED: Final = "eu-readelf: failed reading 'FILE': "
BAD_NOTE: Final = "eu-readelf: cannot get content of note: "
NO_COUNT: Final = "eu-readelf: cannot determine number of program headers: invalid data"
GARBAGE: Final = BAD_NOTE + "garbage data"
OUTSIDE: Final = BAD_NOTE + "invalid operation"
OUTSIDE_SECTION: Final = BAD_NOTE + "invalid section header"
_KEY: Final = b"OSRELEASE="
_RELEASE: Final = re.compile(rb"(?:^|\n) *OSRELEASE=([^\n\0]*)")
_ET_REL: Final = 1
_SHF_COMPRESSED: Final = 0x800
_KEPT: Final = 1 << 16
"""Section headers that are read; a dump has two."""


class EuReading:
    """The file as eu-readelf reads it."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.bits = 32 if IDENT.part("EI_CLASS", view.head) == b"\1" else 64
        self.order: ByteOrder = "big" if IDENT.part("EI_DATA", view.head) == b"\2" else "little"
        self.form = format_of(self.bits, self.order)

    @property
    def identified(self) -> bool:
        """Whether e_ident is valid (libelf/common.h determine_kind): magic, EI_CLASS, EI_DATA and EI_VERSION."""
        head = self.view.head
        if len(head) < IDENT.size or not head.startswith(MAGIC):
            return False
        return head[EI_CLASS] in (1, 2) and head[EI_DATA] in (1, 2) and head[EI_VERSION] == 1

    @property
    def is_elf(self) -> bool:
        return self.identified and self.view.size >= self.form.header_size

    @cached_property
    def header(self) -> ElfHeader:
        return self.view.header(self.bits, self.order)

    @cached_property
    def _sections_claimed(self) -> int:
        """The claimed number of sections: e_shnum, or if that is 0 the size of section 0 (libelf get_shnum)."""
        header, size = self.header, self.form.section.size
        if header.shnum or not header.shoff:
            return header.shnum
        first = self.view.sections(self.bits, self.order, header.shoff, 1)
        return first[0].size if first and header.shoff + size <= self.view.size else 0

    @property
    def too_many_sections(self) -> bool:
        return self._sections_claimed > 0xFFFFFFFF

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """All section headers; empty if the table is not whole in the file."""
        count, offset = self._sections_claimed, self.header.shoff
        if offset + count * self.form.section.size > self.view.size:
            return ()
        return self.view.sections(self.bits, self.order, offset, min(count, _KEPT))

    @cached_property
    def phnum(self) -> int:
        """The number of program headers: that in section 0, even 0, if e_phnum is PN_XNUM (libelf/elf_getphdrnum.c)."""
        if self.header.phnum == PN_XNUM and self.sections:
            return self.sections[0].info
        return self.header.phnum

    @cached_property
    def no_table(self) -> str:
        """Its message if it gives up because of an unreadable header; else empty (libdwfl/dwfl_report_elf.c).

        It continues if not even the first header fits. In a relocatable file libdwfl reads no program headers.
        """
        offset, size = self.header.phoff, self.form.segment.size
        rest, relocatable = self.view.size - offset, self.header.type == _ET_REL
        if offset and rest <= 0:
            return NO_COUNT if relocatable else FAILED + "invalid data"
        cut_off = offset and not relocatable and size <= rest < self.phnum * size
        return FAILED + "invalid data" if cut_off else ""

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """The PT_NOTEs; e_phentsize is not used."""
        offset, size = self.header.phoff, self.form.segment.size
        if not offset or offset + self.phnum * size > self.view.size:
            return ()
        return note_segments(self.view, self.bits, self.order, offset, self.phnum)

    @property
    def opened(self) -> bool:
        """Whether it gets as far as looking for notes."""
        return self.is_elf and not self.too_many_sections and not self.no_table

    @cached_property
    def places(self) -> tuple[tuple[int, int, int], ...]:
        """Offset, length and alignment of all note areas. Section 0 does not count; a compressed one has no notes."""
        if not self.opened:
            return ()
        if self.sections:
            whole = (s for s in self.note_sections if s.size and not s.flags & _SHF_COMPRESSED)
            return tuple((s.offset, s.size, s.addralign) for s in whole)
        return tuple((s.offset, s.filesz, s.align) for s in self.segments)

    @cached_property
    def note_sections(self) -> tuple[Section, ...]:
        return tuple(s for s in self.sections[1:] if s.type == SHT_NOTE)

    @cached_property
    def areas(self) -> tuple[NoteArea, ...]:
        """The areas that are in the file. Any alignment except 8 is read as 4."""
        return tuple(
            walk(offset, self.view.read(offset, length), self.order, 8 if align == 8 else 4)
            for offset, length, align in self.places
            if self.has(offset, length)
        )

    def has(self, offset: int, length: int) -> bool:
        """Whether the file holds these bytes."""
        return offset + length <= self.view.size

    @cached_property
    def notes(self) -> tuple[WalkedNote, ...]:
        return tuple(note for area in self.areas for note in area.notes)

    @property
    def has_backend(self) -> bool:
        """Whether it has a backend with core notes for the machine."""
        return machine_of_elf(self.header.machine, self.bits).eu_readelf

    @cached_property
    def decodes(self) -> bool:
        """Whether it decodes notes: in a core file of a machine that it has a backend for."""
        return self.header.type == ET_CORE and self.has_backend

    @cached_property
    def decoded(self) -> tuple[WalkedNote, ...]:
        """The notes whose text it prints: VMCOREINFO with a NUL, of type 0 (backends/linux-core-note.c)."""
        return tuple(note for note in self.notes if note.name == NAME and note.type == 0) if self.decodes else ()

    @cached_property
    def shown(self) -> WalkedNote | None:
        """The first note whose printed text has `OSRELEASE=`; else the first that it decodes."""
        with_release = (note for note in self.decoded if prints_release(note.desc))
        return next(with_release, self.decoded[0] if self.decoded else None)

    @property
    def accepts(self) -> bool:
        return self.text is not None and prints_release(self.text)

    @property
    def note(self) -> Span | None:
        return None if self.shown is None else self.shown.span

    @property
    def text(self) -> bytes | None:
        return None if self.shown is None else self.shown.desc

    @cached_property
    def osrelease(self) -> bytes | None:
        """The printed part of the first line of the key."""
        lines = (_RELEASE.search(note.desc) for note in self.decoded)
        return next((line[1] for line in lines if line is not None), None)

    @property
    def no_note(self) -> bool:
        """Whether it looks for notes but decodes no VMCOREINFO note."""
        return self.opened and not self.decoded

    @cached_property
    def named(self) -> tuple[WalkedNote, ...]:
        """The notes whose printed name starts with VMCOREINFO."""
        return tuple(note for note in self.notes if note.name.startswith(NAME[:-1]))

    def broken(self, area: NoteArea) -> str:
        """Return its message about the note at which the walk ends early; empty if it does not."""
        return "" if area.broken is None else GARBAGE

    @cached_property
    def message(self) -> str:
        """Its message about the first area that is not whole; else empty."""
        for offset, length, _ in self.places:
            if not self.has(offset, length):
                return OUTSIDE_SECTION if self.sections else OUTSIDE
        return next(filter(None, map(self.broken, self.areas)), "")

    def hit(self, span: Span | None = None) -> RuleHit:
        """Return a reason for decoding nothing, with the words that it prints."""
        return RuleHit(span, self.message)

    def fault(self, finder: Callable[[NoteArea, ByteOrder], Span | None]) -> RuleHit | None:
        """Return the first area with this fault, with its message; None if the walk reaches the note in any area."""
        for area in () if self.named else self.areas:
            span = finder(area, self.order)
            if span is not None:
                return RuleHit(span, self.broken(area))
        return None


def prints_release(text: bytes) -> bool:
    """Whether a printed line has the key, anywhere before its first NUL (src/readelf.c handle_core_item)."""
    at = text.find(_KEY)
    while at >= 0:
        if text.find(b"\0", text.rfind(b"\n", 0, at) + 1, at) < 0:
            return True
        behind = text.find(b"\n", at)
        at = -1 if behind < 0 else text.find(_KEY, behind)
    return False
