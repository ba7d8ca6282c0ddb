"""How a program reads the two headers of a kdump-compressed file: the common steps of the x86-64 builds.

They read the layout of their own machine, 64-bit and little-endian, whatever the file says: from a
32-bit or big-endian file they read wrong numbers. A reader is a subclass with the faults of its program.
Source: makedumpfile 1.7.2, diskdump_mod.h; crash 8.0.2, diskdump.h.
"""

from __future__ import annotations

from functools import cached_property
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
"""The sizes in a 32-bit header, by which a header in another layout is known."""
_OFFSETS: Final = ("offset_vmcoreinfo", "offset_note", "offset_eraseinfo")
Layout = Literal["", "32 bits", "big-endian"]


class KdumpProgram:
    """The file as the program reads it. Every property is safe for any bytes."""

    def __init__(self, view: View) -> None:
        self.view = view

    @cached_property
    def header(self) -> DiskDumpHeader:
        """The header; bytes that the file lacks are zeros."""
        return _FORM.unpack_header(self.view.head.ljust(HEADER_SIZE, b"\0"))

    @cached_property
    def sub(self) -> KdumpSubHeader | None:
        """The sub-header, at offset `block_size`, with signed offsets as in off_t.

        None if the file ends before its last byte.
        """
        raw = self.view.read(self.header.block_size, SUB_HEADER_SIZE)
        if len(raw) < SUB_HEADER_SIZE:
            return None
        sub = KdumpSubHeader(*_FORM.sub_header.unpack(raw))
        return sub._replace(**{name: _signed(getattr(sub, name)) for name in _OFFSETS})

    def field(self, name: str, through: str = "") -> Span:
        """Return the span of a field of either header, or of all fields through another. Raises KeyError."""
        if name in KdumpSubHeader._fields:
            return _FORM.sub_header.span(name, self.header.block_size, through)
        return _FORM.header.span(name, through=through)

    @property
    def text_pointer(self) -> Span:
        """The bytes of the pointer to the text."""
        return self.field("offset_vmcoreinfo", "size_vmcoreinfo")

    @property
    def pages(self) -> tuple[int, str]:
        """The number of pages of memory, and the field that has it."""
        if self.sub is not None and self.header.version >= 6:
            return self.sub.max_mapnr_64, "max_mapnr_64"
        return self.header.max_mapnr, "max_mapnr"

    @cached_property
    def layout(self) -> Layout:
        """The layout of the header: the one in which block_size is likely; empty for 64-bit little-endian."""
        head = self.view.head
        wide, narrow = _FORM.header.part("block_size", head), _NARROW.part("block_size", head)
        version = _FORM.header.part("header_version", head)
        if int.from_bytes(wide, "little") in BLOCK_SIZES:
            return ""
        # 4 GiB of an i386 guest look like a block_size in the other byte order; its version decides.
        if int.from_bytes(version, "big") < int.from_bytes(version, "little"):
            likely = {int.from_bytes(wide, "big"), int.from_bytes(narrow, "big")}.intersection(BLOCK_SIZES)
            return "big-endian" if likely else ""
        return "32 bits" if int.from_bytes(narrow, "little") in BLOCK_SIZES else ""


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number
