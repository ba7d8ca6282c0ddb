"""The rules of crash 8.0.2 for kdump-compressed and flattened files, in its order."""

from __future__ import annotations

from typing import Final

from vmci_tui.common.span import Span
from vmci_tui.readers.crash.elf_reading import CrashReading
from vmci_tui.readers.crash.kdump_reading import SEGV, UNKNOWN
from vmci_tui.readers.crash.text import KEYS
from vmci_tui.readers.rule import RuleHit, Rules, why
from vmci_tui.readers.shared.kdump_program import Layout

_HEAD: Final = "crash 8.0.2, diskdump.c read_dump_header"
_READ: Final = "crash 8.0.2, diskdump.c vmcoreinfo_read_string"
_NOTES: Final = "crash 8.0.2, diskdump.c process_elf64_notes"
_FLAT: Final = "crash 8.0.2, makedumpfile.c flattened_format_get_osrelease"

rule: Rules[CrashReading] = Rules()


def _on_fault(r: CrashReading, *kinds: str) -> RuleHit | None:
    """Return the fault that stops crash, if it is of one of these kinds; else None."""
    return None if r.kdump is None else r.kdump.at_fault(*kinds)


def _misread(r: CrashReading, layout: Layout) -> RuleHit | None:
    """Return a hit if crash stops at a number of a header in another layout."""
    return None if r.kdump is None else r.kdump.misread(layout, "block", "cut", "bitmap")


@rule("C12", "before", "WARNING: machine type mismatch:", _HEAD)
@why("""utsname.machine names a machine that this crash (the x86-64 build) was not built for. crash ignores an
    unknown name (`Unknown`, `S390X`, an empty one).""")
def _kdump_machine(r: CrashReading) -> RuleHit | None:
    return _on_fault(r, "machine")


@rule("C12", "before", "crash: compressed kdump: cannot mmap bitmap buffer", _HEAD)
@why("""The header is a 32-bit one: crash reads it as a 64-bit header, like that of the machine that it was built
    for, and finds an invalid block size and bitmaps.""")
def _narrow_header(r: CrashReading) -> RuleHit | None:
    return _misread(r, "32 bits")


@rule("C14", "before", UNKNOWN, _HEAD)
@why("The header is big-endian: crash reads it in the byte order of the machine that it runs on.")
def _kdump_byte_order(r: CrashReading) -> RuleHit | None:
    return _misread(r, "big-endian")


@rule("C02", "before", "crash: compressed kdump: cannot read dump sub header", _HEAD)
@why("The file ends before the end of its second block, which holds the sub-header, or block_size is wrong.")
def _cut_off(r: CrashReading) -> RuleHit | None:
    return _on_fault(r, "cut")


@rule("C23", "before", "crash: diskdump / compressed kdump: cannot malloc block_size buffer", _HEAD)
@why("block_size is 0 or negative, is larger than the file, or is a size for which crash overwrites it.")
def _block_size(r: CrashReading) -> RuleHit | None:
    return _on_fault(r, "block")


@rule("C26", "before", "killed by SIGBUS", _HEAD)
@why("""The bitmaps, whose place block_size, sub_hdr_size and bitmap_blocks give, are not in the file, do not
    start at a multiple of 4,096, or are empty.""")
def _bitmap(r: CrashReading) -> RuleHit | None:
    return _on_fault(r, "bitmap")


@rule("C25", "before", "crash: compressed kdump: cannot read notes data", _HEAD)
@why("offset_note and size_note lead out of the file: crash gives up, although the text has its own pointers.")
def _notes_outside(r: CrashReading) -> RuleHit | None:
    return _on_fault(r, "notes")


@rule("N16", "note", SEGV, _NOTES)
@why("Notes kill crash: an empty Xen note, a name length that leads out of memory, or more than 8,192 CPUs.")
def _killed_by_notes(r: CrashReading) -> RuleHit | None:
    return _on_fault(r, "killed")


@rule("N16", "note", "", _NOTES, observed=False)
@why("""A note's lengths make crash read memory after the notes, which may or may not be mapped: the outcome
    differs from run to run.""")
def _killed_by_chance(r: CrashReading) -> RuleHit | None:
    if r.kdump is None or (r.kdump.fault is not None and r.kdump.fault.stage == "before"):
        return None
    return None if r.kdump.notes.may_die is None else RuleHit(r.kdump.notes.may_die)


@rule("N06", "note", "", _NOTES, observed=False)
@why("There are more notes than vmci follows; what crash does with them is not known.")
def _too_many_notes(r: CrashReading) -> RuleHit | None:
    return RuleHit(r.kdump.field("size_note")) if r.kdump is not None and r.kdump.notes.too_many else None


@rule("C26", "before", SEGV, _HEAD)
@why("""max_mapnr_64 (before version 6: max_mapnr; in a split file the first and last page) is larger than the
    number of bits in the bitmap: crash keeps counting past the end of its buffer.""")
def _pages(r: CrashReading) -> RuleHit | None:
    return _on_fault(r, "pages")


@rule("C26", "before", "", _HEAD, observed=False)
@why("""There are slightly more pages than bits in the bitmap: crash keeps counting past the end of the bitmap;
    whether that kills it differs from run to run.""")
def _pages_by_chance(r: CrashReading) -> RuleHit | None:
    if r.kdump is None or (r.kdump.fault is not None and r.kdump.fault.stage == "before"):
        return None
    behind, near, _ = r.kdump.overrun
    return RuleHit(r.kdump.counted[2]) if behind > near else None


@rule("C29", "note", UNKNOWN, _READ)
@why("header_version is less than 3: the header of such a file names no text.")
def _old_version(r: CrashReading) -> RuleHit | None:
    return _on_fault(r, "version")


@rule("C17", "note", SEGV, _READ)
@why("The file has the signature of the old diskdump, whose sub-header names no text; crash reads a pointer anyway.")
def _diskdump(r: CrashReading) -> RuleHit | None:
    return _on_fault(r, "diskdump")


@rule("C20", "note", UNKNOWN, _READ)
@why("""The notes hold a VMCOREINFO note, but offset_vmcoreinfo and size_vmcoreinfo, which crash follows instead,
    are 0 or point nowhere.""")
def _note_without_pointer(r: CrashReading) -> RuleHit | None:
    return _on_fault(r, "none", "pointer") if r.kdump is not None and r.kdump.notes.desc is not None else None


@rule("N01", "note", UNKNOWN, _READ)
@why("size_vmcoreinfo is 0: the file has no text.")
def _no_pointer(r: CrashReading) -> RuleHit | None:
    return _on_fault(r, "none")


@rule("C25", "note", "crash: compressed kdump: cannot read vmcoreinfo data", _READ)
@why("offset_vmcoreinfo and size_vmcoreinfo lead out of the file, or give a size too large for memory.")
def _pointer_outside(r: CrashReading) -> RuleHit | None:
    return _on_fault(r, "pointer")


@rule("C21", "note", "", _FLAT, observed=False)
@why("There are fewer than 100 strings in the part of the file that vmci reads; crash would look further.")
def _far_strings(r: CrashReading) -> RuleHit | None:
    return RuleHit() if r.flat is not None and not r.flat.printed and r.flat.cut_short else None


@rule("C21", "note", UNKNOWN, _FLAT)
@why("""The file is flattened, and none of its first 100 strings of at least ten bytes contains OSRELEASE=. crash
    looks no further; rearrange the file with `makedumpfile -R`.""")
def _no_string(r: CrashReading) -> RuleHit | None:
    return RuleHit() if r.flat is not None and not r.flat.printed else None


@rule("C25", "after", UNKNOWN, _READ)
@why("""offset_vmcoreinfo + size_vmcoreinfo is at least 2^63: nothing can be read there, but crash does not notice,
    and looks for a release in its uninitialized memory.""")
def _pointer_at_the_top(r: CrashReading) -> RuleHit | None:
    return _on_fault(r, "wrapped")


@rule("T03", "after", SEGV, _READ)
@why("There is a NUL in the line of OSRELEASE: crash does not find the newline, and dies.")
def _nul_in_release(r: CrashReading) -> RuleHit | None:
    at = r.text.find(b"OSRELEASE=") if r.kdump is not None and r.release_dies and r.text is not None else -1
    return None if at < 0 or r.desc is None else RuleHit(Span(r.desc.offset + at, 10))


@rule("C20", "after", UNKNOWN, _READ)
@why("""offset_vmcoreinfo and size_vmcoreinfo, which crash follows, do not point at the text of the VMCOREINFO note,
    and the bytes there have no release.""")
def _pointer_elsewhere(r: CrashReading) -> RuleHit | None:
    return (
        _pointers(r)
        if _release_missing(r) and r.kdump is not None and r.kdump.notes.desc not in (None, r.desc)
        else None
    )


@rule("T03", "after", UNKNOWN, _READ)
@why("OSRELEASE= is after a NUL, where the text ends for crash.")
def _behind_nul(r: CrashReading) -> RuleHit | None:
    at = r.text.find(b"\0") if _release_missing(r) and r.text is not None else -1
    there = at >= 0 and r.text is not None and r.text.find(b"OSRELEASE=", at) >= 0
    return RuleHit(Span(r.desc.offset + at, 1)) if there and r.desc is not None else None


@rule("T09", "after", UNKNOWN, _READ)
@why("The text has no OSRELEASE=; it need not be at the start of a line, and crash needs no other key here.")
def _kdump_no_release(r: CrashReading) -> RuleHit | None:
    return RuleHit(r.desc) if _release_missing(r) else None


@rule("T09", "after", "", "crash 8.0.2, diskdump.c diskdump_get_osrelease")
@why("OSRELEASE has no value, so crash prints only an empty line.")
def _kdump_empty_release(r: CrashReading) -> RuleHit | None:
    return RuleHit(_place(r)) if r.release is not None and not r.release.strip() else None


@rule("T14", "after", UNKNOWN, "crash 8.0.2, diskdump.c diskdump_get_osrelease")
@why("OSRELEASE is the word that crash prints if it finds no release.")
def _kdump_release_unknown(r: CrashReading) -> RuleHit | None:
    return RuleHit(_place(r)) if r.release is not None and r.release == b"unknown" else None


@rule("C20", "after", "", _READ, refuses=False)
@why("""The text that crash uses (offset_vmcoreinfo) differs from that of the VMCOREINFO note (offset_note), which
    drgn uses.""")
def _other_text(r: CrashReading) -> RuleHit | None:
    if r.kdump is None or r.release is None or r.kdump.notes.desc is None or r.kdump.notes.desc == r.desc:
        return None
    desc = r.kdump.notes.desc
    return None if r.view.read(desc.offset, desc.length) == r.text else _pointers(r)


@rule("C23", "before", "WARNING: compressed kdump: invalid nr_cpus value: 0", _HEAD, refuses=False)
@why("nr_cpus is 0 or negative: crash complains and continues.")
def _no_cpus(r: CrashReading) -> RuleHit | None:
    if r.kdump is None or not r.kdump.is_kdump or r.kdump.header.nr_cpus > 0:
        return None
    words = f"WARNING: compressed kdump: invalid nr_cpus value: {r.kdump.header.nr_cpus}"
    return RuleHit(r.kdump.field("nr_cpus"), words)


@rule("C21", "after", "", _FLAT, refuses=False)
@why("""The file is flattened: crash does not read it, but prints what follows OSRELEASE= in its first 100 strings,
    whatever text they are from. It prints all of several; the last is shown here.""")
def _strings_only(r: CrashReading) -> RuleHit | None:
    return RuleHit(r.flat.printed[-1].span) if r.flat is not None and r.flat.printed else None


@rule("C24", "after", "", "crash 8.0.2, makedumpfile.c store_flat_data_array", refuses=False)
@why("The records do not lead to an end mark: `--osrelease` ignores records, but a session fails.")
def _no_end_of_records(r: CrashReading) -> RuleHit | None:
    return RuleHit(words=r.flat.unsorted) if r.flat is not None and r.flat.unsorted else None


@rule("T06", "after", "", _READ, refuses=False)
@why("A key that crash uses is in the text more than once, perhaps as the end of another key: the first counts.")
def _first_counts(r: CrashReading) -> RuleHit | None:
    if r.kdump is None or r.text is None or r.release is None:
        return None
    text = r.text.partition(b"\0")[0]
    twice = next((key for key in KEYS if key + b"=" in text and text.count(key + b"=") > 1), None)
    return None if twice is None else RuleHit(r.desc)


@rule("T02", "after", "", _READ, refuses=False)
@why("The carriage return at the end of a line stays in the value and makes numbers invalid.")
def _kdump_carriage_returns(r: CrashReading) -> RuleHit | None:
    at = r.text.find(b"\r\n") if r.kdump is not None and r.text else -1
    return RuleHit(Span(r.desc.offset + at, 2)) if r.desc is not None and at >= 0 else None


def _release_missing(r: CrashReading) -> bool:
    """Whether crash has read a text but found no release in it."""
    return r.kdump is not None and r.text is not None and r.release is None and not r.release_dies


def _pointers(r: CrashReading) -> RuleHit | None:
    return None if r.kdump is None else RuleHit(r.kdump.field("offset_vmcoreinfo", "size_vmcoreinfo"))


def _place(r: CrashReading) -> Span | None:
    """Return the span of the release that it prints."""
    if r.flat is not None:
        return r.flat.printed[-1].span if r.flat.printed else None
    return r.release_line
