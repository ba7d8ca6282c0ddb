"""The headers and the bitmap of a kdump-compressed file, as libkdumpfile finds them (diskdump.c).

The header is tried as 32-bit and 64-bit, in both byte orders; the first form with a valid block
size and bitmap is used. A 32-bit sub-header is read as packed if offset_vmcoreinfo then points
into the sub-header's blocks, else as padded.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.formats.kdump_records import DiskDumpHeader, KdumpFormat, KdumpSubHeader
from vmci_tui.readers.libkdumpfile.file_cache import FD, FILE, Killed, ReadFailed, Stopped
from vmci_tui.readers.libkdumpfile.flatmap import FileChunk, ReadableFile
from vmci_tui.readers.libkdumpfile.releases import Release

INVALID: Final = f"{FILE}Invalid diskdump header content"
_TOP: Final = 1 << 64
_UNSIGNED: Final = 1 << 32
_SMALLEST, _LARGEST = 1 << 12, 1 << 18
_FORMS: Final = tuple(KdumpFormat(bits, order) for bits in (32, 64) for order in ("little", "big"))
"""In the order in which they are tried."""
_SIZES: Final = _FORMS[0].header.span("status").through(_FORMS[-1].header.span("max_mapnr"))
"""The sizes that decide the form, in the 32-bit and the 64-bit header."""


class Headers(NamedTuple):
    """Both headers, in the form that fits; numbers are unsigned, as libkdumpfile stores them."""

    form: KdumpFormat
    header: DiskDumpHeader
    sub: KdumpSubHeader | None = None
    """None before version 1."""
    other: KdumpSubHeader | None = None
    """A 32-bit sub-header in the form that is not used."""


class PageMap(NamedTuple):
    """Which pages the file has. Pages are counted from physical address 0."""

    bits: bytes
    """The second bitmap, one bit a page."""
    start: int
    """The first page of this file (of a split dump)."""
    last: int
    """The bitmap is read for pages below this one."""
    descriptors: int
    """Offset of the page descriptors."""
    max_pfn: int
    at_end: bool
    """Whether reading one byte more than the bitmap would kill."""


def headers_of(file: ReadableFile, head: bytes, library: Release) -> Headers:
    """Return the headers in the first form that fits; `head`: the file's first bytes (diskdump_probe).

    Raises Stopped, Killed and ReadFailed.
    """
    for form in _FORMS:
        header = form.unpack_header(head)
        names = ("version", "block_size", "sub_hdr_size", "bitmap_blocks", "max_mapnr")
        header = header._replace(**{name: getattr(header, name) % _UNSIGNED for name in names})
        if _fits(header):
            return _with_sub(file, Headers(form, header), library) if header.version else Headers(form, header)
    raise Stopped("no-width", INVALID, _SIZES)


def _fits(header: DiskDumpHeader) -> bool:
    """Whether the header is valid in its width and byte order (try_header)."""
    size = header.block_size
    valid = _SMALLEST <= size <= _LARGEST and not size & (size - 1)
    return valid and 8 * header.bitmap_blocks * size >= header.max_mapnr


def _with_sub(file: ReadableFile, found: Headers, library: Release) -> Headers:
    """Return the headers with the sub-header; for a 32-bit one the bytes of the longer, padded form are read."""
    form, header = found.form, found.header
    padded = form._replace(padded=form.bits == 32)
    raw = file.pread(header.block_size, padded.sub_header.size)
    sub, other = (KdumpSubHeader(*each.sub_header.unpack_from(raw)) for each in (form, padded))
    if form.bits == 64:
        return Headers(form, header, sub)
    payload = (1 + header.sub_hdr_size) * header.block_size % _TOP
    inside = (
        header.block_size < sub.offset_vmcoreinfo and (sub.offset_vmcoreinfo + sub.size_vmcoreinfo) % _TOP <= payload
    )
    nothing = not sub.offset_vmcoreinfo and not sub.size_vmcoreinfo
    packed = header.version < 3 or nothing or inside or not library.guesses_padding
    return Headers(form, header, sub, other) if packed else Headers(padded, header, other, sub)


def text_or_erase_info(file: ReadableFile, found: Headers, library: Release) -> tuple[int, int, bytes] | None:
    """Return offset, size and bytes of the text of a file of version 3; from version 4 on only read the erase info.

    The erase info came with version 5. Raises Stopped.
    """
    sub, version = found.sub, found.header.version
    if sub is None or version < 3 or (version > 3 and not library.reads_erase_info):
        return None
    place, name, rule = (sub.offset_vmcoreinfo, sub.size_vmcoreinfo), "VMCOREINFO", "text-pointer"
    if version > 3:
        place, name, rule = (sub.offset_eraseinfo, sub.size_eraseinfo), "ERASEINFO", "erase-info"
    offset, size = place
    chunk = _piece(file, offset, size, size, f"Cannot read {name} ({size} bytes at {offset} in file #0)", rule)
    return (offset, size, chunk.data[:size]) if version == 3 else None


def page_map(file: ReadableFile, found: Headers, page: int, library: Release) -> PageMap:
    """Return the pages of the file, by the bitmap (read_bitmap); `page`: bytes of a page. Raises Stopped."""
    header, sub = found.header, found.sub
    start, end, max_pfn = 0, 0, header.max_mapnr
    if sub is not None:
        wide = header.version >= 6
        end, max_pfn = _TOP - 1, sub.max_mapnr_64 if wide else max_pfn
        if sub.split and header.version >= 2:
            start, end = (sub.start_pfn_64, sub.end_pfn_64) if wide else (sub.start_pfn, sub.end_pfn)
    blocks = _signed(header.bitmap_blocks)
    at = _signed(1 + header.sub_hdr_size) * page % _TOP
    size = blocks * page % _TOP
    descriptors = (at + size) % _TOP
    if max_pfn <= size * 8 % _TOP // 2:
        blocks = abs(blocks) // 2 * (-1 if blocks < 0 else 1)
        size = blocks * page % _TOP
        at = (at + size) % _TOP
    covered = size * 8 % _TOP
    last = min(covered, end)
    touched = (last + 7) >> 3 if start < last else 0
    if touched and not library.stays_in_bitmap:
        touched += 1  # at least: it reads on to the end of the last run of equal bits
    chunk = _piece(file, at, size, touched, f"Cannot read {size} bytes of page bitmap at {at}", "bitmap")
    at_end = chunk.deadly is not None and 0 < touched >= chunk.deadly
    return PageMap(chunk.data, start, last, descriptors, min(max_pfn, covered), at_end)


def _signed(number: int) -> int:
    """Return the number as a signed 32-bit number."""
    return (number + (1 << 31)) % _UNSIGNED - (1 << 31)


def _piece(file: ReadableFile, offset: int, size: int, touched: int, words: str, rule: str) -> FileChunk:
    """Read bytes of which the first `touched` are accessed. Raises Stopped, also if that kills it."""
    try:
        chunk = file.chunk(offset, size)
        chunk.touch(touched)
    except ReadFailed as failed:
        raise Stopped(rule, failed.after(f"{FD}{FILE}{words}"), Span(offset, size)) from None
    except Killed as killed:
        raise Stopped(rule, f"killed by {killed}", Span(offset, size)) from None
    return chunk
