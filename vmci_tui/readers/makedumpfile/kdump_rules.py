"""The rules of makedumpfile for a kdump-compressed file up to the text, in its order.

Its rules for the text are the same for all files (text_rules.py). It follows
offset_vmcoreinfo and size_vmcoreinfo, and ignores the notes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vmci_tui.formats.elf_note import NAME
from vmci_tui.readers.makedumpfile.kdump_reading import MakedumpfileKdump
from vmci_tui.readers.makedumpfile.reading import NO_LOG, MakedumpfileReading, row
from vmci_tui.readers.rule import RuleHit
from vmci_tui.readers.shared.c_numbers import ULONG_MAX, strtol
from vmci_tui.readers.shared.elf_notes import walk
from vmci_tui.readers.shared.kdump_program import Layout

_HEADERS: Final = "makedumpfile.c get_kdump_compressed_header_info"
_SUB_HEADER: Final = "read_kdump_sub_header: Can't read a file(FILE). No such file or directory"
_BUFFER: Final = 4096
"""BUFSIZE_BITMAP: the bitmap is read in pieces of this many bytes."""

Find = Callable[[MakedumpfileReading, MakedumpfileKdump], RuleHit | None]


def _in_kdump(find: Find) -> Callable[[MakedumpfileReading], RuleHit | None]:
    return lambda r: None if r.kdump is None else find(r, r.kdump)


def _without_text(r: MakedumpfileReading, k: MakedumpfileKdump) -> bool:
    """Whether it has read both headers, and finds no vmcoreinfo in them."""
    return k.fault is None and k.text_place is None


def _no_text_by(layout: Layout) -> Find:
    """Return what finds that it reads a header in another layout, and therefore finds no text."""

    def find(r: MakedumpfileReading, k: MakedumpfileKdump) -> RuleHit | None:
        lost = (_without_text(r, k) or r.copy_fault) and k.layout == layout
        return k.misread_sizes(r.copy_fault or None) if lost else None

    return find


def _pointers(k: MakedumpfileKdump, words: str | None = None) -> RuleHit:
    return RuleHit(k.field("offset_vmcoreinfo", "size_vmcoreinfo"), words)


def _text_of_note(k: MakedumpfileKdump) -> bytes | None:
    """Return the text of the VMCOREINFO note at offset_note, which makedumpfile does not use."""
    if k.sub is None or k.header.version < 4:
        return None
    area = walk(k.sub.offset_note, k.view.read(k.sub.offset_note, k.sub.size_note), "little", 4)
    return next((note.desc for note in reversed(area.notes) if note.name == NAME), None)


def _old_version(r: MakedumpfileReading, k: MakedumpfileKdump) -> RuleHit | None:
    return RuleHit(k.field("header_version")) if k.header.version < 3 and _without_text(r, k) else None


def _other_text(r: MakedumpfileReading, k: MakedumpfileKdump) -> RuleHit | None:
    return _pointers(k) if r.text is not None and _text_of_note(k) not in (None, r.text) else None


def _other_phys_base(r: MakedumpfileReading, k: MakedumpfileKdump) -> RuleHit | None:
    raw = r.first.get(b"NUMBER(phys_base)")
    if raw is None or k.sub is None or not k.is_x86_64 or strtol(raw, 10).value & ULONG_MAX == k.sub.phys_base:
        return None
    return RuleHit(k.field("phys_base"))


def _more_pages_than_bits(r: MakedumpfileReading, k: MakedumpfileKdump) -> RuleHit | None:
    if k.sub is None or r.text is None:
        return None
    (pages, name), head = k.pages, k.header
    start = (1 + head.sub_hdr_size) * head.block_size + head.block_size * head.bitmap_blocks // 2
    outside = pages > 4096 and start + -(-(pages - 4096) // (8 * _BUFFER)) * _BUFFER > k.view.size
    return RuleHit(k.field(name)) if outside else None


# fmt: off
FIRST: Final = (
    row("C12", "before", "narrow-header", "makedumpfile.c read_kdump_sub_header", _SUB_HEADER,
        "The header is a 32-bit one: makedumpfile reads it as a 64-bit header, like that of the machine that it was "
        "built for, and finds an invalid block size.",
        where=_in_kdump(lambda _, k: k.misread("32 bits"))),
    row("C14", "before", "header-in-other-byte-order", "makedumpfile.c read_kdump_sub_header", _SUB_HEADER,
        "The header is big-endian: makedumpfile reads it in the byte order of the machine on which it runs.",
        where=_in_kdump(lambda _, k: k.misread("big-endian"))),
    row("C23", "before", "block-size", "makedumpfile.c read_kdump_sub_header", _SUB_HEADER,
        "block_size, the offset of the sub-header, is negative or leads out of the file, or the file is cut off.",
        where=_in_kdump(lambda _, k: k.at_fault("block"))),
    row("C29", "before", "header-version", _HEADERS,
        "get_kdump_compressed_header_info: header does not have dump_level member",
        "header_version is 0 or negative; any larger value is accepted, even 100.",
        where=_in_kdump(lambda _, k: k.at_fault("version"))),
    row("C12", "note", "no-text-by-narrow-header", _HEADERS, NO_LOG,
        "The header is a 32-bit one: makedumpfile reads it as a 64-bit header, and finds no text.",
        where=_in_kdump(_no_text_by("32 bits"))),
    row("C14", "note", "no-text-in-other-byte-order", _HEADERS, NO_LOG,
        "The header is big-endian: makedumpfile reads it as little-endian, and finds no text.",
        where=_in_kdump(_no_text_by("big-endian"))),
    row("C29", "note", "old-version", _HEADERS, NO_LOG,
        "header_version is 1 or 2: the header of such a file names no text.",
        where=_in_kdump(_old_version)),
    row("C20", "note", "note-without-pointer", _HEADERS, NO_LOG,
        "The notes hold a VMCOREINFO note, but offset_vmcoreinfo or size_vmcoreinfo, which makedumpfile follows "
        "instead, is 0.",
        where=_in_kdump(lambda r, k: _pointers(k) if _without_text(r, k) and _text_of_note(k) else None)),
    row("N01", "note", "no-pointer", "makedumpfile.c initial", NO_LOG,
        "offset_vmcoreinfo or size_vmcoreinfo is 0: there is no text. It continues without one until it needs the "
        "log.",
        where=_in_kdump(lambda r, k: _pointers(k) if _without_text(r, k) else None)),
    row("C25", "note", "pointer-outside", "makedumpfile.c copy_vmcoreinfo",
        "copy_vmcoreinfo: Can't read the dump memory(FILE). No such file or directory",
        "offset_vmcoreinfo and size_vmcoreinfo lead out of the file, or give a size too large for memory.",
        where=_in_kdump(lambda r, k: _pointers(k, r.copy_fault) if r.copy_fault else None)),
)
LATER: Final = (
    row("C20", "after", "other-text", _HEADERS, "",
        "The text that it uses (offset_vmcoreinfo) differs from that of the VMCOREINFO note (offset_note), which "
        "drgn uses.",
        where=_in_kdump(_other_text), refuses=False),
    row("M07", "after", "header-phys-base", "makedumpfile.c initial",
        "check_release: Can't get the address of system_utsname.",
        "phys_base of the header is not NUMBER(phys_base) of the text. In a kdump-compressed file makedumpfile uses "
        "the header's: it prints the text, and then translates addresses wrongly.",
        where=_in_kdump(_other_phys_base), refuses=False),
    row("C26", "after", "more-pages-than-bits", "makedumpfile.c initialize_bitmap_memory",
        "is_dumpable_file: Can't read the bitmap(FILE). No such file or directory",
        "max_mapnr_64 (before version 6: max_mapnr) is larger than the number of the bitmap's bits in the file. It "
        "prints the text, then looks up every page: it dies, or takes hours.",
        where=_in_kdump(_more_pages_than_bits), refuses=False),
)
# fmt: on
