"""The rules of makedumpfile 1.7.2 for a kdump-compressed file up to the text, in its order.

Its rules for the text are the same for all files (text_rules.py). It follows
offset_vmcoreinfo and size_vmcoreinfo, and ignores the notes.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.formats.elf_note import NAME
from vmci_tui.readers.makedumpfile.elf_reading import MakedumpfileReading
from vmci_tui.readers.rule import Rule, RuleHit, Rules, why
from vmci_tui.readers.shared.c_numbers import strtol
from vmci_tui.readers.shared.elf_notes import walk
from vmci_tui.readers.shared.kdump_program import Layout

_Reading = MakedumpfileReading
_MAIN: Final = "makedumpfile 1.7.2, makedumpfile.c "
_NO_LOG: Final = "dump_dmesg: Can't find some symbols for log_buf."
_SUB_HEADER: Final = "read_kdump_sub_header: Can't read a file(FILE). No such file or directory"
_TOP: Final = (1 << 64) - 1
_BUFFER: Final = 4096
"""BUFSIZE_BITMAP: the bitmap is read in pieces of this many bytes."""
rule: Rules[_Reading] = Rules()
later: Rules[_Reading] = Rules()


def _on_fault(r: _Reading, kind: str) -> RuleHit | None:
    return None if r.kdump is None else r.kdump.at_fault(kind)


def _without_text(r: _Reading) -> bool:
    """Whether it has read both headers, and finds no vmcoreinfo in them."""
    return r.kdump is not None and r.kdump.fault is None and r.found is None


def _misread(r: _Reading, layout: Layout) -> RuleHit | None:
    """Return a hit if it stops at a number of a header in another layout."""
    return None if r.kdump is None else r.kdump.misread(layout)


def _no_text_by(r: _Reading, layout: Layout) -> RuleHit | None:
    """Return a hit if it reads a header in another layout, and therefore finds no text."""
    if r.kdump is None or not (_without_text(r) or r.copy_fault) or r.kdump.layout != layout:
        return None
    return r.kdump.misread_sizes(r.copy_fault or None)


def _pointers(r: _Reading, words: str | None = None) -> RuleHit | None:
    return None if r.kdump is None else RuleHit(r.kdump.field("offset_vmcoreinfo", "size_vmcoreinfo"), words)


def _text_of_note(r: _Reading) -> bytes | None:
    """Return the text of the VMCOREINFO note at offset_note, which makedumpfile does not use."""
    if r.kdump is None or (sub := r.kdump.sub) is None or r.kdump.header.version < 4:
        return None
    area = walk(sub.offset_note, r.view.read(sub.offset_note, sub.size_note), "little", 4)
    return next((note.desc for note in reversed(area.notes) if note.name == NAME), None)


@rule("C12", "before", _SUB_HEADER, _MAIN + "read_kdump_sub_header")
@why("""The header is a 32-bit one: makedumpfile reads it as a 64-bit header, like that of the machine that it was
    built for, and finds an invalid block size.""")
def _narrow_header(r: _Reading) -> RuleHit | None:
    return _misread(r, "32 bits")


@rule("C14", "before", _SUB_HEADER, _MAIN + "read_kdump_sub_header")
@why("The header is big-endian: makedumpfile reads it in the byte order of the machine on which it runs.")
def _header_in_other_byte_order(r: _Reading) -> RuleHit | None:
    return _misread(r, "big-endian")


@rule("C23", "before", _SUB_HEADER, _MAIN + "read_kdump_sub_header")
@why("block_size, the offset of the sub-header, is negative or leads out of the file, or the file is cut off.")
def _block_size(r: _Reading) -> RuleHit | None:
    return _on_fault(r, "block")


@rule("C29", "before", "get_kdump_compressed_header_info: header does not have dump_level member",
      _MAIN + "get_kdump_compressed_header_info")  # fmt: skip
@why("header_version is 0 or negative; any larger value is accepted, even 100.")
def _header_version(r: _Reading) -> RuleHit | None:
    return _on_fault(r, "version")


@rule("C12", "note", _NO_LOG, _MAIN + "get_kdump_compressed_header_info")
@why("The header is a 32-bit one: makedumpfile reads it as a 64-bit header, and finds no text.")
def _no_text_by_narrow_header(r: _Reading) -> RuleHit | None:
    return _no_text_by(r, "32 bits")


@rule("C14", "note", _NO_LOG, _MAIN + "get_kdump_compressed_header_info")
@why("The header is big-endian: makedumpfile reads it as little-endian, and finds no text.")
def _no_text_in_other_byte_order(r: _Reading) -> RuleHit | None:
    return _no_text_by(r, "big-endian")


@rule("C29", "note", _NO_LOG, _MAIN + "get_kdump_compressed_header_info")
@why("header_version is 1 or 2: the header of such a file names no text.")
def _old_version(r: _Reading) -> RuleHit | None:
    if r.kdump is None or r.kdump.header.version >= 3 or not _without_text(r):
        return None
    return RuleHit(r.kdump.field("header_version"))


@rule("C20", "note", _NO_LOG, _MAIN + "get_kdump_compressed_header_info")
@why("""The notes hold a VMCOREINFO note, but offset_vmcoreinfo or size_vmcoreinfo, which makedumpfile follows
    instead, is 0.""")
def _note_without_pointer(r: _Reading) -> RuleHit | None:
    return _pointers(r) if _without_text(r) and _text_of_note(r) else None


@rule("N01", "note", _NO_LOG, _MAIN + "initial")
@why("offset_vmcoreinfo or size_vmcoreinfo is 0: there is no text. It continues without one until it needs the log.")
def _no_pointer(r: _Reading) -> RuleHit | None:
    return _pointers(r) if _without_text(r) else None


@rule("C25", "note", "copy_vmcoreinfo: Can't read the dump memory(FILE). No such file or directory",
      _MAIN + "copy_vmcoreinfo")  # fmt: skip
@why("offset_vmcoreinfo and size_vmcoreinfo lead out of the file, or give a size too large for memory.")
def _pointer_outside(r: _Reading) -> RuleHit | None:
    return _pointers(r, r.copy_fault) if r.kdump is not None and r.copy_fault else None


@later("C20", "after", "", _MAIN + "get_kdump_compressed_header_info", refuses=False)
@why("""The text that it uses (offset_vmcoreinfo) differs from that of the VMCOREINFO note (offset_note), which
    drgn uses.""")
def _other_text(r: _Reading) -> RuleHit | None:
    note = _text_of_note(r)
    return _pointers(r) if note is not None and r.text is not None and note != r.text else None


@later("M07", "after", "check_release: Can't get the address of system_utsname.", _MAIN + "initial", refuses=False)
@why("""phys_base of the header is not NUMBER(phys_base) of the text. In a kdump-compressed file makedumpfile uses
    the header's: it prints the text, and then translates addresses wrongly.""")
def _header_phys_base(r: _Reading) -> RuleHit | None:
    raw = r.parsed.first.get(b"NUMBER(phys_base)") if r.parsed is not None else None
    if r.kdump is None or r.kdump.sub is None or raw is None or not r.kdump.is_x86_64:
        return None
    wrong = strtol(raw, 10).value & _TOP != r.kdump.sub.phys_base
    return RuleHit(r.kdump.field("phys_base")) if wrong else None


@later("C26", "after", "is_dumpable_file: Can't read the bitmap(FILE). No such file or directory",
       _MAIN + "initialize_bitmap_memory", refuses=False)  # fmt: skip
@why("""max_mapnr_64 (before version 6: max_mapnr) is larger than the number of the bitmap's bits in the file. It
    prints the text, then looks up every page: it dies, or takes hours.""")
def _more_pages_than_bits(r: _Reading) -> RuleHit | None:
    if r.kdump is None or r.kdump.sub is None or r.text is None:
        return None
    head = r.kdump.header
    pages, name = r.kdump.pages
    start = (1 + head.sub_hdr_size) * head.block_size + head.block_size * head.bitmap_blocks // 2
    outside = pages > 4096 and start + -(-(pages - 4096) // (8 * _BUFFER)) * _BUFFER > r.view.size
    return RuleHit(r.kdump.field(name)) if outside else None


FIRST: Final[tuple[Rule[_Reading], ...]] = tuple(rule.all)
LATER: Final[tuple[Rule[_Reading], ...]] = tuple(later.all)
