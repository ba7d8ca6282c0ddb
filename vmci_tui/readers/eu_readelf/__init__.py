"""eu-readelf of elfutils: `eu-readelf -n FILE` accepts where `OSRELEASE=` appears in what it prints.

libdwfl opens the file and needs all its program headers; then only sections are searched if
there are any, else PT_NOTEs. It prints the text of a note with the exact name, line by line,
and does not parse keys. Source: elfutils 0.188, src/readelf.c, libelf, libdwfl, libebl,
backends; run: 0.188.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Final

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import NAME, note_header
from vmci_tui.formats.elf_records import ET_CORE, PN_XNUM, SHT_NOTE, Section
from vmci_tui.machines.lookup import machine_of_elf
from vmci_tui.readers.libelf import Libelf
from vmci_tui.readers.rule import Reader
from vmci_tui.readers.rule_rows import RuleRows
from vmci_tui.readers.shared.elf_notes import (
    NoteArea,
    WalkedNote,
    broken_note,
    byte_swapped,
    other_class,
    other_container,
    padded_to_4,
    shifted,
    unpadded,
)
from vmci_tui.readers.shared.elf_program import Place, elf_field
from vmci_tui.readers.shared.text_lines import c_string, first_values

_VERSION: Final = "0.188"
_MIPS, _LOONGARCH = 8, 258
"""The machines for which eu-readelf got a backend after 0.188."""
_FAILED: Final = "eu-readelf: failed reading 'FILE': "
_BAD_NOTE: Final = "eu-readelf: cannot get content of note: "
_NO_COUNT: Final = "eu-readelf: cannot determine number of program headers: invalid data"
_GARBAGE: Final = _BAD_NOTE + "garbage data"
_OUTSIDE: Final = _BAD_NOTE + "invalid operation"
_OUTSIDE_SECTION: Final = _BAD_NOTE + "invalid section header"
_NOT_ELF: Final = _FAILED + "not a valid ELF file"
_INVALID: Final = _FAILED + "invalid data"
_ARCHIVE: Final = b"!<arch>\n"
_PACKED: Final = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x5d\0\0", b"\x28\xb5\x2f\xfd", _ARCHIVE)
"""gzip, bzip2, xz, lzma, zstd: it unpacks the whole file in memory; ar archives."""
_KEY: Final = b"OSRELEASE="
_RELEASE: Final = re.compile(rb"(?:^|\n) *OSRELEASE=([^\n\0]*)")
_ET_REL: Final = 1
_SHF_COMPRESSED: Final = 0x800


class EuReadelf(Libelf):
    """The file as eu-readelf reads it."""

    @cached_property
    def no_table(self) -> str:
        """Its message if it gives up because of an unreadable header; else empty (libdwfl/dwfl_report_elf.c).

        It continues if not even the first header fits. In a relocatable file libdwfl reads no program headers.
        """
        relocatable = self.header.type == _ET_REL
        if self.headers_behind:
            return _NO_COUNT if relocatable else _INVALID
        return _INVALID if self.headers_cut and not relocatable else ""

    @property
    def opened(self) -> bool:
        return self.is_elf and not self.too_many_sections and not self.no_table

    @property
    def by_sections(self) -> bool:
        return bool(self.sections)

    @cached_property
    def note_sections(self) -> tuple[Section, ...]:
        """The SHT_NOTE sections; section 0 does not count."""
        return tuple(section for section in self.sections[1:] if section.type == SHT_NOTE)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        if not self.opened or not self.by_sections:
            return super().places
        walked = (section for section in self.note_sections if section.size and not section.flags & _SHF_COMPRESSED)
        return tuple(Place(section.offset, section.size, section.addralign) for section in walked)

    def complaint(self, place: Place) -> str:
        if self.has(place.offset, place.length):
            return ""
        return _OUTSIDE_SECTION if self.by_sections else _OUTSIDE

    def broken(self, area: NoteArea) -> str:
        return "" if area.broken is None else _GARBAGE

    @property
    def has_backend(self) -> bool:
        """Whether it has a backend with core notes for the machine."""
        return machine_of_elf(self.header.machine, self.bits).eu_readelf

    @cached_property
    def shown(self) -> tuple[WalkedNote, ...]:
        """The notes whose text it prints: VMCOREINFO with a NUL, of type 0, in a core file of a known machine.

        Source: backends/linux-core-note.c.
        """
        decodes = self.header.type == ET_CORE and self.has_backend
        return tuple(note for note in self.notes if note.name == NAME and note.type == 0) if decodes else ()

    @cached_property
    def chosen(self) -> WalkedNote | None:
        """The first note whose printed text has `OSRELEASE=`; else the first that it decodes."""
        return next((note for note in self.shown if _prints_release(note.desc)), super().chosen)

    @property
    def release_missing(self) -> bool:
        """Whether it decodes a note, but prints no release."""
        return self.chosen is not None and not _prints_release(self.chosen.desc)

    def release_in(self, text: bytes) -> bytes | None:
        """Return the printed part of the first line of the key."""
        line = _RELEASE.search(text)
        return None if line is None else line[1]

    @cached_property
    def named(self) -> tuple[WalkedNote, ...]:
        """The notes whose printed name starts with VMCOREINFO."""
        return tuple(note for note in self.notes if note.name.startswith(NAME[:-1]))

    @property
    def missed(self) -> bool:
        return not self.named

    @property
    def nothing_found(self) -> bool:
        """Whether it opens the file as ELF, but finds neither sections nor PT_NOTEs."""
        return self.is_elf and not self.places and not self.sections

    @property
    def no_note_sections(self) -> bool:
        """Whether it searches sections, but none of them is a SHT_NOTE."""
        return self.no_note and self.by_sections and not self.note_sections

    @property
    def other_sections(self) -> bool:
        """Whether it searches SHT_NOTE sections, but none of them contains VMCOREINFO."""
        found = any(NAME[:-1] in area.data for area in self.areas)
        return self.no_note and bool(self.note_sections) and not found

    @property
    def has_headers(self) -> bool:
        """Whether at least one program header is in the file."""
        offset = self.header.phoff
        return self.phnum > 0 and offset > 0 and self.has(offset, self.form.segment.size)

    @property
    def other_type(self) -> Span | None:
        """The type of the first VMCOREINFO note whose type is not 0."""
        found = (note.offset for note in self.named if note.name == NAME and note.type)
        return next((note_header(self.order).span("type", offset) for offset in found), None)

    @property
    def other_name(self) -> Span | None:
        """The first note with a similar name, or with the text under another name."""
        others = (note for note in self.notes if note.name != NAME)
        return next((note.span for note in others if note in self.named or note.has_text), None)


def _prints_release(text: bytes) -> bool:
    """Whether a printed line has the key, anywhere before its first NUL (src/readelf.c handle_core_item)."""
    at = text.find(_KEY)
    while at >= 0:
        if text.find(b"\0", text.rfind(b"\n", 0, at) + 1, at) < 0:
            return True
        behind = text.find(b"\n", at)
        at = -1 if behind < 0 else text.find(_KEY, behind)
    return False


def _said(r: EuReadelf) -> str:
    return r.message


def _no_table(r: EuReadelf) -> str:
    return r.no_table


row: Final[RuleRows[EuReadelf]] = RuleRows(f"elfutils {_VERSION}, ", elf_field)
# fmt: off
_RULES: Final = (
    row("C02", "before", "empty", "src/readelf.c create_dwfl", "eu-readelf: input file is empty",
        "The file is empty.",
        holds=lambda r: not r.view.size, where=lambda _: Span(0, 0)),
    row("C17", "before", "another-container", "libdwfl/open.c libdw_open_elf", _NOT_ELF,
        "eu-readelf reads ELF files only; this is a kdump-compressed or flattened dump.",
        where=lambda r: other_container(r.view.head)),
    row("C17", "before", "packed", "libdwfl/open.c decompress, libdwfl/offline.c process_archive", "",
        "A compressed file or an ar archive: eu-readelf reads its content, which vmci does not know.",
        holds=lambda r: r.view.head.startswith(_PACKED), where=lambda _: Span(0, len(_ARCHIVE)), observed=False),
    row("C13", "before", "identification", "libelf/common.h determine_kind", _NOT_ELF,
        r"The file does not start with \x7fELF, EI_CLASS 1 or 2, EI_DATA 1 or 2 and EI_VERSION 1: all four are "
        "checked.",
        where=lambda r: r.wrong_ident),
    row("C02", "before", "too-short", "libelf/elf_begin.c get_shnum", _FAILED + "invalid ELF file data",
        "The file ends inside the ELF header, which has 64 bytes (52 in a 32-bit file).",
        holds=lambda r: r.wrong_ident is None and not r.is_elf, where=lambda r: Span(0, r.view.size)),
    row("C07", "before", "section-count", "libelf/elf_begin.c get_shnum", _FAILED + "invalid ELF file data",
        "e_shnum is 0 and e_shoff is not: the size of section 0 is the number of sections, and must fit 32 bits.",
        holds=lambda r: r.is_elf and r.too_many_sections, where="e_shoff"),
    row("C13", "before", "byte-order", "libelf/elf_begin.c file_read_elf", _INVALID,
        "EI_DATA names the wrong byte order (e_version reads as 0x1000000), so every number in the headers is "
        "swapped.",
        holds=lambda r: r.nothing_found and r.header.version == 0x01000000, where="EI_DATA", says=_no_table),
    row("C01", "before", "class-of-machine", "libelf/elf_begin.c file_read_elf", "",
        "EI_CLASS is not that of the machine, so the headers are read with fields of the wrong width.",
        holds=lambda r: r.nothing_found and other_class(r.header.machine, r.bits), where="EI_CLASS", says=_no_table),
    row("C06", "before", "headers-elsewhere", "libelf/elf_getphdrnum.c", _INVALID,
        "e_phoff is after the end of the file.",
        holds=lambda r: r.is_elf and bool(r.no_table) and r.header.phoff >= r.view.size,
        where="e_phoff", says=_no_table),
    row("C16", "before", "table-cut", "libdwfl/dwfl_report_elf.c __libdwfl_elf_address_range", _INVALID,
        "The file does not hold e_phnum program headers; eu-readelf then reads none of them.",
        holds=lambda r: r.is_elf and bool(r.no_table), where="e_phnum", says=_no_table),
    row("C11", "note", "many-headers", "src/readelf.c handle_notes", "",
        "More than 65,534 program headers need a section header for their number; then only sections are searched.",
        holds=lambda r: r.no_note_sections and r.header.phnum == PN_XNUM, where="e_phnum"),
    row("C07", "note", "sections", "src/readelf.c handle_notes", "",
        "The file has section headers, so only SHT_NOTE sections are searched; there is none, so nothing is "
        "printed. QEMU 7.2 and later write two sections of other types.",
        holds=lambda r: r.no_note_sections, where="e_shnum"),
    row("C07", "note", "other-sections", "src/readelf.c handle_notes", "",
        "Only SHT_NOTE sections are searched, and none of them is in a PT_NOTE with VMCOREINFO.",
        holds=lambda r: r.other_sections, where="e_shoff", says=_said),
    row("C16", "note", "no-headers", "src/readelf.c handle_notes", "",
        "There are no program headers: e_phnum or e_phoff is 0, or not even one fits; nothing is printed.",
        holds=lambda r: r.missed_by_segments and not r.has_headers,
        where=lambda r: r.form.span("e_phoff" if r.phnum else "e_phnum")),
    row("C03", "note", "no-note-segment", "src/readelf.c handle_notes", "",
        "There is no PT_NOTE with bytes; eu-readelf prints nothing.",
        holds=lambda r: r.missed_by_segments and not any(place.length for place in r.places)),
    row("C02", "note", "notes-cut", "libelf/elf_getdata_rawchunk.c", _OUTSIDE,
        "A PT_NOTE reaches past the end of the file; eu-readelf then reads none of its notes, not even whole ones.",
        where=lambda r: r.cut_off),
    row("C10", "note", "padded-to-4", "libelf/gelf_getnote.c", "",
        "p_align is 8, so eu-readelf looks for each note at a multiple of 8; the kernel pads notes to 4.",
        where=lambda r: r.fault(padded_to_4)),
    row("N08", "note", "byte-swapped", "libelf/gelf_getnote.c", _GARBAGE,
        "The byte order of the VMCOREINFO note's header is not that of the file.",
        where=lambda r: r.fault(byte_swapped)),
    row("N12", "note", "unpadded", "libelf/gelf_getnote.c", _GARBAGE,
        "The last note lacks its padding: the whole note, up to a multiple of 4, must be in the PT_NOTE.",
        where=lambda r: r.fault(unpadded)),
    row("N15", "note", "shifted", "libelf/gelf_getnote.c", _GARBAGE,
        "Zero bytes before the note are not a multiple of a note header, so it is looked for at a wrong place.",
        where=lambda r: r.fault(shifted)),
    row("N02", "note", "broken", "libelf/gelf_getnote.c", _GARBAGE,
        "A note claims more bytes than there are; eu-readelf stops there.",
        where=lambda r: r.fault(broken_note)),
    row("C04", "note", "not-a-core", "src/readelf.c handle_notes_data", "",
        "e_type is not ET_CORE: the note is listed, but eu-readelf prints its text only for a core file.",
        holds=lambda r: r.no_note and bool(r.named) and r.header.type != ET_CORE, where="e_type"),
    row("C12", "note", "machine", "libebl/eblopenbackend.c", "",
        "eu-readelf has no backend for this e_machine, or one without core notes: the text is not printed.",
        holds=lambda r: r.no_note and bool(r.named) and not r.has_backend, where="e_machine"),
    row("C12", "note", "loongarch", "libebl/eblopenbackend.c", "",
        "eu-readelf before 0.189 has no backend for LoongArch: the text is not printed.",
        holds=lambda r: bool(r.shown) and r.header.machine == _LOONGARCH, where="e_machine", until=(0, 189)),
    row("C12", "note", "mips", "libebl/eblopenbackend.c", "",
        "eu-readelf 0.188 has no backend for MIPS, 0.192 has one: the text is not printed.",
        holds=lambda r: bool(r.shown) and r.header.machine == _MIPS, where="e_machine", until=(0, 192)),
    row("N09", "note", "type", "backends/linux-core-note.c core_note", "",
        "The type of the VMCOREINFO note is not 0: it is listed without its text.",
        where=lambda r: r.other_type if r.no_note else None),
    row("N04", "note", "name", "backends/linux-core-note.c core_note", "",
        "The name must be VMCOREINFO with one NUL, 11 bytes; a note of any other name is listed without its text.",
        where=lambda r: r.other_name if r.no_note else None),
    row("N02", "note", "too-many-notes", "src/readelf.c handle_notes_data", "",
        "There are more notes than vmci follows; eu-readelf would continue.",
        holds=lambda r: r.too_many_notes, observed=False),
    row("N01", "note", "no-note", "src/readelf.c handle_notes_data", "",
        "None of the notes is named VMCOREINFO.",
        holds=lambda r: r.no_note, says=_said),
    row("T03", "after", "behind-nul", "src/readelf.c handle_core_item", "",
        "There is a NUL before OSRELEASE= in its line, and each line is printed only up to its first NUL.",
        holds=lambda r: r.release_missing and any(note.has_text for note in r.shown), where=lambda r: r.note),
    row("T09", "after", "no-release", "src/readelf.c handle_core_item", "",
        "The text has no OSRELEASE=; eu-readelf prints the text, but nothing shows which kernel it is from.",
        holds=lambda r: r.release_missing, where=lambda r: r.note),
    row("T03", "after", "nul", "src/readelf.c handle_core_item", "",
        "There is a NUL in the text: the rest of that line is not printed.",
        holds=lambda r: r.text is not None and b"\0" in r.text, where=lambda r: r.note, refuses=False),
    row("N05", "note", "several", "src/readelf.c handle_notes_data", "",
        "eu-readelf prints the text of every VMCOREINFO note; the first is shown here.",
        holds=lambda r: len(r.shown) > 1, where=lambda r: r.shown[1].span, refuses=False),
    row("N02", "note", "broken-behind", "src/readelf.c handle_notes_data", _GARBAGE,
        "After the note is another one that is not whole; eu-readelf complains about it.",
        where=lambda r: r.broken_behind, refuses=False),
)
# fmt: on


def _accepted(r: EuReadelf) -> str:
    """Return the printed line that names the kernel."""
    return "OSRELEASE=" + (r.osrelease or b"").decode("latin-1")


def _lines(text: bytes) -> Mapping[bytes, bytes]:
    """Return the first line of each key, up to a NUL; eu-readelf prints all lines."""
    return first_values(map(c_string, text.split(b"\n")))


READER: Final = Reader(
    "eu-readelf",
    _VERSION,
    "eu-readelf -n FILE",
    EuReadelf,
    rules_of=lambda _: _RULES,
    accepted=_accepted,
    lines=_lines,
    keys={},
    known=("0.183", "0.188", "0.192", "0.196"),
    shows_refused=False,
)
