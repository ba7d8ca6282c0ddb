"""eu-readelf of elfutils: `eu-readelf -n FILE` accepts where `OSRELEASE=` appears in what it prints.

It prints the text of a note with the exact name, line by line, and does not parse keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import NAME, NOTE_LIMIT, note_header
from vmci_tui.formats.elf_records import EI_CLASS, EI_DATA, EI_VERSION, ET_CORE, IDENT, MAGIC, PN_XNUM
from vmci_tui.readers.eu_readelf.elf_reading import (
    BAD_NOTE,
    FAILED,
    GARBAGE,
    OUTSIDE,
    OUTSIDE_SECTION,
    EuReading,
)
from vmci_tui.readers.rule import Reader, RuleHit, Rules, why
from vmci_tui.readers.shared.elf_notes import (
    broken_note,
    byte_swapped,
    other_class,
    other_container,
    padded_to_4,
    shifted,
    unpadded,
)

_VERSION: Final = "0.188"
_SOURCE: Final = f"elfutils {_VERSION}, "
_NOT_ELF: Final = FAILED + "not a valid ELF file"
_ARCHIVE: Final = b"!<arch>\n"
_COMPRESSED: Final = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x5d\0\0", b"\x28\xb5\x2f\xfd")
"""gzip, bzip2, xz, lzma, zstd: it unpacks the whole file in memory."""

rule: Rules[EuReading] = Rules()


@rule("C02", "before", "eu-readelf: input file is empty", _SOURCE + "src/readelf.c create_dwfl")
@why("The file is empty.")
def _empty(r: EuReading) -> RuleHit | None:
    return None if r.view.size else RuleHit(Span(0, r.view.size))


@rule("C17", "before", _NOT_ELF, _SOURCE + "libdwfl/open.c libdw_open_elf")
@why("eu-readelf reads ELF files only; this is a kdump-compressed or flattened dump.")
def _another_container(r: EuReading) -> RuleHit | None:
    return other_container(r.view.head)


@rule("C17", "before", "", _SOURCE + "libdwfl/open.c decompress, libdwfl/offline.c process_archive", observed=False)
@why("A compressed file or an ar archive: eu-readelf reads its content, which vmci does not know.")
def _packed(r: EuReading) -> RuleHit | None:
    return RuleHit(Span(0, len(_ARCHIVE))) if r.view.head.startswith((*_COMPRESSED, _ARCHIVE)) else None


@rule("C13", "before", _NOT_ELF, _SOURCE + "libelf/common.h determine_kind")
@why(r"The file does not start with \x7fELF, EI_CLASS 1 or 2, EI_DATA 1 or 2 and EI_VERSION 1: all four are checked.")
def _identification(r: EuReading) -> RuleHit | None:
    if r.identified:
        return None
    head, wanted = r.view.head, ((EI_CLASS, (1, 2)), (EI_DATA, (1, 2)), (EI_VERSION, (1,)))
    if head.startswith(MAGIC) and len(head) >= IDENT.size:
        return RuleHit(next(Span(at, 1) for at, good in wanted if head[at] not in good))
    return RuleHit(Span(0, min(len(head), IDENT.size)))


@rule("C02", "before", FAILED + "invalid ELF file data", _SOURCE + "libelf/elf_begin.c get_shnum")
@why("The file ends inside the ELF header, which has 64 bytes (52 in a 32-bit file).")
def _too_short(r: EuReading) -> RuleHit | None:
    return RuleHit(Span(0, r.view.size)) if r.identified and not r.is_elf else None


@rule("C07", "before", FAILED + "invalid ELF file data", _SOURCE + "libelf/elf_begin.c get_shnum")
@why("e_shnum is 0 and e_shoff is not: the size of section 0 is the number of sections, and must fit 32 bits.")
def _section_count(r: EuReading) -> RuleHit | None:
    return RuleHit(r.form.span("e_shoff")) if r.is_elf and r.too_many_sections else None


@rule("C13", "before", FAILED + "invalid data", _SOURCE + "libelf/elf_begin.c file_read_elf")
@why("EI_DATA names the wrong byte order (e_version reads as 0x1000000), so every number in the headers is swapped.")
def _byte_order(r: EuReading) -> RuleHit | None:
    wrong = r.is_elf and not (r.places or r.sections) and r.header.version == 0x01000000
    return RuleHit(r.form.span("EI_DATA"), r.no_table) if wrong else None


@rule("C01", "before", "", _SOURCE + "libelf/elf_begin.c file_read_elf")
@why("EI_CLASS is not that of the machine, so the headers are read with fields of the wrong width.")
def _class_of_machine(r: EuReading) -> RuleHit | None:
    wrong = r.is_elf and not (r.places or r.sections) and other_class(r.header.machine, r.bits)
    return RuleHit(r.form.span("EI_CLASS"), r.no_table) if wrong else None


@rule("C06", "before", FAILED + "invalid data", _SOURCE + "libelf/elf_getphdrnum.c")
@why("e_phoff is after the end of the file.")
def _headers_elsewhere(r: EuReading) -> RuleHit | None:
    elsewhere = r.is_elf and r.no_table and r.header.phoff >= r.view.size
    return RuleHit(r.form.span("e_phoff"), r.no_table) if elsewhere else None


@rule("C16", "before", FAILED + "invalid data", _SOURCE + "libdwfl/dwfl_report_elf.c __libdwfl_elf_address_range")
@why("The file does not hold e_phnum program headers; eu-readelf then reads none of them.")
def _table_cut(r: EuReading) -> RuleHit | None:
    return RuleHit(r.form.span("e_phnum"), r.no_table) if r.is_elf and r.no_table else None


@rule("C11", "note", "", _SOURCE + "src/readelf.c handle_notes")
@why("More than 65,534 program headers need a section header for their number; then only sections are searched.")
def _many_headers(r: EuReading) -> RuleHit | None:
    many = r.no_note and r.header.phnum == PN_XNUM and r.sections and not r.note_sections
    return RuleHit(r.form.span("e_phnum")) if many else None


@rule("C07", "note", "", _SOURCE + "src/readelf.c handle_notes")
@why("""The file has section headers, so only SHT_NOTE sections are searched; there is none, so nothing is printed.

    QEMU 7.2 and later write two sections of other types.
    """)
def _sections(r: EuReading) -> RuleHit | None:
    return RuleHit(r.form.span("e_shnum")) if r.no_note and r.sections and not r.note_sections else None


@rule("C07", "note", "", _SOURCE + "src/readelf.c handle_notes")
@why("Only SHT_NOTE sections are searched, and none of them is in a PT_NOTE with VMCOREINFO.")
def _other_sections(r: EuReading) -> RuleHit | None:
    named = any(NAME[:-1] in area.data for area in r.areas)
    return r.hit(r.form.span("e_shoff")) if r.no_note and r.note_sections and not named else None


@rule("C16", "note", "", _SOURCE + "src/readelf.c handle_notes")
@why("There are no program headers: e_phnum or e_phoff is 0, or not even one fits; nothing is printed.")
def _no_headers(r: EuReading) -> RuleHit | None:
    none = not r.phnum or not r.header.phoff or r.header.phoff + r.form.segment.size > r.view.size
    return (
        RuleHit(r.form.span("e_phnum" if r.phnum == 0 else "e_phoff"))
        if r.no_note and not r.sections and none
        else None
    )


@rule("C03", "note", "", _SOURCE + "src/readelf.c handle_notes")
@why("There is no PT_NOTE with bytes; eu-readelf prints nothing.")
def _no_note_segment(r: EuReading) -> RuleHit | None:
    return RuleHit() if r.no_note and not r.sections and not any(length for _, length, _ in r.places) else None


@rule("C02", "note", BAD_NOTE + "invalid operation", _SOURCE + "libelf/elf_getdata_rawchunk.c")
@why("A PT_NOTE reaches past the end of the file; eu-readelf then reads none of its notes, not even whole ones.")
def _notes_cut(r: EuReading) -> RuleHit | None:
    outside = next((place for place in r.places if not r.has(place[0], place[1])), None)
    if not r.no_note or outside is None:
        return None
    return RuleHit(Span(min(outside[0], r.view.size), 0), OUTSIDE_SECTION if r.sections else OUTSIDE)


@rule("C10", "note", "", _SOURCE + "libelf/gelf_getnote.c")
@why("p_align is 8, so eu-readelf looks for each note at a multiple of 8; the kernel pads notes to 4.")
def _padded_to_4(r: EuReading) -> RuleHit | None:
    return r.fault(padded_to_4)


@rule("N08", "note", GARBAGE, _SOURCE + "libelf/gelf_getnote.c")
@why("The byte order of the VMCOREINFO note's header is not that of the file.")
def _byte_swapped(r: EuReading) -> RuleHit | None:
    return r.fault(byte_swapped)


@rule("N12", "note", GARBAGE, _SOURCE + "libelf/gelf_getnote.c")
@why("The last note lacks its padding: the whole note, up to a multiple of 4, must be in the PT_NOTE.")
def _unpadded(r: EuReading) -> RuleHit | None:
    return r.fault(unpadded)


@rule("N15", "note", GARBAGE, _SOURCE + "libelf/gelf_getnote.c")
@why("Zero bytes before the note are not a multiple of a note header, so it is looked for at a wrong place.")
def _shifted(r: EuReading) -> RuleHit | None:
    return r.fault(shifted)


@rule("N02", "note", GARBAGE, _SOURCE + "libelf/gelf_getnote.c")
@why("A note claims more bytes than there are; eu-readelf stops there.")
def _broken(r: EuReading) -> RuleHit | None:
    return r.fault(broken_note)


@rule("C04", "note", "", _SOURCE + "src/readelf.c handle_notes_data")
@why("e_type is not ET_CORE: the note is listed, but eu-readelf prints its text only for a core file.")
def _not_a_core(r: EuReading) -> RuleHit | None:
    return RuleHit(r.form.span("e_type")) if r.no_note and r.named and r.header.type != ET_CORE else None


@rule("C12", "note", "", _SOURCE + "libebl/eblopenbackend.c")
@why("eu-readelf has no backend for this e_machine, or one without core notes: the text is not printed.")
def _machine(r: EuReading) -> RuleHit | None:
    return RuleHit(r.form.span("e_machine")) if r.no_note and r.named and not r.has_backend else None


@rule("N09", "note", "", _SOURCE + "backends/linux-core-note.c core_note")
@why("The type of the VMCOREINFO note is not 0: it is listed without its text.")
def _type(r: EuReading) -> RuleHit | None:
    found = next((note for note in r.named if note.name == NAME and note.type), None) if r.no_note else None
    return None if found is None else RuleHit(note_header(r.order).span("type", found.offset))


@rule("N04", "note", "", _SOURCE + "backends/linux-core-note.c core_note")
@why("The name must be VMCOREINFO with one NUL, 11 bytes; a note of any other name is listed without its text.")
def _name(r: EuReading) -> RuleHit | None:
    other = next((note for note in r.notes if note.name != NAME and (note in r.named or note.has_text)), None)
    return RuleHit(other.span) if r.no_note and other is not None else None


@rule("N02", "note", "", _SOURCE + "src/readelf.c handle_notes_data", observed=False)
@why("There are more notes than vmci follows; eu-readelf would continue.")
def _too_many_notes(r: EuReading) -> RuleHit | None:
    return RuleHit() if r.no_note and any(len(area.notes) >= NOTE_LIMIT for area in r.areas) else None


@rule("N01", "note", "", _SOURCE + "src/readelf.c handle_notes_data")
@why("None of the notes is named VMCOREINFO.")
def _no_note(r: EuReading) -> RuleHit | None:
    return r.hit() if r.no_note else None


@rule("T03", "after", "", _SOURCE + "src/readelf.c handle_core_item")
@why("There is a NUL before OSRELEASE= in its line, and each line is printed only up to its first NUL.")
def _behind_nul(r: EuReading) -> RuleHit | None:
    hidden = r.decoded and not r.accepts and any(note.has_text for note in r.decoded)
    return RuleHit(r.note) if hidden else None


@rule("T09", "after", "", _SOURCE + "src/readelf.c handle_core_item")
@why("The text has no OSRELEASE=; eu-readelf prints the text, but nothing shows which kernel it is from.")
def _no_release(r: EuReading) -> RuleHit | None:
    return RuleHit(r.note) if r.decoded and not r.accepts else None


@rule("T03", "after", "", _SOURCE + "src/readelf.c handle_core_item", refuses=False)
@why("There is a NUL in the text: the rest of that line is not printed.")
def _nul(r: EuReading) -> RuleHit | None:
    return RuleHit(r.note) if r.text is not None and b"\0" in r.text else None


@rule("N05", "note", "", _SOURCE + "src/readelf.c handle_notes_data", refuses=False)
@why("eu-readelf prints the text of every VMCOREINFO note; the first is shown here.")
def _several(r: EuReading) -> RuleHit | None:
    return RuleHit(r.decoded[1].span) if len(r.decoded) > 1 else None


@rule("N02", "note", GARBAGE, _SOURCE + "src/readelf.c handle_notes_data", refuses=False)
@why("After the note is another one that is not whole; eu-readelf complains about it.")
def _broken_behind(r: EuReading) -> RuleHit | None:
    found = (broken_note(area, r.order) for area in r.areas if r.decoded)
    span = next(filter(None, found), None)
    return None if span is None else RuleHit(span)


def _accepted(r: EuReading) -> str:
    """Return the printed line that names the kernel."""
    return "OSRELEASE=" + (r.osrelease or b"").decode("latin-1")


def _lines(text: bytes) -> Mapping[bytes, bytes]:
    """Return the first line of each key, up to a NUL; eu-readelf prints all lines."""
    pairs = (line.split(b"\0", 1)[0].partition(b"=") for line in reversed(text.split(b"\n")))
    return {key: value for key, sign, value in pairs if sign}


READER: Final = Reader(
    "eu-readelf",
    _VERSION,
    "eu-readelf -n FILE",
    EuReading,
    rules=tuple(rule.all),
    accepted=_accepted,
    lines=_lines,
    keys={},
)
