"""The two headers of a kdump-compressed file as the x86-64 builds of makedumpfile and crash read them.

Both read the layout of their own computer, 64 bits and little-endian, whatever the file
says: of a 32-bit or a big-endian file they see numbers that are not there.
Source: makedumpfile 1.7.2, diskdump_mod.h; crash 8.0.2, diskdump.h.
"""

from __future__ import annotations

import struct
from typing import Final, Literal, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.readers.file_view import View

SIGNATURE: Final = b"KDUMP   "
HEADER_SIZE: Final = 464
SUB_HEADER_SIZE: Final = 104
_MACHINE: Final = Span(272, 65)
_HEADER: Final = struct.Struct("<i260x65s91xiiIIIIIIi")
_SUB_HEADER: Final = struct.Struct("<QiiQQqQqQqQQQQ")
_BLOCK_SIZES: Final = frozenset(1 << bits for bits in range(12, 17))
"""Page sizes of the machines that Linux dumps."""
_HEADER_PLACES: Final = {
    "header_version": Span(8, 4),
    "machine": _MACHINE,
    "block_size": Span(428, 4),
    "sub_hdr_size": Span(432, 4),
    "bitmap_blocks": Span(436, 4),
    "max_mapnr": Span(440, 4),
    "nr_cpus": Span(460, 4),
}
_SUB_PLACES: Final = {
    "phys_base": (0, 8),
    "split": (12, 4),
    "start_pfn": (16, 8),
    "offset_vmcoreinfo": (32, 8),
    "size_vmcoreinfo": (40, 8),
    "offset_note": (48, 8),
    "size_note": (56, 8),
    "start_pfn_64": (80, 8),
    "max_mapnr_64": (96, 8),
}

Layout = Literal["", "32 bits", "big-endian"]


class KdumpHeader(NamedTuple):
    """disk_dump_header: what counts of it."""

    version: int
    machine: bytes
    """utsname.machine, all 65 bytes."""
    block_size: int
    sub_hdr_size: int
    bitmap_blocks: int
    max_mapnr: int
    nr_cpus: int


class KdumpSubHeader(NamedTuple):
    """kdump_sub_header, with offsets signed as off_t is."""

    phys_base: int
    dump_level: int
    split: int
    start_pfn: int
    end_pfn: int
    offset_vmcoreinfo: int
    size_vmcoreinfo: int
    offset_note: int
    size_note: int
    offset_eraseinfo: int
    size_eraseinfo: int
    start_pfn_64: int
    end_pfn_64: int
    max_mapnr_64: int


def header_of(head: bytes) -> KdumpHeader:
    """The header in the first bytes of a file; bytes that are missing are zeros."""
    raw = head[8:HEADER_SIZE].ljust(_HEADER.size, b"\0")
    version, machine, block, sub, bitmap, mapnr, *_, cpus = _HEADER.unpack(raw)
    return KdumpHeader(version, machine, block, sub, bitmap, mapnr, cpus)


def sub_header_of(view: View, block_size: int) -> KdumpSubHeader | None:
    """The sub-header, one block into the file; None where the file ends before its last byte."""
    raw = view.read(block_size, SUB_HEADER_SIZE)
    return KdumpSubHeader(*_SUB_HEADER.unpack(raw)) if len(raw) == SUB_HEADER_SIZE else None


def place(field: str, block_size: int = 0) -> Span:
    """Where a field of either header lies in the file."""
    if field in _HEADER_PLACES:
        return _HEADER_PLACES[field]
    at, length = _SUB_PLACES[field]
    return Span(block_size + at, length)


def layout_of(head: bytes) -> Layout:
    """What the header is instead of 64-bit and little-endian, by where it has a likely block_size."""
    wide, narrow, version = head[428:432], head[416:420], head[8:12]
    if int.from_bytes(wide, "little") in _BLOCK_SIZES:
        return ""
    # 4 GiB of an i386 guest are a likely block_size of another byte order; its version tells.
    if int.from_bytes(version, "big") < int.from_bytes(version, "little"):
        likely = _BLOCK_SIZES & {int.from_bytes(wide, "big"), int.from_bytes(narrow, "big")}
        return "big-endian" if likely else ""
    return "32 bits" if int.from_bytes(narrow, "little") in _BLOCK_SIZES else ""
