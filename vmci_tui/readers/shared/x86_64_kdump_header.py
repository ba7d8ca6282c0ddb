"""The two headers of a kdump-compressed file as the x86-64 builds of makedumpfile and crash read them.

Both read the layout of their own machine, 64-bit and little-endian, whatever the file says:
from a 32-bit or big-endian file they read wrong numbers.
Source: makedumpfile 1.7.2, diskdump_mod.h; crash 8.0.2, diskdump.h.
"""

from __future__ import annotations

from typing import Final, Literal

from vmci_tui.common.span import Span
from vmci_tui.formats.kdump_records import (
    BLOCK_SIZES,
    HEADER_SIZE,
    SUB_HEADER_SIZE,
    DiskDumpHeader,
    KdumpFormat,
    KdumpSubHeader,
)
from vmci_tui.readers.file_view import View

_FORM: Final = KdumpFormat(64, "little")
_NARROW: Final = KdumpFormat(32, "little").header
NARROW_SIZES: Final = _NARROW.span("block_size", through="max_mapnr")
"""The sizes in a 32-bit header, which identify it."""
Layout = Literal["", "32 bits", "big-endian"]


def header_of(head: bytes) -> DiskDumpHeader:
    """Unpack the header from the first bytes of a file; missing bytes are zeros."""
    return _FORM.unpack_header(head.ljust(HEADER_SIZE, b"\0"))


def sub_header_of(view: View, block_size: int) -> KdumpSubHeader | None:
    """Return the sub-header, at offset `block_size`, with signed offsets as in off_t.

    None if the file ends before its last byte.
    """
    raw = view.read(block_size, SUB_HEADER_SIZE)
    if len(raw) < SUB_HEADER_SIZE:
        return None
    sub = KdumpSubHeader(*_FORM.sub_header.unpack(raw))
    return sub._replace(
        offset_vmcoreinfo=_signed(sub.offset_vmcoreinfo),
        offset_note=_signed(sub.offset_note),
        offset_eraseinfo=_signed(sub.offset_eraseinfo),
    )


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def place(field: str, block_size: int, through: str = "") -> Span:
    """Return the span of a field of either header, or of all fields through another. Raises KeyError."""
    if field in KdumpSubHeader._fields:
        return _FORM.sub_header.span(field, block_size, through)
    return _FORM.header.span(field, through=through)


def layout_of(head: bytes) -> Layout:
    """Return the layout of the header: the one in which block_size is likely; empty for 64-bit little-endian."""
    wide, narrow = _FORM.header.part("block_size", head), _NARROW.part("block_size", head)
    version = _FORM.header.part("header_version", head)
    if int.from_bytes(wide, "little") in BLOCK_SIZES:
        return ""
    # 4 GiB of an i386 guest look like a block_size in the other byte order; its version decides.
    if int.from_bytes(version, "big") < int.from_bytes(version, "little"):
        likely = {int.from_bytes(wide, "big"), int.from_bytes(narrow, "big")}.intersection(BLOCK_SIZES)
        return "big-endian" if likely else ""
    return "32 bits" if int.from_bytes(narrow, "little") in BLOCK_SIZES else ""
