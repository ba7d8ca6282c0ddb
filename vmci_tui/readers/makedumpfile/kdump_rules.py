"""The rules of makedumpfile for a kdump-compressed file, in its order; those for the text are in text_rules.py."""

from __future__ import annotations

from typing import Final

from vmci_tui.readers.makedumpfile.reading import NO_LOG, row

_HEADERS: Final = "makedumpfile.c get_kdump_compressed_header_info"
_SUB_HEADER: Final = "read_kdump_sub_header: Can't read a file(FILE). No such file or directory"

# fmt: off
FIRST: Final = (
    row("C12", "before", "narrow-header", "makedumpfile.c read_kdump_sub_header", _SUB_HEADER,
        "The header is a 32-bit one: makedumpfile reads it as a 64-bit header, like that of the machine that it was "
        "built for, and finds an invalid block size."),
    row("C14", "before", "header-in-other-byte-order", "makedumpfile.c read_kdump_sub_header", _SUB_HEADER,
        "The header is big-endian: makedumpfile reads it in the byte order of the machine on which it runs."),
    row("C23", "before", "block-size", "makedumpfile.c read_kdump_sub_header", _SUB_HEADER,
        "block_size, the offset of the sub-header, is negative or leads out of the file, or the file is cut off."),
    row("C29", "before", "header-version", _HEADERS,
        "get_kdump_compressed_header_info: header does not have dump_level member",
        "header_version is 0 or negative; any larger value is accepted, even 100."),
    row("C12", "note", "no-text-by-narrow-header", _HEADERS, NO_LOG,
        "The header is a 32-bit one: makedumpfile reads it as a 64-bit header, and finds no text."),
    row("C14", "note", "no-text-in-other-byte-order", _HEADERS, NO_LOG,
        "The header is big-endian: makedumpfile reads it as little-endian, and finds no text."),
    row("C29", "note", "old-version", _HEADERS, NO_LOG,
        "header_version is 1 or 2: the header of such a file names no text."),
    row("C20", "note", "note-without-pointer", _HEADERS, NO_LOG,
        "The notes hold a VMCOREINFO note, but offset_vmcoreinfo or size_vmcoreinfo, which makedumpfile follows "
        "instead, is 0."),
    row("N01", "note", "no-pointer", "makedumpfile.c initial", NO_LOG,
        "offset_vmcoreinfo or size_vmcoreinfo is 0: there is no text. It continues without one until it needs the "
        "log."),
    row("C25", "note", "pointer-outside", "makedumpfile.c copy_vmcoreinfo",
        "copy_vmcoreinfo: Can't read the dump memory(FILE). No such file or directory",
        "offset_vmcoreinfo and size_vmcoreinfo lead out of the file, or give a size too large for memory."),
)
LATER: Final = (
    row("C20", "after", "other-text", _HEADERS, "",
        "The text that it uses (offset_vmcoreinfo) differs from that of the VMCOREINFO note (offset_note), which "
        "drgn uses.", refuses=False),
    row("M07", "after", "header-phys-base", "makedumpfile.c initial",
        "check_release: Can't get the address of system_utsname.",
        "phys_base of the header is not NUMBER(phys_base) of the text. In a kdump-compressed file makedumpfile uses "
        "the header's: it prints the text, and then translates addresses wrongly.", refuses=False),
    row("C26", "after", "more-pages-than-bits", "makedumpfile.c initialize_bitmap_memory",
        "is_dumpable_file: Can't read the bitmap(FILE). No such file or directory",
        "max_mapnr_64 (before version 6: max_mapnr) is larger than the number of the bitmap's bits in the file. It "
        "prints the text, then looks up every page: it dies, or takes hours.", refuses=False),
)
# fmt: on
