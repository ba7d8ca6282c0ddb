"""The rules of libkdumpfile for kdump-compressed files, plain and flattened; drgn passes all of them on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, NAME, align_up, note_header
from vmci_tui.formats.elf_records import format_of
from vmci_tui.formats.kdump_records import UTSNAME_FIELDS, KdumpFormat
from vmci_tui.readers.libkdumpfile.guest_rules import DISK, LIBRARY, NOT_SET, GuestReading, stopped
from vmci_tui.readers.libkdumpfile.open_kdump import OpeningKdump
from vmci_tui.readers.libkdumpfile.releases import TURNS
from vmci_tui.readers.rule import RuleHit
from vmci_tui.readers.rule_rows import RuleRows

_NO_ARCH: Final = "kdump_get_string_attr(KDUMP_ATTR_ARCH_NAME): Key has no value"
_FLAT: Final = "src/kdumpfile/flatmap.c flatmap_"
_NOTES: Final = "src/kdumpfile/notes.c "
_HEADER: Final = KdumpFormat(64, "little").header
"""Up to the names of utsname the header is the same in every form."""
_UTS_NEEDED: Final = (0, 2, 3, 4)


class KdumpReading(GuestReading, Protocol):
    """A reading of a file that may be kdump-compressed."""

    @property
    def kdump(self) -> OpeningKdump | None:
        """The result of libkdumpfile; None if the file is not kdump-compressed."""
        ...


Finder = Callable[[OpeningKdump], Span | None]
"""Returns the bytes concerned, by offsets of the plain file; None if the rule does not apply."""


def _by(find: Finder) -> Callable[[KdumpReading], RuleHit | None]:
    def where(r: KdumpReading) -> RuleHit | None:
        span = None if r.kdump is None else find(r.kdump)
        return None if span is None or r.kdump is None else RuleHit(r.kdump.in_file(span))

    return where


def _without_text(find: Finder) -> Callable[[KdumpReading], RuleHit | None]:
    """Limit to files of which it walked all notes and stored no text."""
    return _by(lambda run: find(run) if run.lacks_text else None)


def _old_version(run: OpeningKdump) -> Span | None:
    return _HEADER.span("header_version") if run.opened is not None and run.opened.header.version < 3 else None


def _wrong_uts(run: OpeningKdump) -> Span | None:
    if run.opened is None or run.uts_is_sane:
        return None
    return _HEADER.span(UTSNAME_FIELDS[next((n for n in _UTS_NEEDED if run.uts[n][:1] == b"\0"), 0)])


def _unknown_machine(run: OpeningKdump) -> Span | None:
    unknown = run.opened is not None and run.uts_is_sane and run.arch is None
    return _HEADER.span("utsname.machine") if unknown else None


def _unknown_elf_machine(run: OpeningKdump) -> Span | None:
    unknown = run.went_through and run.opened is None and run.arch is None
    return format_of(64, "little").span("e_machine") if unknown else None


def _buried(swapped: bool) -> Finder:
    """Return what finds a whole header with the name of the note anywhere in the bytes of the notes."""

    def find(run: OpeningKdump) -> Span | None:
        offset, area = run.area
        header = note_header("big" if (run.order == "little") == swapped else "little")
        at = area.find(NAME, HEADER)
        while at >= 0 and header.unpack_from(area, at - HEADER)[0] != len(NAME):
            at = area.find(NAME, at + 1)
        return Span(offset + at - HEADER, HEADER + align_up(len(NAME))) if at >= 0 else None

    return find


def _pointed_with_release(run: OpeningKdump) -> Span | None:
    pointed = run.pointed_text()
    return Span(pointed[0], len(pointed[1])) if pointed and b"OSRELEASE=" in pointed[1] else None


def _pointed_differs(run: OpeningKdump) -> Span | None:
    pointed = run.pointed_text() if run.text is not None and not run.from_memory else None
    return Span(pointed[0], len(pointed[1])) if pointed and pointed[1] != run.text else None


def _other_block_size(run: OpeningKdump) -> Span | None:
    if run.opened is None or run.text is None or run.page_size == run.opened.header.block_size:
        return None
    return run.opened.form.header.span("block_size")


row: Final[RuleRows[KdumpReading]] = RuleRows(LIBRARY, fault=stopped)
# fmt: off
KDUMP_RULES: Final = (
    row("C24", "before", "flattened-head", _FLAT + "init", "",
        "Type and version in the first 32 bytes of a flattened file must be 1."),
    row("C24", "before", "flattened-record", _FLAT + "file_init", "",
        "Every record of a flattened file needs an offset and a size; the last one must be the end mark: -1 and -1."),
    row("C24", "before", "too-many-records", _FLAT + "file_init", "",
        "The flattened file has more records than vmci follows.", observed=False),
    row("C24", "before", "killed-by-records", _FLAT + "file_init", "",
        "The header of a record is only partly in the file: libkdumpfile dies at the end of the file."),
    row("C24", "before", "unknown-format", "src/kdumpfile/open.c open_dump", "",
        "The bytes that the records put at the start of the dump are not the signature of a dump."),
    row("C24", "before", "no-records", _FLAT + "get_chunk_flat", "",
        "A flattened file without a record kills libkdumpfile."),
    row("C23", "before", "no-width", DISK + "try_header", "",
        "Block size (4 to 256 KiB, a power of two) and bitmap (a bit for each page) are wrong in any form."),
    row("C25", "before", "erase-info", DISK + "read_eraseinfo", "",
        "From version 4 on libkdumpfile follows offset_eraseinfo and size_eraseinfo, which came with version 5."),
    row("C25", "note", "text-pointer", DISK + "read_vmcoreinfo", "",
        "In version 3 offset_vmcoreinfo and size_vmcoreinfo point at the text; here they point outside the file."),
    row("C26", "before", "bitmap", DISK + "read_bitmap", "",
        "The bitmap of the pages, placed by sub_hdr_size, bitmap_blocks and max_mapnr, is not in the file."),
    row("C25", "note", "note-pointer", DISK + "read_notes", "",
        "The bytes at offset_note, of size_note, cannot be read."),
    row("C25", "note", "killed-by-notes", DISK + "read_notes", "",
        "offset_note and size_note cross the end of the file: libkdumpfile dies there."),
    row("N15", "note", "too-many-notes", _NOTES + "do_notes", "",
        "There are more notes than vmci follows.", observed=False),
    # A missing text: the last rule applies whenever another one does.
    row("C29", "note", "version-without-text", DISK + "read_sub_hdr_64", NOT_SET,
        "Before version 3 of the header a file has neither notes nor text, and libkdumpfile looks for neither.",
        where=_without_text(_old_version)),
    row("C22", "note", "sub-header-misread", DISK + "read_sub_hdr_32", NOT_SET,
        "libkdumpfile reads a 32-bit sub-header as packed only if offset_vmcoreinfo points into its blocks.",
        where=_without_text(OpeningKdump.notes_by_the_other_form), since=TURNS[0]),
    row("C22", "note", "sub-header-always-packed", DISK + "read_sub_hdr_32", NOT_SET,
        "Before drgn 0.0.24 libkdumpfile reads every 32-bit sub-header as packed.",
        where=_without_text(OpeningKdump.notes_by_the_other_form), until=TURNS[0]),
    row("N04", "note", "name-not-exact-in-kdump", _NOTES + "note_equal", NOT_SET,
        "The name of the note must be VMCOREINFO, with or without a NUL; here it is different.",
        where=_without_text(lambda r: next((n.unpadded for n in r.places if n.name.startswith(NAME[:-1])), None))),
    row("N08", "note", "other-byte-order-in-kdump", _NOTES + "do_notes", NOT_SET,
        "The three words of a note's header are read in the byte order of the file; this note has the other one.",
        where=_without_text(_buried(swapped=True))),
    row("N15", "note", "lost-among-others-in-kdump", _NOTES + "do_notes", NOT_SET,
        "The note is there, but sizes before it lead past its start, or its own sizes are too large.",
        where=_without_text(_buried(swapped=False))),
    row("C20", "note", "text-only-by-the-other-pointer", DISK + "read_sub_hdr_64", NOT_SET,
        "offset_vmcoreinfo points at a text, but libkdumpfile follows offset_note, and no note there has it.",
        where=_without_text(_pointed_with_release)),
    row("N01", "note", "no-note-in-kdump", "src/kdumpfile/vmcoreinfo.c get_raw_locked", NOT_SET,
        "There is no note named VMCOREINFO at offset_note.",
        holds=lambda r: r.kdump is not None and r.kdump.lacks_text),
)
"""Up to the note."""
KDUMP_MEMORY_RULES: Final = (
    row("C28", "after", "killed-by-pages", DISK + "diskdump_read_page", "",
        "A page that libkdumpfile needs crosses the end of the file: it dies there."),
    row("C28", "after", "compression-unknown", DISK + "diskdump_read_page", "",
        "The Python package to decompress a page that libkdumpfile needs is not installed.", observed=False),
    row("C19", "after", "no-machine-for-memory", "src/kdumpfile/open.c update_linux_utsname", "",
        "Without utsname in the header libkdumpfile follows SYMBOL(system_utsname), but then it cannot read memory."),
)
"""For the memory that it reads before drgn gets the text."""
KDUMP_MACHINE_RULES: Final = (
    row("C19", "before", "utsname-not-linux", "src/kdumpfile/util.c uts_looks_sane", _NO_ARCH,
        "libkdumpfile ignores the header's utsname unless it has sysname `Linux`, a release, a version and a machine.",
        where=_by(_wrong_uts)),
    row("C19", "before", "unknown-machine", "src/kdumpfile/util.c machine_arch_name", _NO_ARCH,
        "libkdumpfile does not know the machine in the header's utsname; case matters: S390X is not s390x.",
        where=_by(_unknown_machine)),
    row("C13", "before", "unknown-elf-machine", "src/kdumpfile/elfdump.c mach2arch", _NO_ARCH,
        "libkdumpfile does not know e_machine of the flattened ELF dump.",
        where=_by(_unknown_elf_machine)),
    row("C20", "after", "pointers-disagree", DISK + "read_sub_hdr_64", "",
        "libkdumpfile reads the text from the notes; offset_vmcoreinfo, which other readers use, points at another.",
        where=_by(_pointed_differs), refuses=False),
    row("C27", "after", "block-size-not-page-size", DISK + "diskdump_read_page", "",
        "Memory is looked up by PAGESIZE of the text, but the file has blocks of another size: all reads fail.",
        where=_by(_other_block_size), refuses=False),
)
"""For the machine, which drgn asks for last, although the fault is in the header."""
# fmt: on
