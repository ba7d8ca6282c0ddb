"""How libkdumpfile opens a kdump-compressed file: header, sub-header, bitmaps (diskdump.c).

The header is tried as one of 32 and of 64 bits, in both byte orders; the first whose block
size and bitmap make sense is it. A 32-bit sub-header is packed where offset_vmcoreinfo,
read so, points into the sub-header's blocks, else padded.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.readers.libkdumpfile.elfdump import FD
from vmci_tui.readers.libkdumpfile.file_cache import Killed, ReadFailed, Stopped
from vmci_tui.readers.libkdumpfile.flatmap import Chunk, File

_T = TypeVar("_T")
MAGICS: Final = (b"KDUMP   ", b"DISKDUMP")
HEADER_SIZE: Final = 464
INVALID: Final = "file #0: Invalid diskdump header content"
OWN_RULES: Final = frozenset(("no-width", "text-pointer", "erase-info", "bitmap"))
"""The rules of this file: their spans are of the file that a flattened one stands for."""
ORDERS: Final[tuple[ByteOrder, ...]] = ("little", "big")
NO_END: Final = (1 << 64) - 1
DESCRIPTOR: Final = 24
"""Bytes of a page descriptor."""
_TOP: Final = 1 << 64
_SIGNED: Final = 1 << 63
_SMALLEST, _LARGEST = 1 << 12, 1 << 18
BLOCK_SIZE_AT: Final = {32: 416, 64: 428}
"""Where block_size, sub_hdr_size, bitmap_blocks and max_mapnr stand."""
_PACKED, _PADDED, _WIDE = "IIIIIQIQIQIQQQ", "IIIII4xQI4xQI4xQI4xQQQ", "QIIQQQQQQQQQQQ"


class Header(NamedTuple):
    """What decides about the rest."""

    bits: int
    order: ByteOrder
    version: int
    block_size: int
    sub_hdr_size: int
    bitmap_blocks: int
    max_mapnr: int


class SubHeader(NamedTuple):
    """kdump_sub_header: the fields of header version 6."""

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


class Opened(NamedTuple):
    """The parts of a file that later steps need."""

    header: Header
    form: str
    """`packed`, `padded`, `wide`, or empty where no sub-header is read."""
    sub: SubHeader | None
    bitmap: bytes
    """The second bitmap, from page `first` (a multiple of 8) on."""
    first: int
    last: int
    """Pages that the bitmap is looked at for: below this one."""
    start: int
    """The first page of this file (of a split dump)."""
    descriptors: int
    """Where the page descriptors start."""
    max_pfn: int


def header_of(head: bytes, bits: int, order: ByteOrder) -> Header:
    """The fields, without sign: so the program keeps them, also where its types have one."""
    mark = "<" if order == "little" else ">"
    (version,) = struct.unpack_from(mark + "I", head, 8)
    block, sub, bitmap, maximum = struct.unpack_from(mark + "IIII", head, BLOCK_SIZE_AT[bits])
    return Header(bits, order, version, block, sub, bitmap, maximum)


def fits(header: Header) -> bool:
    """Whether it makes sense in this width and byte order (try_header)."""
    size = header.block_size
    if not _SMALLEST <= size <= _LARGEST or size & (size - 1):
        return False
    return 8 * header.bitmap_blocks * size >= header.max_mapnr


def open_kdump(
    file: File, head: bytes, page_size: Callable[[int | None], int], take: Callable[[Chunk, int, int], None]
) -> Opened:
    """Go through the header as diskdump_probe does; `head`: its first 464 bytes.

    `page_size` sets and gives the size of a page, `take` goes through the text of a file of
    version 3 (with its offset and size). Raises Stopped and Killed.
    """
    for bits in (32, 64):
        for order in ORDERS:
            header = header_of(head, bits, order)
            if fits(header):
                return _open(file, header, page_size, take)
    raise Stopped("no-width", INVALID, Span(412, 32))


def _open(
    file: File, header: Header, page_size: Callable[[int | None], int], take: Callable[[Chunk, int, int], None]
) -> Opened:
    page_size(header.block_size)
    form, sub = "", None
    start, end, max_pfn = 0, 0, header.max_mapnr
    if header.version >= 1:
        form, sub = _sub_header(file, header, page_size(None))
        _blobs(file, header, sub, take)
        end = NO_END
        if header.version >= 2 and sub.split:
            start, end = sub.start_pfn, sub.end_pfn
        if header.version >= 6:
            if sub.split:
                start, end = sub.start_pfn_64, sub.end_pfn_64
            max_pfn = sub.max_mapnr_64
    return _bitmap(file, header, page_size(None), Opened(header, form, sub, b"", 0, end, start, 0, max_pfn))


def _sub_header(file: File, header: Header, page: int) -> tuple[str, SubHeader]:
    mark = "<" if header.order == "little" else ">"
    form = _WIDE if header.bits == 64 else _PACKED
    length = 96 if header.bits == 32 else struct.calcsize(mark + form)
    raw = file.pread(page, length)
    sub = SubHeader(*struct.unpack_from(mark + form, raw))
    if header.bits == 64:
        return "wide", sub
    payload = (1 + header.sub_hdr_size) * page % _TOP
    inside = page < sub.offset_vmcoreinfo and (sub.offset_vmcoreinfo + sub.size_vmcoreinfo) % _TOP <= payload
    nothing = not sub.offset_vmcoreinfo and not sub.size_vmcoreinfo
    if header.version < 3 or nothing or inside:
        return "packed", sub
    return "padded", SubHeader(*struct.unpack_from(mark + _PADDED, raw))


def other_form(file: File, opened: Opened) -> SubHeader | None:
    """The 32-bit sub-header read in the form that it was not taken for. Raises Killed and ReadFailed."""
    if opened.sub is None or opened.header.bits == 64:
        return None
    mark = "<" if opened.header.order == "little" else ">"
    raw = file.pread(opened.header.block_size, 96)
    return SubHeader(*struct.unpack_from(mark + (_PADDED if opened.form == "packed" else _PACKED), raw))


def _blobs(file: File, header: Header, sub: SubHeader, take: Callable[[Chunk, int, int], None]) -> None:
    """The text of a file of version 3; from version 4 on what was erased, though it is of version 5."""
    if header.version == 3:
        take(_blob(file, "VMCOREINFO", sub.offset_vmcoreinfo, sub.size_vmcoreinfo), *sub[5:7])
    elif header.version > 3:
        _blob(file, "ERASEINFO", sub.offset_eraseinfo, sub.size_eraseinfo)


def _blob(file: File, name: str, offset: int, size: int) -> Chunk:
    """Bytes that are copied as a whole."""
    words = f"Cannot read {name} ({size} bytes at {offset} in file #0)"
    rule = "text-pointer" if name == "VMCOREINFO" else "erase-info"
    return _piece(file, offset, size, size, words, rule)


def _bitmap(file: File, header: Header, page: int, opened: Opened) -> Opened:
    blocks = header.bitmap_blocks - (1 << 32) if header.bitmap_blocks >> 31 else header.bitmap_blocks
    at = _wrapped(1 + header.sub_hdr_size) * page % _TOP
    size = blocks * page % _TOP
    descriptors = (at + size) % _TOP
    covered = size * 8 % _TOP
    if opened.max_pfn <= covered // 2:
        blocks = abs(blocks) // 2 * (-1 if blocks < 0 else 1)
        size = blocks * page % _TOP
        at = (at + size) % _TOP
        covered = size * 8 % _TOP
    max_pfn = min(opened.max_pfn, covered)
    last = min(covered, opened.last)
    touched = (last + 7) >> 3 if opened.start < last else 0
    chunk = _piece(file, at, size, touched, f"Cannot read {size} bytes of page bitmap at {at}", "bitmap")
    return opened._replace(bitmap=chunk.data, last=last, descriptors=descriptors, max_pfn=max_pfn)


def _wrapped(number: int) -> int:
    """As a signed number of 32 bits."""
    return (number + (1 << 31)) % (1 << 32) - (1 << 31)


def _piece(file: File, offset: int, size: int, touched: int, words: str, rule: str) -> Chunk:
    def get() -> Chunk:
        chunk = file.chunk(offset, size)
        chunk.touch(touched)
        return chunk

    return _got(get, words, rule, Span(offset, size))


def _got(get: Callable[[], _T], words: str, rule: str, span: Span) -> _T:
    """What `get` gives. Raises Stopped with these words, or with those of a death."""
    try:
        return get()
    except ReadFailed as failed:
        raise Stopped(rule, f"{FD}file #0: file #0: {words}" + (f": {failed}" if str(failed) else ""), span) from None
    except Killed as killed:
        raise Stopped(rule, f"killed by {killed}", span) from None
