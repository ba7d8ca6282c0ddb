"""GNU readelf: `readelf -nW FILE` accepts where `VMCOREINFO` appears in what it prints.

It prints the owner of every note, and the descriptor as hex: it does not read the text, so no
fault of the text can make it refuse. In a core file it searches PT_NOTEs, in any other file
SHT_NOTE sections first. Source: binutils 2.40, binutils/readelf.c; run: 2.40.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, NAME
from vmci_tui.formats.elf_records import EI_CLASS, ET_CORE, IDENT, MAGIC, SHT_NOTE, Section
from vmci_tui.formats.note_kinds import XEN
from vmci_tui.readers.rule import Reader, RuleHit
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
from vmci_tui.readers.shared.elf_program import ElfProgram, Place, elf_field

_VERSION: Final = "2.40"
_ERROR: Final = "readelf: Error: "
_WARNING: Final = "readelf: Warning: "
_NOT_ELF: Final = _ERROR + "Not an ELF file - it has the wrong magic bytes at the start"
_NO_NOTES: Final = "No notes found file."
_NO_HEADERS: Final = (
    _WARNING + "possibly corrupt ELF header - it has a non-zero program header offset, but no program headers"
)
_SMALL_ENTRY: Final = _ERROR + "The e_phentsize field in the ELF header is less than the size of an ELF program header"
_LARGE_ENTRY: Final = (
    _WARNING + "The e_phentsize field in the ELF header is larger than the size of an ELF program header"
)
_NO_SECTIONS: Final = (
    _WARNING + "possibly corrupt ELF file header - it has a non-zero section header offset, but no section headers"
)
_BROKEN: Final = _WARNING + "note with invalid namesz and/or descsz found at offset 0x330"
_SHN_XINDEX: Final = 0xFFFF
_ARCHIVES: Final = (b"!<arch>\n", b"!<thin>\n")


def _cut(length: int, what: str) -> str:
    """Return get_data's message about bytes that the file lacks."""
    return f"{_ERROR}Reading {length} bytes extends past end of file for {what}"


def _misaligned(align: int) -> str:
    """Return process_notes_at's message, which shows the unsigned number as a signed one; empty for 0 to 4, and 8."""
    if align <= 4 or align == 8:
        return ""
    return f"{_WARNING}Corrupt note: alignment {align - (1 << 64) if align >> 63 else align}, expecting 4 or 8"


class Readelf(ElfProgram):
    """The file as readelf reads it."""

    # get_file_header: any class but ELFCLASS64 is read as 32-bit.
    other_class = 32
    stride_counts = True

    @cached_property
    def shnum(self) -> int:
        return super().shnum & 0xFFFFFFFF

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        return () if self.first_section is None else super().sections

    @cached_property
    def no_table(self) -> str | None:
        """get_program_headers' message if it cannot read the program headers; None if it can."""
        size, stride = self.form.segment.size, self.header.phentsize
        if self.phnum * size >= self.view.size:
            return f"{_ERROR}Too many program headers - {self.phnum:#x} - the file is not that big"
        if not stride or not self.phnum:
            return ""
        if stride < size:
            return _SMALL_ENTRY
        length = stride * self.phnum
        return None if self.has(self.header.phoff, length) else _cut(length, "program headers")

    @property
    def has_table(self) -> bool:
        return self.no_table is None

    @cached_property
    def by_sections(self) -> bool:
        return self.header.type != ET_CORE and any(section.type == SHT_NOTE for section in self.sections)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        return tuple(place for place in super().places if place.length)

    def complaint(self, place: Place) -> str:
        if not self.has(place.offset, place.length):
            return _cut(place.length, "section contents" if self.by_sections else "notes")
        return _misaligned(place.align)

    def broken(self, area: NoteArea) -> str:
        if area.broken is None:
            return ""
        rest = len(area.data) - area.broken
        if rest < HEADER:
            remain = "byte remains" if rest == 1 else "bytes remain"
            return f"{_WARNING}Corrupt note: only {rest} {remain}, not enough for a full note"
        where = f"{area.broken:#x}" if area.broken else "0"
        return f"{_WARNING}note with invalid namesz and/or descsz found at offset {where}"

    @cached_property
    def message(self) -> str:
        if not self.by_sections:
            if not self.phnum:
                nothing = _NO_HEADERS if self.header.phoff else ""
                return _NO_NOTES if self.header.type == ET_CORE else nothing
            if self.no_table is not None:
                return self.no_table
        return super().message

    @cached_property
    def shown(self) -> tuple[WalkedNote, ...]:
        """The notes whose printed name contains VMCOREINFO."""
        return tuple(note for note in self.notes if NAME[:-1] in note.shown)

    @property
    def linux(self) -> tuple[WalkedNote, ...]:
        """The shown notes without the hypervisor's, which a dump of a Xen dom0 has together with Linux's."""
        return tuple(note for note in self.shown if note.name != XEN) or self.shown

    @property
    def elsewhere(self) -> bool:
        """Whether e_phoff is neither after the ELF header nor after the section headers."""
        usual = {self.form.header_size + count * self.form.section.size for count in (0, self.header.shnum)}
        return self.header.phoff not in usual and not self.segments

    @property
    def misaligned(self) -> RuleHit | None:
        """The first place with an alignment that readelf does not accept, if no VMCOREINFO note is shown."""
        wrong = (place for place in (self.places if self.no_note else ()) if _misaligned(place.align))
        return next((RuleHit(Span(each.offset, each.length), _misaligned(each.align)) for each in wrong), None)

    @property
    def sections_cut(self) -> RuleHit | None:
        """The section headers, if they are not whole in the file."""
        length = self.section_stride * self.shnum
        read = self.is_elf and self.header.shoff and self.section_stride >= self.form.section.size
        if not read or self.has(self.header.shoff, length):
            return None
        return RuleHit(self.form.span("e_shoff"), _cut(length, "section headers"))

    @property
    def names_cut(self) -> RuleHit | None:
        """The header of the section names, if these are not whole in the file."""
        index, size = self.header.shstrndx, self.form.section.size
        if index == _SHN_XINDEX and self.first_section is not None:
            index = self.first_section.link
        if not self.is_elf or not 0 < index < len(self.sections):
            return None
        names = self.sections[index]
        if self.has(names.offset, names.size):
            return None
        return RuleHit(Span(self.header.shoff + index * size, size), _cut(names.size, "string table"))


def _said(r: Readelf) -> str:
    return r.message


row: Final[RuleRows[Readelf]] = RuleRows(f"binutils {_VERSION}, binutils/readelf.c ", elf_field)
# fmt: off
_RULES: Final = (
    row("C02", "before", "too-short", "get_file_header, process_file", _ERROR + "FILE: Failed to read file header",
        "The file ends inside the ELF header, which has 64 bytes (52 in a 32-bit file).",
        holds=lambda r: not r.has(0, r.form.header_size), where=lambda r: Span(0, r.view.size),
        says=lambda r: _ERROR + "FILE: Failed to read " + ("file header" if r.has(0, 8) else "file's magic number")),
    row("C17", "before", "another-container", "check_magic_number", _NOT_ELF,
        "readelf reads ELF files only; this is a kdump-compressed or flattened dump.",
        where=lambda r: other_container(r.view.head)),
    row("C17", "before", "archive", "process_archive", "",
        "An ar archive: readelf reads its members.",
        holds=lambda r: r.view.head.startswith(_ARCHIVES), where=lambda _: Span(0, len(_ARCHIVES[0])), observed=False),
    row("C13", "before", "magic", "check_magic_number", _NOT_ELF,
        r"The first four bytes are not \x7fELF; readelf checks nothing else.",
        holds=lambda r: r.magic != MAGIC, where=lambda _: IDENT.span("magic")),
    row("C13", "before", "byte-order", "get_file_header", "",
        "EI_DATA names the wrong byte order (e_version reads as 0x1000000), so every number in the headers is "
        "swapped.",
        holds=lambda r: r.no_note and not r.places and r.header.version == 0x01000000,
        where="EI_DATA", says=_said),
    row("C13", "before", "class", "get_file_header", _NO_NOTES,
        "EI_CLASS is neither 1 nor 2; readelf then reads the file as 32-bit, and looks for its tables elsewhere.",
        holds=lambda r: r.no_note and not r.places and r.view.head[EI_CLASS] not in (1, 2),
        where="EI_CLASS", says=_said),
    row("C01", "before", "class-of-machine", "get_file_header", _NO_NOTES,
        "EI_CLASS is not that of the machine, so the headers are read with fields of the wrong width.",
        holds=lambda r: r.no_note and not r.places and other_class(r.header.machine, r.bits),
        where="EI_CLASS", says=_said),
    row("C16", "before", "no-headers", "process_notes", _NO_NOTES,
        "e_phnum is 0: there are no program headers, and so no notes.",
        holds=lambda r: r.missed_by_segments and not r.phnum, where="e_phnum", says=_said),
    row("C05", "before", "entry-size", "get_64bit_program_headers", _SMALL_ENTRY,
        "e_phentsize is smaller than a program header; with 0 readelf prints nothing.",
        holds=lambda r: r.missed_by_segments and r.header.phentsize < r.form.segment.size,
        where="e_phentsize", says=_said),
    row("C06", "before", "headers-elsewhere", "get_program_headers", _cut(112, "program headers"),
        "e_phoff does not point at a program header, neither after the ELF header nor after the section headers.",
        holds=lambda r: r.missed_by_segments and r.elsewhere, where="e_phoff", says=_said),
    row("C16", "before", "table-cut", "get_program_headers",
        _ERROR + "Too many program headers - 0xffff - the file is not that big",
        "The file is not large enough for e_phnum program headers.",
        holds=lambda r: r.missed_by_segments and bool(r.no_table), where="e_phnum", says=_said),
    row("C07", "note", "sections", "process_note_sections", "",
        "e_type is not ET_CORE and there are SHT_NOTE sections: readelf searches only them, not PT_NOTEs.",
        holds=lambda r: r.no_note and r.by_sections, where="e_type", says=_said),
    row("C03", "note", "no-note-segment", "process_corefile_note_segments", "",
        "There is no PT_NOTE with bytes; readelf prints nothing.",
        holds=lambda r: r.missed_by_segments and r.has_table and not r.places, says=_said),
    row("C02", "note", "notes-cut", "process_notes_at, get_data", _cut(4096, "notes"),
        "A PT_NOTE reaches past the end of the file; readelf then reads none of its notes, not even whole ones.",
        where=lambda r: r.cut_off),
    row("C10", "note", "alignment", "process_notes_at", _misaligned(4096),
        "p_align of the PT_NOTE must be 0 to 4, or 8; otherwise readelf does not read the notes.",
        where=lambda r: r.misaligned),
    row("C10", "note", "padded-to-4", "process_notes_at", "",
        "p_align is 8, so readelf looks for each note at a multiple of 8; the kernel pads notes to 4.",
        where=lambda r: r.fault(padded_to_4)),
    row("N08", "note", "byte-swapped", "process_notes_at", _BROKEN,
        "The byte order of the VMCOREINFO note's header is not that of the file.",
        where=lambda r: r.fault(byte_swapped)),
    row("N12", "note", "unpadded", "process_notes_at", _BROKEN,
        "The last note lacks its padding: the whole note, up to a multiple of 4, must be in the PT_NOTE.",
        where=lambda r: r.fault(unpadded)),
    row("N15", "note", "shifted", "process_notes_at", _BROKEN,
        "Zero bytes before the note are not a multiple of a note header, so it is looked for at a wrong place.",
        where=lambda r: r.fault(shifted)),
    row("N02", "note", "broken", "process_notes_at", _BROKEN,
        "A note claims more bytes than there are; readelf stops there.",
        where=lambda r: r.fault(broken_note)),
    row("N04", "note", "other-name", "process_note", "",
        "The text is in a note with another name; readelf prints only names, so nothing shows that it is there.",
        where=lambda r: next((note.span for note in r.notes if r.no_note and note.has_text), None)),
    row("N02", "note", "too-many-notes", "process_notes_at", "",
        "There are more notes than vmci follows; readelf would continue.",
        holds=lambda r: r.too_many_notes, observed=False),
    row("N01", "note", "no-note", "process_note", "",
        "None of the notes is named VMCOREINFO.",
        holds=lambda r: r.no_note, says=_said),
    row("N04", "note", "only-contains", "process_note", "",
        "readelf prints the note like any other; its name is not exactly VMCOREINFO and one NUL.",
        where=lambda r: next((note.span for note in r.linux if note.name != NAME), None), refuses=False),
    row("N05", "note", "several", "process_notes_at", "",
        "readelf prints every VMCOREINFO note; the first is shown here.",
        holds=lambda r: len(r.linux) > 1, where=lambda r: r.linux[1].span, refuses=False),
    row("N02", "note", "broken-behind", "process_notes_at",
        _WARNING + "Corrupt note: only 4 bytes remain, not enough for a full note",
        "After the note is another one that is not whole; readelf complains about it.",
        where=lambda r: r.broken_behind, refuses=False),
    row("C05", "before", "large-entry", "get_64bit_program_headers", _LARGE_ENTRY,
        "e_phentsize is larger than a program header; readelf complains, but reads the headers without gaps.",
        holds=lambda r: r.is_elf and r.header.phentsize > r.form.segment.size, where="e_phentsize", refuses=False),
    row("C07", "before", "no-sections", "process_section_headers", _NO_SECTIONS,
        "e_shoff is not 0, but there are no section headers.",
        holds=lambda r: r.is_elf and r.header.shoff > 0 and not r.shnum, where="e_shoff", refuses=False),
    row("C07", "before", "sections-cut", "process_section_headers", _cut(128, "section headers"),
        "The section headers are not in the file; readelf complains and continues without them.",
        where=lambda r: r.sections_cut, refuses=False),
    row("C07", "before", "names-cut", "process_section_headers", _cut(792633534417207296, "string table"),
        "The section names are not in the file (QEMU does not swap their header in a big-endian dump).",
        where=lambda r: r.names_cut, refuses=False),
)
# fmt: on


def _accepted(r: Readelf) -> str:
    """Return owner and size of the note as printed; the descriptor follows as hex."""
    note = r.shown[0]
    return f"{note.shown.decode('latin-1'):<20} 0x{len(note.desc):08x}"


READER: Final = Reader(
    "readelf",
    _VERSION,
    "readelf -nW FILE",
    Readelf,
    rules_of=lambda _: _RULES,
    accepted=_accepted,
    lines=lambda _: {},  # it shows the text as hex
    keys={},
    known=("2.35.2", "2.40", "2.44", "2.47.50"),
)
