"""The rules of crash 8.0.2 for kdump-compressed files, in its order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vmci_tui.machines.facts import Crash
from vmci_tui.machines.table import MACHINES
from vmci_tui.readers.crash.deaths import SEGV
from vmci_tui.readers.crash.kdump import KEY, NO_BLOCK, CrashKdump, Way
from vmci_tui.readers.crash.text import KEYS
from vmci_tui.readers.crash.text_rules import CRASH, UNKNOWN, carriage_returns
from vmci_tui.readers.rule import Rule, RuleHit
from vmci_tui.readers.rule_rows import RuleRows
from vmci_tui.readers.shared.kdump_program import NARROW_SIZES, Layout
from vmci_tui.readers.shared.text_lines import c_string
from vmci_tui.readers.version import Version

_HEAD: Final = "read_dump_header"
_NOTES: Final = "process_elf64_notes"
_READ: Final = "vmcoreinfo_read_string"
_MISMATCH: Final = "WARNING: machine type mismatch:"
_BITMAPS: Final[Mapping[Way, str]] = {
    "mapped": "killed by SIGBUS",
    "sized": "crash: Mmap: Beyond the end of mapped file, corrupted?",
    "read": "crash: compressed kdump: cannot read memory bitmap",
}
_MAPPED: Final = (8, 0, 1)
"""The first version that maps the bitmaps (commit a334423; on its branch 7.3.2)."""
_SIZED: Final = (8, 0, 6)
"""The first version that compares their end with the size of the file (commit 79b93ec)."""
_NO_CPUS: Final = "WARNING: compressed kdump: invalid nr_cpus value: "


def _has_twice(r: CrashKdump) -> bool:
    """Whether a key that crash uses is in the text more than once."""
    text = c_string(r.text or b"")
    return any(text.count(key + b"=") > 1 for key in KEYS if key + b"=" in text)


row: Final[RuleRows[CrashKdump]] = RuleRows(CRASH + "diskdump.c ", CrashKdump.field, CrashKdump.at_fault)


# fmt: off
def _later_machine(machine: Crash) -> Rule[CrashKdump]:
    """Return the rule for a machine that crash knows from a version on."""
    name = machine.starts.decode()
    return row("C12", "before", f"kdump-machine-{name}", _HEAD, _MISMATCH,
               f"utsname.machine starts with {name}: this crash was not built for it, and knows the name.",
               holds=lambda r: r.header.machine.startswith(machine.starts), where="utsname.machine",
               since=machine.since)


def _up_to_the_bitmaps(
    suffix: str, way: Way, since: Version | None = None, until: Version | None = None
) -> tuple[Rule[CrashKdump], ...]:
    """Return the rules up to the bitmaps for versions that get at these in one way; `suffix`: of their names."""

    def misread(r: CrashKdump, layout: Layout) -> RuleHit | None:
        """Return a hit if crash stops at a number of a header in another layout."""
        if r.layout != layout:
            return None
        early = r.stopped(way)
        fault = early or r.fault
        if fault is None or fault.kind not in ("block-size", "cut-off", "bitmap"):
            return None
        # A crash that does not map the bitmaps gets further, but was never seen to find a text.
        return RuleHit(NARROW_SIZES, UNKNOWN if early is None and fault.kind == "bitmap" else fault.words)

    return (
        row("C12", "before", "narrow-header" + suffix, _HEAD, "crash: compressed kdump: cannot mmap bitmap buffer",
            "The header is a 32-bit one: crash reads it as a 64-bit header, like that of the machine that it was built "
            "for, and finds an invalid block size and bitmaps.",
            where=lambda r: misread(r, "32 bits"), since=since, until=until),
        row("C14", "before", "kdump-byte-order" + suffix, _HEAD, UNKNOWN,
            "The header is big-endian: crash reads it in the byte order of the machine that it runs on.",
            where=lambda r: misread(r, "big-endian"), since=since, until=until),
        row("C26", "before", "bitmap" + suffix, _HEAD, _BITMAPS[way],
            "The bitmaps, whose place block_size, sub_hdr_size and bitmap_blocks give, are not in the file, do not "
            "start at a multiple of 4,096, or are empty.",
            where=lambda r: r.at_bitmap(way), since=since, until=until),
    )


REFUSALS: Final = (
    row("C12", "before", "kdump-machine", _HEAD, _MISMATCH,
        "utsname.machine names a machine that this crash (the x86-64 build) was not built for. crash ignores an "
        "unknown name (`Unknown`, `S390X`, an empty one)."),
    *(_later_machine(facts.crash) for facts in MACHINES.values() if facts.crash and facts.crash.since),
    *_up_to_the_bitmaps("", "mapped", since=_MAPPED, until=_SIZED),
    *_up_to_the_bitmaps("-since-8-0-6", "sized", since=_SIZED),
    *_up_to_the_bitmaps("-before-8-0-1", "read", until=_MAPPED),
    row("C02", "before", "cut-off", _HEAD, "crash: compressed kdump: cannot read dump sub header",
        "The file ends before the end of its second block, which holds the sub-header, or block_size is wrong."),
    row("C23", "before", "block-size", _HEAD, NO_BLOCK,
        "block_size is 0 or negative, is larger than the file, or is a size for which crash overwrites it."),
    row("C26", "before", "bitmap-is-odd", _HEAD, "",
        "The bitmaps do not start at a multiple of 4,096, are empty, or are large: what crash then does without "
        "mapping them is not known.",
        holds=lambda r: r.at_fault("bitmap") is not None and r.stopped("read") is None and not r.layout,
        where=lambda r: r.field("sub_hdr_size", "bitmap_blocks"), observed=False, until=_MAPPED),
    row("C25", "before", "notes-outside", _HEAD, "crash: compressed kdump: cannot read notes data",
        "offset_note and size_note point outside the file: crash gives up, although the text has its own pointers."),
    row("N16", "note", "killed-by-notes", _NOTES, SEGV,
        "Notes kill crash: an empty Xen note, a name length that points outside memory, or more than 8,192 CPUs."),
    row("N16", "note", "killed-by-chance", _NOTES, "",
        "A note's lengths make crash read memory after the notes, which may or may not be mapped: the outcome "
        "differs from run to run.",
        where=lambda r: r.notes.may_die if r.survives_head else None, observed=False),
    row("N06", "note", "too-many-notes", _NOTES, "",
        "There are more notes than vmci follows; what crash does with them is not known.",
        holds=lambda r: r.notes.too_many, where="size_note", observed=False),
    row("C26", "before", "pages", _HEAD, SEGV,
        "max_mapnr_64 (before version 6: max_mapnr; in a split file the first and last page) is larger than the "
        "number of bits in the bitmap: crash keeps counting past the end of its buffer."),
    row("C26", "before", "pages-by-chance", _HEAD, "",
        "There are slightly more pages than bits in the bitmap: crash keeps counting past the end of the bitmap; "
        "whether that kills it differs from run to run.",
        holds=lambda r: r.survives_head and r.overrun[0] > r.overrun[1], where=lambda r: r.counted[2], observed=False),
    row("C29", "note", "old-version", _READ, UNKNOWN,
        "header_version is less than 3: the header of such a file names no text."),
    row("C17", "note", "diskdump", _READ, SEGV,
        "The file has the signature of the old diskdump, whose sub-header names no text; crash reads a pointer "
        "anyway."),
    row("C20", "note", "note-without-pointer", _READ, UNKNOWN,
        "The notes hold a VMCOREINFO note, but offset_vmcoreinfo and size_vmcoreinfo, which crash follows instead, "
        "are 0 or point nowhere.",
        where=lambda r: None if r.notes.desc is None else r.at_fault("no-pointer", "pointer-outside")),
    row("N01", "note", "no-pointer", _READ, UNKNOWN,
        "size_vmcoreinfo is 0: the file has no text."),
    row("C25", "note", "pointer-outside", _READ, "crash: compressed kdump: cannot read vmcoreinfo data",
        "offset_vmcoreinfo and size_vmcoreinfo point outside the file, or give a size too large for memory."),
    row("C25", "after", "pointer-at-the-top", _READ, UNKNOWN,
        "offset_vmcoreinfo + size_vmcoreinfo is at least 2^63: nothing can be read there, but crash does not notice, "
        "and looks for a release in its uninitialized memory."),
    row("T03", "after", "nul-in-release", _READ, SEGV,
        "There is a NUL in the line of OSRELEASE: crash does not find the newline, and dies.",
        holds=lambda r: r.release_dies, where=lambda r: r.span_of(KEY)),
    row("C20", "after", "pointer-elsewhere", _READ, UNKNOWN,
        "offset_vmcoreinfo and size_vmcoreinfo, which crash follows, do not point at the text of the VMCOREINFO note, "
        "and the bytes there have no release.",
        holds=lambda r: r.no_release and r.text_of_note is not None, where=lambda r: r.text_pointer),
    row("T03", "after", "behind-nul", _READ, UNKNOWN,
        "OSRELEASE= is after a NUL, where the text ends for crash.",
        holds=lambda r: r.no_release and KEY in (r.text or b""), where=lambda r: r.span_of(b"\0")),
    row("T09", "after", "kdump-no-release", _READ, UNKNOWN,
        "The text has no OSRELEASE=; it need not be at the start of a line, and crash needs no other key here.",
        holds=lambda r: r.no_release, where=lambda r: r.note),
)
REMARKS: Final = (
    row("C20", "after", "other-text", _READ, "",
        "The text that crash uses (offset_vmcoreinfo) differs from that of the VMCOREINFO note (offset_note), which "
        "drgn uses.",
        holds=lambda r: r.osrelease is not None and r.text_of_note not in (None, r.text),
        where=lambda r: r.text_pointer, refuses=False),
    row("C23", "before", "no-cpus", _HEAD, _NO_CPUS + "0",
        "nr_cpus is 0 or negative: crash complains and continues.",
        holds=lambda r: r.is_kdump and r.header.nr_cpus <= 0, where="nr_cpus",
        says=lambda r: f"{_NO_CPUS}{r.header.nr_cpus}", refuses=False),
    row("T06", "after", "first-counts", _READ, "",
        "A key that crash uses is in the text more than once, perhaps as the end of another key: the first counts.",
        holds=lambda r: r.osrelease is not None and _has_twice(r), where=lambda r: r.note, refuses=False),
    carriage_returns("diskdump.c " + _READ, "kdump-"),
)
# fmt: on
