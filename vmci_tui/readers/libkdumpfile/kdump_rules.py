"""The rules of libkdumpfile over kdump-compressed files, plain and flattened; drgn gives it all of them."""

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
"""The rules that refuse no more where the user names the machine: `drgn --architecture`."""
_DISK: Final = "libkdumpfile 0.5.6, src/kdumpfile/diskdump.c"
_FLAT: Final = "libkdumpfile 0.5.6, src/kdumpfile/flatmap.c"
_NOTES: Final = "libkdumpfile 0.5.6, src/kdumpfile/notes.c do_notes"
_UTIL: Final = "libkdumpfile 0.5.6, src/kdumpfile/util.c"
_HEADER: Final = KdumpFormat(64, "little").header
"""Up to the names of utsname the header is the same in every form."""
_UTS_NEEDED: Final = (0, 2, 3, 4)


class KdumpReading(GuestReading, Protocol):
    """A reading that may be of a kdump-compressed file."""

    @property
    def kdump(self) -> OpeningKdump | None:
        """What libkdumpfile does with it; None where it is no such file."""
        ...


R = TypeVar("R", bound=KdumpReading)


def add_kdump_rules(rule: Rules[R]) -> None:
    """Those of the container, up to the note."""
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
    @why("Every record of a flattened file needs an offset and a size, the last one is the end mark: -1 and -1.")
    def _flattened_record(r: R) -> RuleHit | None:
        return stop(r, "flat-record")

    @rule("C24", "before", "", f"{_FLAT} flatmap_file_init", observed=False)
    @why("The flattened file has more records than are looked at here.")
    def _too_many_records(r: R) -> RuleHit | None:
        return stop(r, "too-many-records")

    @rule("C24", "before", "", f"{_FLAT} flatmap_file_init")
    @why("The head of a record is only partly in the file: libkdumpfile dies where it ends.")
    def _killed_by_records(r: R) -> RuleHit | None:
        return stop(r, "killed-by-records")

    @rule("C24", "before", "", "libkdumpfile 0.5.6, src/kdumpfile/open.c open_dump")
    @why("What the records of the flattened file put at its start is not the signature of a dump.")
    def _unknown_format(r: R) -> RuleHit | None:
        return stop(r, "unknown-format")

    @rule("C24", "before", "", f"{_FLAT} flatmap_get_chunk_flat")
    @why("A flattened file without a record kills libkdumpfile.")
    def _no_records(r: R) -> RuleHit | None:
        return stop(r, "no-records")


def _add_header(rule: Rules[R]) -> None:
    @rule("C23", "before", "", f"{_DISK} try_header")
    @why("Block size (4 to 256 KiB, a power of two) and bitmap (a bit a page) make no sense, in no width and order.")
    def _no_width(r: R) -> RuleHit | None:
        return stop(r, "no-width")

    @rule("C25", "before", "", f"{_DISK} read_eraseinfo")
    @why("From version 4 on offset_eraseinfo and size_eraseinfo are followed, though they are of version 5.")
    def _erase_info(r: R) -> RuleHit | None:
        return stop(r, "erase-info")

    @rule("C25", "note", "", f"{_DISK} read_vmcoreinfo")
    @why("In version 3 offset_vmcoreinfo and size_vmcoreinfo lead to the text; here they lead out of the file.")
    def _text_pointer(r: R) -> RuleHit | None:
        return stop(r, "text-pointer")

    @rule("C26", "before", "", f"{_DISK} read_bitmap")
    @why("The bitmap of the pages, as long as sub_hdr_size, bitmap_blocks and max_mapnr make it, is not in the file.")
    def _bitmap(r: R) -> RuleHit | None:
        return stop(r, "bitmap")


def _add_notes(rule: Rules[R]) -> None:
    @rule("C25", "note", "", f"{_DISK} read_notes")
    @why("What offset_note and size_note lead to cannot be read.")
    def _note_pointer(r: R) -> RuleHit | None:
        return stop(r, "note-pointer")

    @rule("C25", "note", "", f"{_DISK} read_notes")
    @why("offset_note and size_note lead over the end of the file: libkdumpfile dies where it ends.")
    def _killed_by_notes(r: R) -> RuleHit | None:
        return stop(r, "killed-by-notes")

    @rule("N15", "note", "", _NOTES, observed=False)
    @why("There are more notes than are looked at here.")
    def _too_many_notes(r: R) -> RuleHit | None:
        return stop(r, "too-many-notes")


def _without_text(r: KdumpReading) -> OpeningKdump | None:
    """The run where it went through all notes and kept no text."""
    run = r.kdump
    return run if run is not None and run.went_through and run.stopped is None and run.text is None else None


def _add_missing_text(rule: Rules[R]) -> None:
    """Why there is no text; the last rule holds whenever the others do."""

    @rule("C29", "note", NOT_SET, f"{_DISK} read_sub_hdr_64")
    @why("Before version 3 of the header a file has neither notes nor text, and neither is looked for.")
    def _version_without_text(r: R) -> RuleHit | None:
        run = _without_text(r)
        old = run is not None and run.opened is not None and run.opened.header.version < 3
        return RuleHit(run.in_file(_HEADER.span("header_version"))) if old and run is not None else None

    @rule("C22", "note", NOT_SET, f"{_DISK} read_sub_hdr_32")
    @why("A 32-bit sub-header is packed only where offset_vmcoreinfo points into its blocks; this is the other.")
    def _sub_header_misread(r: R) -> RuleHit | None:
        run = _without_text(r)
        other = None if run is None else run.notes_by_the_other_form()
        return RuleHit(run.span_in_file(*other)) if other and run is not None else None

    @rule("N04", "note", NOT_SET, "libkdumpfile 0.5.6, src/kdumpfile/notes.c note_equal")
    @why("The name of the note must be VMCOREINFO, with a NUL or without; here it is another one.")
    def _name_not_exact_in_kdump(r: R) -> RuleHit | None:
        run = _without_text(r)
        named = [n for n in run.places if n.name.startswith(NAME[:-1])] if run else []
        return RuleHit(run.span_in_file(named[0].offset, named[0].span.length)) if named and run else None

    @rule("N08", "note", NOT_SET, _NOTES)
    @why("The three words of a note's header are read in the byte order of the file; this note has the other.")
    def _other_byte_order_in_kdump(r: R) -> RuleHit | None:
        run = _without_text(r)
        return _buried(run, swapped=True) if run else None

    @rule("N15", "note", NOT_SET, _NOTES)
    @why("The note is there, but the sizes of what stands before it lead past its start, or its own lead too far.")
    def _lost_among_others_in_kdump(r: R) -> RuleHit | None:
        run = _without_text(r)
        return _buried(run, swapped=False) if run else None

    @rule("C20", "note", NOT_SET, f"{_DISK} read_sub_hdr_64")
    @why("offset_vmcoreinfo leads to a text, but libkdumpfile follows offset_note, and finds no note with it there.")
    def _text_only_by_the_other_pointer(r: R) -> RuleHit | None:
        run = _without_text(r)
        pointed = None if run is None else run.pointed_text()
        found = run is not None and pointed is not None and b"OSRELEASE=" in pointed[1]
        return RuleHit(run.span_in_file(pointed[0], len(pointed[1]))) if found and run and pointed else None

    @rule("N01", "note", NOT_SET, "libkdumpfile 0.5.6, src/kdumpfile/vmcoreinfo.c get_raw_locked")
    @why("There is no note named VMCOREINFO where offset_note and size_note lead to.")
    def _no_note_in_kdump(r: R) -> RuleHit | None:
        return RuleHit() if _without_text(r) else None


def _buried(run: OpeningKdump, swapped: bool) -> RuleHit | None:
    """A whole header and name of the note in the bytes of the notes, wherever they stand."""
    offset, area = run.area
    header = note_header("big" if (run.order == "little") == swapped else "little")
    at = area.find(NAME, HEADER)
    while at >= 0:
        if header.unpack_from(area, at - HEADER)[0] == len(NAME):
            return RuleHit(run.span_in_file(offset + at - HEADER, HEADER + align_up(len(NAME))))
        at = area.find(NAME, at + 1)
    return None


def add_kdump_memory_rules(rule: Rules[R]) -> None:
    """Those of what libkdumpfile reads of memory, before drgn gets the text."""

    @rule("C28", "after", "", f"{_DISK} diskdump_read_page")
    @why("A page that libkdumpfile needs lies over the end of the file: it dies where that ends.")
    def _killed_by_pages(r: R) -> RuleHit | None:
        return stop(r, "killed-by-pages")

    @rule("C28", "after", "", f"{_DISK} diskdump_read_page", observed=False)
    @why("A page that libkdumpfile needs is compressed in a way for which Python's package is missing here.")
    def _compression_unknown(r: R) -> RuleHit | None:
        return stop(r, "compression-unknown")

    @rule("C19", "after", "", "libkdumpfile 0.5.6, src/kdumpfile/open.c update_linux_utsname")
    @why("Without utsname in the header SYMBOL(system_utsname) is followed, but without it no memory is read.")
    def _no_machine_for_memory(r: R) -> RuleHit | None:
        return stop(r, "no-machine-for-memory")


def add_kdump_machine_rules(rule: Rules[R]) -> None:
    """Those of the machine, which drgn asks for last, though what is wrong lies in the header."""

    @rule("C19", "before", _NO_ARCH, f"{_UTIL} uts_looks_sane")
    @why("Without sysname `Linux`, a release, a version and a machine in the header's utsname none of it is taken.")
    def _utsname_not_linux(r: R) -> RuleHit | None:
        run = _with_header(r)
        if run is None or run.uts_is_sane:
            return None
        wrong = next((n for n in _UTS_NEEDED if run.uts[n][:1] == b"\0"), 0)
        return RuleHit(run.in_file(_HEADER.span(UTSNAME_FIELDS[wrong])))

    @rule("C19", "before", _NO_ARCH, f"{_UTIL} machine_arch_name")
    @why("The machine in the header's utsname is none that libkdumpfile knows; case matters: S390X is not s390x.")
    def _unknown_machine(r: R) -> RuleHit | None:
        run = _with_header(r)
        unknown = run is not None and run.uts_is_sane and run.arch is None
        return RuleHit(run.in_file(_HEADER.span("utsname.machine"))) if unknown and run is not None else None

    @rule("C13", "before", _NO_ARCH, "libkdumpfile 0.5.6, src/kdumpfile/elfdump.c mach2arch")
    @why("e_machine of the flattened ELF dump is none that libkdumpfile knows.")
    def _unknown_elf_machine(r: R) -> RuleHit | None:
        run = r.kdump
        unknown = run is not None and run.went_through and run.opened is None and run.arch is None
        return RuleHit(run.in_file(format_of(64, "little").span("e_machine"))) if unknown and run is not None else None

    @rule("C20", "after", "", f"{_DISK} read_sub_hdr_64", refuses=False)
    @why("The text is taken from the notes; offset_vmcoreinfo, which other readers follow, leads to another text.")
    def _pointers_disagree(r: R) -> RuleHit | None:
        run = r.kdump
        pointed = run.pointed_text() if run is not None and run.text is not None and not run.from_memory else None
        if run is None or pointed is None or pointed[1] == run.text:
            return None
        return RuleHit(run.span_in_file(pointed[0], len(pointed[1])))

    @rule("C27", "after", "", f"{_DISK} diskdump_read_page", refuses=False)
    @why("Memory is looked up by PAGESIZE of the text; the file has it in blocks of another size: all reads fail.")
    def _block_size_not_page_size(r: R) -> RuleHit | None:
        run = _with_header(r)
        if run is None or run.opened is None or run.text is None or run.page_size == run.opened.header.block_size:
            return None
        return RuleHit(run.in_file(run.opened.header.form.header.span("block_size")))


def _with_header(r: KdumpReading) -> OpeningKdump | None:
    return r.kdump if r.kdump is not None and r.kdump.opened is not None else None
