"""GNU readelf: `readelf -nW FILE` accepts where `VMCOREINFO` appears in what it prints.

It prints the owner of every note, and the descriptor as hex: it does not read the text, so no
fault of the text can make it refuse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import NAME, NOTE_LIMIT
from vmci_tui.formats.elf_records import EI_CLASS, IDENT, MAGIC
from vmci_tui.formats.note_kinds import XEN
from vmci_tui.readers.readelf.elf_reading import ERROR, SMALL_ENTRY, WARNING, ReadelfReading, cut, misaligned
from vmci_tui.readers.rule import Reader, RuleHit, Rules, why
from vmci_tui.readers.shared.elf_notes import (
    WalkedNote,
    broken_note,
    byte_swapped,
    other_class,
    other_container,
    padded_to_4,
    shifted,
    unpadded,
)

_VERSION: Final = "2.40"
_SOURCE: Final = f"binutils {_VERSION}, binutils/readelf.c"
_NOT_ELF: Final = ERROR + "Not an ELF file - it has the wrong magic bytes at the start"
_LARGE_ENTRY: Final = (
    WARNING + "The e_phentsize field in the ELF header is larger than the size of an ELF program header"
)
_NO_SECTIONS: Final = (
    WARNING + "possibly corrupt ELF file header - it has a non-zero section header offset, but no section headers"
)
_SHN_XINDEX: Final = 0xFFFF
_ARCHIVES: Final = (b"!<arch>\n", b"!<thin>\n")
_BROKEN: Final = WARNING + "note with invalid namesz and/or descsz found at offset 0x330"

rule: Rules[ReadelfReading] = Rules()


@rule("C02", "before", ERROR + "FILE: Failed to read file header", f"{_SOURCE} get_file_header, process_file")
@why("The file ends inside the ELF header, which has 64 bytes (52 in a 32-bit file).")
def _too_short(r: ReadelfReading) -> RuleHit | None:
    if r.view.size >= r.form.header_size:
        return None
    words = "Failed to read file's magic number" if r.view.size < 8 else "Failed to read file header"
    return RuleHit(Span(0, r.view.size), f"{ERROR}FILE: {words}")


@rule("C17", "before", _NOT_ELF, f"{_SOURCE} check_magic_number")
@why("readelf reads ELF files only; this is a kdump-compressed or flattened dump.")
def _another_container(r: ReadelfReading) -> RuleHit | None:
    return other_container(r.view.head)


@rule("C17", "before", "", f"{_SOURCE} process_archive", observed=False)
@why("An ar archive: readelf reads its members.")
def _archive(r: ReadelfReading) -> RuleHit | None:
    return RuleHit(Span(0, len(_ARCHIVES[0]))) if r.view.head.startswith(_ARCHIVES) else None


@rule("C13", "before", _NOT_ELF, f"{_SOURCE} check_magic_number")
@why(r"The first four bytes are not \x7fELF; readelf checks nothing else.")
def _magic(r: ReadelfReading) -> RuleHit | None:
    return None if r.magic == MAGIC else RuleHit(IDENT.span("magic"))


@rule("C13", "before", "", f"{_SOURCE} get_file_header")
@why("EI_DATA names the wrong byte order (e_version reads as 0x1000000), so every number in the headers is swapped.")
def _byte_order(r: ReadelfReading) -> RuleHit | None:
    return r.hit(r.form.span("EI_DATA")) if r.no_note and not r.places and r.header.version == 0x01000000 else None


@rule("C13", "before", "No notes found file.", f"{_SOURCE} get_file_header")
@why("EI_CLASS is neither 1 nor 2; readelf then takes the file for a 32-bit one and finds its tables elsewhere.")
def _class(r: ReadelfReading) -> RuleHit | None:
    return (
        r.hit(r.form.span("EI_CLASS")) if r.no_note and not r.places and r.view.head[EI_CLASS] not in (1, 2) else None
    )


@rule("C01", "before", "No notes found file.", f"{_SOURCE} get_file_header")
@why("EI_CLASS is not that of the machine, so the headers are read with fields of the wrong width.")
def _class_of_machine(r: ReadelfReading) -> RuleHit | None:
    return (
        r.hit(r.form.span("EI_CLASS")) if r.no_note and not r.places and other_class(r.header.machine, r.bits) else None
    )


@rule("C16", "before", "No notes found file.", f"{_SOURCE} process_notes")
@why("e_phnum is 0: there are no program headers, and so no notes.")
def _no_headers(r: ReadelfReading) -> RuleHit | None:
    return r.hit(r.form.span("e_phnum")) if r.no_note and not r.by_sections and not r.phnum else None


@rule("C05", "before", SMALL_ENTRY, f"{_SOURCE} get_64bit_program_headers")
@why("e_phentsize is smaller than a program header; with 0 readelf prints nothing.")
def _entry_size(r: ReadelfReading) -> RuleHit | None:
    wrong = r.no_note and not r.by_sections and r.header.phentsize < r.form.segment.size
    return r.hit(r.form.span("e_phentsize")) if wrong else None


@rule("C06", "before", cut(112, "program headers"), f"{_SOURCE} get_program_headers")
@why("e_phoff does not point at a program header, neither after the ELF header nor after the section headers.")
def _headers_elsewhere(r: ReadelfReading) -> RuleHit | None:
    usual = {r.form.header_size + count * r.form.section.size for count in (0, r.header.shnum)}
    wrong = r.no_note and not r.by_sections and r.header.phoff not in usual and not r.segments
    return r.hit(r.form.span("e_phoff")) if wrong else None


@rule(
    "C16",
    "before",
    ERROR + "Too many program headers - 0xffff - the file is not that big",
    f"{_SOURCE} get_program_headers",
)
@why("The file is not large enough for e_phnum program headers.")
def _table_cut(r: ReadelfReading) -> RuleHit | None:
    return r.hit(r.form.span("e_phnum")) if r.no_note and not r.by_sections and r.no_table else None


@rule("C07", "note", "", f"{_SOURCE} process_note_sections")
@why("e_type is not ET_CORE and there are SHT_NOTE sections: readelf searches only them, not PT_NOTEs.")
def _sections(r: ReadelfReading) -> RuleHit | None:
    return r.hit(r.form.span("e_type")) if r.no_note and r.by_sections else None


@rule("C03", "note", "", f"{_SOURCE} process_corefile_note_segments")
@why("There is no PT_NOTE with bytes; readelf prints nothing.")
def _no_note_segment(r: ReadelfReading) -> RuleHit | None:
    return r.hit() if r.no_note and not r.by_sections and r.no_table is None and not r.places else None


@rule("C02", "note", cut(4096, "notes"), f"{_SOURCE} process_notes_at, get_data")
@why("A PT_NOTE reaches past the end of the file; readelf then reads none of its notes, not even whole ones.")
def _notes_cut(r: ReadelfReading) -> RuleHit | None:
    outside = next((place for place in r.places if not r.has(place[0], place[1])), None)
    if not r.no_note or outside is None:
        return None
    return RuleHit(
        Span(min(outside[0], r.view.size), 0), cut(outside[1], "section contents" if r.by_sections else "notes")
    )


@rule("C10", "note", misaligned(4096), f"{_SOURCE} process_notes_at")
@why("p_align of the PT_NOTE must be 0 to 4, or 8; otherwise readelf does not read the notes.")
def _alignment(r: ReadelfReading) -> RuleHit | None:
    wrong = next((place for place in r.places if place[2] > 4 and place[2] != 8), None)
    if not r.no_note or wrong is None:
        return None
    return RuleHit(Span(wrong[0], wrong[1]), misaligned(wrong[2]))


@rule("C10", "note", "", f"{_SOURCE} process_notes_at")
@why("p_align is 8, so readelf looks for each note at a multiple of 8; the kernel pads notes to 4.")
def _padded_to_4(r: ReadelfReading) -> RuleHit | None:
    return r.fault(padded_to_4)


@rule("N08", "note", _BROKEN, f"{_SOURCE} process_notes_at")
@why("The byte order of the VMCOREINFO note's header is not that of the file.")
def _byte_swapped(r: ReadelfReading) -> RuleHit | None:
    return r.fault(byte_swapped)


@rule("N12", "note", _BROKEN, f"{_SOURCE} process_notes_at")
@why("The last note lacks its padding: the whole note, up to a multiple of 4, must be in the PT_NOTE.")
def _unpadded(r: ReadelfReading) -> RuleHit | None:
    return r.fault(unpadded)


@rule("N15", "note", _BROKEN, f"{_SOURCE} process_notes_at")
@why("Zero bytes before the note are not a multiple of a note header, so it is looked for at a wrong place.")
def _shifted(r: ReadelfReading) -> RuleHit | None:
    return r.fault(shifted)


@rule("N02", "note", _BROKEN, f"{_SOURCE} process_notes_at")
@why("A note claims more bytes than there are; readelf stops there.")
def _broken(r: ReadelfReading) -> RuleHit | None:
    return r.fault(broken_note)


@rule("N04", "note", "", f"{_SOURCE} process_note")
@why("The text is in a note with another name; readelf prints only names, so nothing shows that it is there.")
def _other_name(r: ReadelfReading) -> RuleHit | None:
    found = next((note for note in r.notes if note.has_text), None) if r.no_note else None
    return None if found is None else RuleHit(found.span)


@rule("N02", "note", "", f"{_SOURCE} process_notes_at", observed=False)
@why("There are more notes than vmci follows; readelf would continue.")
def _too_many_notes(r: ReadelfReading) -> RuleHit | None:
    return RuleHit() if r.no_note and any(len(area.notes) >= NOTE_LIMIT for area in r.areas) else None


@rule("N01", "note", "", f"{_SOURCE} process_note")
@why("None of the notes is named VMCOREINFO.")
def _no_note(r: ReadelfReading) -> RuleHit | None:
    return r.hit() if r.no_note else None


@rule("N04", "note", "", f"{_SOURCE} process_note", refuses=False)
@why("readelf prints the note like any other; its name is not exactly VMCOREINFO and one NUL.")
def _only_contains(r: ReadelfReading) -> RuleHit | None:
    found = next((note for note in _linux(r.shown) if note.name != NAME), None)
    return None if found is None else RuleHit(found.span)


@rule("N05", "note", "", f"{_SOURCE} process_notes_at", refuses=False)
@why("readelf prints every VMCOREINFO note; the first is shown here.")
def _several(r: ReadelfReading) -> RuleHit | None:
    shown = _linux(r.shown)
    return RuleHit(shown[1].span) if len(shown) > 1 else None


def _linux(notes: Sequence[WalkedNote]) -> Sequence[WalkedNote]:
    """Return the notes without the hypervisor's, which a dump of a Xen dom0 has together with Linux's."""
    return [note for note in notes if note.name != XEN] or notes


@rule(
    "N02",
    "note",
    WARNING + "Corrupt note: only 4 bytes remain, not enough for a full note",
    f"{_SOURCE} process_notes_at",
    refuses=False,
)
@why("After the note is another one that is not whole; readelf complains about it.")
def _broken_behind(r: ReadelfReading) -> RuleHit | None:
    broken = next((area for area in r.areas if area.broken is not None), None) if r.shown else None
    return None if broken is None else RuleHit(broken_note(broken, r.order), r.broken(broken))


@rule("C05", "before", _LARGE_ENTRY, f"{_SOURCE} get_64bit_program_headers", refuses=False)
@why("e_phentsize is larger than a program header; readelf complains, but reads the headers without gaps.")
def _large_entry(r: ReadelfReading) -> RuleHit | None:
    return RuleHit(r.form.span("e_phentsize")) if r.is_elf and r.header.phentsize > r.form.segment.size else None


@rule("C07", "before", _NO_SECTIONS, f"{_SOURCE} process_section_headers", refuses=False)
@why("e_shoff is not 0, but there are no section headers.")
def _no_sections(r: ReadelfReading) -> RuleHit | None:
    return RuleHit(r.form.span("e_shoff")) if r.is_elf and r.header.shoff and not r.shnum else None


@rule("C07", "before", cut(128, "section headers"), f"{_SOURCE} process_section_headers", refuses=False)
@why("The section headers are not in the file; readelf complains and continues without them.")
def _sections_cut(r: ReadelfReading) -> RuleHit | None:
    length = r.header.shentsize * r.shnum
    read = r.is_elf and r.header.shoff and r.header.shentsize >= r.form.section.size
    wrong = read and not r.has(r.header.shoff, length)
    return RuleHit(r.form.span("e_shoff"), cut(length, "section headers")) if wrong else None


@rule("C07", "before", cut(792633534417207296, "string table"), f"{_SOURCE} process_section_headers", refuses=False)
@why("The section names are not in the file (QEMU does not swap their header in a big-endian dump).")
def _names_cut(r: ReadelfReading) -> RuleHit | None:
    index = r.header.shstrndx
    if index == _SHN_XINDEX and r.first_section is not None:
        index = r.first_section.link
    if not r.is_elf or not 0 < index < len(r.sections) or r.has(r.sections[index].offset, r.sections[index].size):
        return None
    at = r.header.shoff + index * r.form.section.size
    return RuleHit(Span(at, r.form.section.size), cut(r.sections[index].size, "string table"))


def _accepted(r: ReadelfReading) -> str:
    """Return owner and size of the note as printed; the descriptor follows as hex."""
    note = r.shown[0]
    return f"{note.shown.decode('latin-1'):<20} 0x{len(note.desc):08x}"


def _lines(text: bytes) -> Mapping[bytes, bytes]:
    """Return no keys: readelf shows the text as hex."""
    return {}


READER: Final = Reader(
    "readelf",
    _VERSION,
    "readelf -nW FILE",
    ReadelfReading,
    rules=tuple(rule.all),
    accepted=_accepted,
    lines=_lines,
    keys={},
)
