"""The rules of libkdumpfile for kdump-compressed files, plain and flattened; drgn passes all of them on."""

from __future__ import annotations

from typing import Final, Protocol, TypeVar

from vmci_tui.formats.elf_note import HEADER, NAME, align_up, note_header
from vmci_tui.formats.elf_records import format_of
from vmci_tui.formats.kdump_records import UTSNAME_FIELDS, KdumpFormat
from vmci_tui.readers.libkdumpfile.guest_rules import GuestReading, stop
from vmci_tui.readers.libkdumpfile.open_kdump import OpeningKdump
from vmci_tui.readers.rule import RuleHit, Rules, why

NOT_SET: Final = "kdump_vmcoreinfo_raw: linux.vmcoreinfo.raw is not set"
_NO_ARCH: Final = "kdump_get_string_attr(KDUMP_ATTR_ARCH_NAME): Key has no value"
LACKS_MACHINE: Final = frozenset(("utsname-not-linux", "unknown-machine", "unknown-elf-machine"))
"""The rules that do not refuse if the user names the machine: `drgn --architecture`."""
_DISK: Final = "libkdumpfile 0.5.6, src/kdumpfile/diskdump.c"
_FLAT: Final = "libkdumpfile 0.5.6, src/kdumpfile/flatmap.c"
_NOTES: Final = "libkdumpfile 0.5.6, src/kdumpfile/notes.c do_notes"
_UTIL: Final = "libkdumpfile 0.5.6, src/kdumpfile/util.c"
_HEADER: Final = KdumpFormat(64, "little").header
"""Up to the names of utsname the header is the same in every form."""
_UTS_NEEDED: Final = (0, 2, 3, 4)


class KdumpReading(GuestReading, Protocol):
    """A reading of a file that may be kdump-compressed."""

    @property
    def kdump(self) -> OpeningKdump | None:
        """The result of libkdumpfile; None if the file is not kdump-compressed."""
        ...


R = TypeVar("R", bound=KdumpReading)


def add_kdump_rules(rule: Rules[R]) -> None:
    """Add the rules of the container, up to the note."""
    _add_flat(rule)
    _add_header(rule)
    _add_notes(rule)
    _add_missing_text(rule)


def _add_flat(rule: Rules[R]) -> None:
    @rule("C24", "before", "", f"{_FLAT} flatmap_init")
    @why("Type and version in the first 32 bytes of a flattened file must be 1.")
    def _flattened_head(r: R) -> RuleHit | None:
        return stop(r, "flat-head")

    @rule("C24", "before", "", f"{_FLAT} flatmap_file_init")
    @why("Every record of a flattened file needs an offset and a size; the last one must be the end mark: -1 and -1.")
    def _flattened_record(r: R) -> RuleHit | None:
        return stop(r, "flat-record")

    @rule("C24", "before", "", f"{_FLAT} flatmap_file_init", observed=False)
    @why("The flattened file has more records than vmci follows.")
    def _too_many_records(r: R) -> RuleHit | None:
        return stop(r, "too-many-records")

    @rule("C24", "before", "", f"{_FLAT} flatmap_file_init")
    @why("The header of a record is only partly in the file: libkdumpfile dies at the end of the file.")
    def _killed_by_records(r: R) -> RuleHit | None:
        return stop(r, "killed-by-records")

    @rule("C24", "before", "", "libkdumpfile 0.5.6, src/kdumpfile/open.c open_dump")
    @why("The bytes that the records put at the start of the dump are not the signature of a dump.")
    def _unknown_format(r: R) -> RuleHit | None:
        return stop(r, "unknown-format")

    @rule("C24", "before", "", f"{_FLAT} flatmap_get_chunk_flat")
    @why("A flattened file without a record kills libkdumpfile.")
    def _no_records(r: R) -> RuleHit | None:
        return stop(r, "no-records")


def _add_header(rule: Rules[R]) -> None:
    @rule("C23", "before", "", f"{_DISK} try_header")
    @why("Block size (4 to 256 KiB, a power of two) and bitmap (a bit for each page) are wrong in any form.")
    def _no_width(r: R) -> RuleHit | None:
        return stop(r, "no-width")

    @rule("C25", "before", "", f"{_DISK} read_eraseinfo")
    @why("From version 4 on libkdumpfile follows offset_eraseinfo and size_eraseinfo, which came with version 5.")
    def _erase_info(r: R) -> RuleHit | None:
        return stop(r, "erase-info")

    @rule("C25", "note", "", f"{_DISK} read_vmcoreinfo")
    @why("In version 3 offset_vmcoreinfo and size_vmcoreinfo lead to the text; here they lead out of the file.")
    def _text_pointer(r: R) -> RuleHit | None:
        return stop(r, "text-pointer")

    @rule("C26", "before", "", f"{_DISK} read_bitmap")
    @why("The bitmap of the pages, placed by sub_hdr_size, bitmap_blocks and max_mapnr, is not in the file.")
    def _bitmap(r: R) -> RuleHit | None:
        return stop(r, "bitmap")


def _add_notes(rule: Rules[R]) -> None:
    @rule("C25", "note", "", f"{_DISK} read_notes")
    @why("The bytes at offset_note, of size_note, cannot be read.")
    def _note_pointer(r: R) -> RuleHit | None:
        return stop(r, "note-pointer")

    @rule("C25", "note", "", f"{_DISK} read_notes")
    @why("offset_note and size_note cross the end of the file: libkdumpfile dies there.")
    def _killed_by_notes(r: R) -> RuleHit | None:
        return stop(r, "killed-by-notes")

    @rule("N15", "note", "", _NOTES, observed=False)
    @why("There are more notes than vmci follows.")
    def _too_many_notes(r: R) -> RuleHit | None:
        return stop(r, "too-many-notes")


def _without_text(r: KdumpReading) -> OpeningKdump | None:
    """Return the reading of a file if it walked all notes and stored no text."""
    run = r.kdump
    return run if run is not None and run.went_through and run.stopped is None and run.text is None else None


def _add_missing_text(rule: Rules[R]) -> None:
    """Add the rules for a missing text; the last one applies whenever another one does."""

    @rule("C29", "note", NOT_SET, f"{_DISK} read_sub_hdr_64")
    @why("Before version 3 of the header a file has neither notes nor text, and libkdumpfile looks for neither.")
    def _version_without_text(r: R) -> RuleHit | None:
        run = _without_text(r)
        old = run is not None and run.opened is not None and run.opened.header.version < 3
        return RuleHit(run.in_file(_HEADER.span("header_version"))) if old and run is not None else None

    @rule("C22", "note", NOT_SET, f"{_DISK} read_sub_hdr_32")
    @why("libkdumpfile reads a 32-bit sub-header as packed only if offset_vmcoreinfo points into its blocks.")
    def _sub_header_misread(r: R) -> RuleHit | None:
        run = _without_text(r)
        other = None if run is None else run.notes_by_the_other_form()
        return RuleHit(run.span_in_file(*other)) if other and run is not None else None

    @rule("N04", "note", NOT_SET, "libkdumpfile 0.5.6, src/kdumpfile/notes.c note_equal")
    @why("The name of the note must be VMCOREINFO, with a NUL or without; here it is different.")
    def _name_not_exact_in_kdump(r: R) -> RuleHit | None:
        run = _without_text(r)
        named = [n for n in run.places if n.name.startswith(NAME[:-1])] if run else []
        return RuleHit(run.span_in_file(named[0].offset, named[0].span.length)) if named and run else None

    @rule("N08", "note", NOT_SET, _NOTES)
    @why("The three words of a note's header are read in the byte order of the file; this note has the other one.")
    def _other_byte_order_in_kdump(r: R) -> RuleHit | None:
        run = _without_text(r)
        return _buried(run, swapped=True) if run else None

    @rule("N15", "note", NOT_SET, _NOTES)
    @why("The note is there, but sizes before it lead past its start, or its own sizes are too large.")
    def _lost_among_others_in_kdump(r: R) -> RuleHit | None:
        run = _without_text(r)
        return _buried(run, swapped=False) if run else None

    @rule("C20", "note", NOT_SET, f"{_DISK} read_sub_hdr_64")
    @why("offset_vmcoreinfo leads to a text, but libkdumpfile follows offset_note, where no note has it.")
    def _text_only_by_the_other_pointer(r: R) -> RuleHit | None:
        run = _without_text(r)
        pointed = None if run is None else run.pointed_text()
        found = run is not None and pointed is not None and b"OSRELEASE=" in pointed[1]
        return RuleHit(run.span_in_file(pointed[0], len(pointed[1]))) if found and run and pointed else None

    @rule("N01", "note", NOT_SET, "libkdumpfile 0.5.6, src/kdumpfile/vmcoreinfo.c get_raw_locked")
    @why("There is no note named VMCOREINFO at offset_note.")
    def _no_note_in_kdump(r: R) -> RuleHit | None:
        return RuleHit() if _without_text(r) else None


def _buried(run: OpeningKdump, swapped: bool) -> RuleHit | None:
    """Return a hit for a whole header with the name of the note anywhere in the bytes of the notes."""
    offset, area = run.area
    header = note_header("big" if (run.order == "little") == swapped else "little")
    at = area.find(NAME, HEADER)
    while at >= 0:
        if header.unpack_from(area, at - HEADER)[0] == len(NAME):
            return RuleHit(run.span_in_file(offset + at - HEADER, HEADER + align_up(len(NAME))))
        at = area.find(NAME, at + 1)
    return None


def add_kdump_memory_rules(rule: Rules[R]) -> None:
    """Add the rules for the memory that it reads before drgn gets the text."""

    @rule("C28", "after", "", f"{_DISK} diskdump_read_page")
    @why("A page that libkdumpfile needs crosses the end of the file: it dies there.")
    def _killed_by_pages(r: R) -> RuleHit | None:
        return stop(r, "killed-by-pages")

    @rule("C28", "after", "", f"{_DISK} diskdump_read_page", observed=False)
    @why("The Python package to decompress a page that libkdumpfile needs is not installed.")
    def _compression_unknown(r: R) -> RuleHit | None:
        return stop(r, "compression-unknown")

    @rule("C19", "after", "", "libkdumpfile 0.5.6, src/kdumpfile/open.c update_linux_utsname")
    @why("Without utsname in the header libkdumpfile follows SYMBOL(system_utsname), but then it cannot read memory.")
    def _no_machine_for_memory(r: R) -> RuleHit | None:
        return stop(r, "no-machine-for-memory")


def add_kdump_machine_rules(rule: Rules[R]) -> None:
    """Add the rules for the machine, which drgn asks for last, although the fault is in the header."""

    @rule("C19", "before", _NO_ARCH, f"{_UTIL} uts_looks_sane")
    @why("libkdumpfile ignores the header's utsname unless it has sysname `Linux`, a release, a version and a machine.")
    def _utsname_not_linux(r: R) -> RuleHit | None:
        run = _with_header(r)
        if run is None or run.uts_is_sane:
            return None
        wrong = next((n for n in _UTS_NEEDED if run.uts[n][:1] == b"\0"), 0)
        return RuleHit(run.in_file(_HEADER.span(UTSNAME_FIELDS[wrong])))

    @rule("C19", "before", _NO_ARCH, f"{_UTIL} machine_arch_name")
    @why("libkdumpfile does not know the machine in the header's utsname; case matters: S390X is not s390x.")
    def _unknown_machine(r: R) -> RuleHit | None:
        run = _with_header(r)
        unknown = run is not None and run.uts_is_sane and run.arch is None
        return RuleHit(run.in_file(_HEADER.span("utsname.machine"))) if unknown and run is not None else None

    @rule("C13", "before", _NO_ARCH, "libkdumpfile 0.5.6, src/kdumpfile/elfdump.c mach2arch")
    @why("libkdumpfile does not know e_machine of the flattened ELF dump.")
    def _unknown_elf_machine(r: R) -> RuleHit | None:
        run = r.kdump
        unknown = run is not None and run.went_through and run.opened is None and run.arch is None
        return RuleHit(run.in_file(format_of(64, "little").span("e_machine"))) if unknown and run is not None else None

    @rule("C20", "after", "", f"{_DISK} read_sub_hdr_64", refuses=False)
    @why("libkdumpfile reads the text from the notes; offset_vmcoreinfo, which other readers use, leads to another.")
    def _pointers_disagree(r: R) -> RuleHit | None:
        run = r.kdump
        pointed = run.pointed_text() if run is not None and run.text is not None and not run.from_memory else None
        if run is None or pointed is None or pointed[1] == run.text:
            return None
        return RuleHit(run.span_in_file(pointed[0], len(pointed[1])))

    @rule("C27", "after", "", f"{_DISK} diskdump_read_page", refuses=False)
    @why("Memory is looked up by PAGESIZE of the text, but the file has blocks of another size: all reads fail.")
    def _block_size_not_page_size(r: R) -> RuleHit | None:
        run = _with_header(r)
        if run is None or run.opened is None or run.text is None or run.page_size == run.opened.header.block_size:
            return None
        return RuleHit(run.in_file(run.opened.header.form.header.span("block_size")))


def _with_header(r: KdumpReading) -> OpeningKdump | None:
    return r.kdump if r.kdump is not None and r.kdump.opened is not None else None
