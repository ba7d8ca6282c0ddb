"""How libkdumpfile opens a kdump-compressed file: header, sub-header, bitmaps (diskdump.c).

The header is tried as 32-bit and 64-bit, in both byte orders; the first form with a valid block
size and bitmap is used. A 32-bit sub-header is read as packed if offset_vmcoreinfo then points
into the sub-header's blocks, else as padded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from vmci_tui.common.span import Span
from vmci_tui.formats.kdump_records import KdumpFormat, KdumpSubHeader
from vmci_tui.readers.libkdumpfile.elfdump import FD
from vmci_tui.readers.libkdumpfile.file_cache import Killed, ReadFailed, Stopped
from vmci_tui.readers.libkdumpfile.flatmap import FileChunk, ReadableFile

_T = TypeVar("_T")
INVALID: Final = "file #0: Invalid diskdump header content"
OWN_RULES: Final = frozenset(("no-width", "text-pointer", "erase-info", "bitmap"))
"""The rules of this file, whose spans are in the plain file, not in the flattened one."""
NO_END: Final = (1 << 64) - 1
_TOP: Final = 1 << 64
_SIGNED: Final = 1 << 63
_SMALLEST, _LARGEST = 1 << 12, 1 << 18
_FORMS: Final = tuple(KdumpFormat(bits, order) for bits in (32, 64) for order in ("little", "big"))
"""In the order in which they are tried."""
_SIZES: Final = _FORMS[0].header.span("status").through(_FORMS[-1].header.span("max_mapnr"))
"""The sizes that decide the form, in the 32-bit and the 64-bit header."""


class HeaderNumbers(NamedTuple):
    """The decisive numbers of a header, unsigned as the program stores them."""

    form: KdumpFormat
    version: int
    block_size: int
    sub_hdr_size: int
    bitmap_blocks: int
    max_mapnr: int


class OpenedDiskdump(NamedTuple):
    """The parts of an opened file that later steps need."""

    header: HeaderNumbers
    """Its form also says whether the sub-header is padded."""
    sub: KdumpSubHeader | None
    """None if no sub-header is read."""
    bitmap: bytes
    """The second bitmap, from page `first` (a multiple of 8) on."""
    first: int
    last: int
    """The bitmap is read for pages below this one."""
    start: int
    """The first page of this file (of a split dump)."""
    descriptors: int
    """Offset of the page descriptors."""
    max_pfn: int


def header_of(head: bytes, form: KdumpFormat) -> HeaderNumbers:
    """Unpack the header in this form."""
    read = form.unpack_header(head)
    numbers = read.version, read.block_size, read.sub_hdr_size, read.bitmap_blocks, read.max_mapnr
    return HeaderNumbers(form, *(number % (1 << 32) for number in numbers))


def fits(header: HeaderNumbers) -> bool:
    """Whether the header is valid in its width and byte order (try_header)."""
    size = header.block_size
    if not _SMALLEST <= size <= _LARGEST or size & (size - 1):
        return False
    return 8 * header.bitmap_blocks * size >= header.max_mapnr


def open_kdump(
    file: ReadableFile, head: bytes, page_size: Callable[[int | None], int], take: Callable[[FileChunk, int, int], None]
) -> OpenedDiskdump:
    """Open a file as diskdump_probe does; `head`: its first bytes, enough for the longest header.

    `page_size` sets and returns the size of a page; `take` parses the text of a file of version 3
    (with its offset and size). Raises Stopped and Killed.
    """
    for form in _FORMS:
        header = header_of(head, form)
        if fits(header):
            return _open(file, header, page_size, take)
    raise Stopped("no-width", INVALID, _SIZES)


def _open(
    file: ReadableFile,
    header: HeaderNumbers,
    page_size: Callable[[int | None], int],
    take: Callable[[FileChunk, int, int], None],
) -> OpenedDiskdump:
    page_size(header.block_size)
    sub = None
    start, end, max_pfn = 0, 0, header.max_mapnr
    if header.version >= 1:
        header, sub = _sub_header(file, header, page_size(None))
        _blobs(file, header, sub, take)
        end = NO_END
        if header.version >= 2 and sub.split:
            start, end = sub.start_pfn, sub.end_pfn
        if header.version >= 6:
            if sub.split:
                start, end = sub.start_pfn_64, sub.end_pfn_64
            max_pfn = sub.max_mapnr_64
    return _bitmap(file, header, page_size(None), OpenedDiskdump(header, sub, b"", 0, end, start, 0, max_pfn))


def _sub_header(file: ReadableFile, header: HeaderNumbers, page: int) -> tuple[HeaderNumbers, KdumpSubHeader]:
    """Return the header with the form of the sub-header, and the sub-header."""
    raw = file.pread(page, _length(header.form))
    sub = _unpacked(header.form, raw)
    if header.form.bits == 64:
        return header, sub
    payload = (1 + header.sub_hdr_size) * page % _TOP
    inside = page < sub.offset_vmcoreinfo and (sub.offset_vmcoreinfo + sub.size_vmcoreinfo) % _TOP <= payload
    nothing = not sub.offset_vmcoreinfo and not sub.size_vmcoreinfo
    if header.version < 3 or nothing or inside:
        return header, sub
    padded = header.form._replace(padded=True)
    return header._replace(form=padded), _unpacked(padded, raw)


def other_form(file: ReadableFile, opened: OpenedDiskdump) -> KdumpSubHeader | None:
    """Return the 32-bit sub-header in the form that was not used; None for 64 bits. Raises Killed and ReadFailed."""
    form = opened.header.form
    if opened.sub is None or form.bits == 64:
        return None
    raw = file.pread(opened.header.block_size, _length(form))
    return _unpacked(form._replace(padded=not form.padded), raw)


def _length(form: KdumpFormat) -> int:
    """Return the number of bytes read for a sub-header: for a 32-bit one the size of the padded form."""
    return form._replace(padded=form.bits == 32).sub_header.size


def _unpacked(form: KdumpFormat, raw: bytes) -> KdumpSubHeader:
    return KdumpSubHeader(*form.sub_header.unpack_from(raw))


def _blobs(
    file: ReadableFile, header: HeaderNumbers, sub: KdumpSubHeader, take: Callable[[FileChunk, int, int], None]
) -> None:
    """Read the text of a file of version 3; from version 4 on the erase info, which came with version 5."""
    if header.version == 3:
        offset, size = sub.offset_vmcoreinfo, sub.size_vmcoreinfo
        take(_blob(file, "VMCOREINFO", offset, size), offset, size)
    elif header.version > 3:
        _blob(file, "ERASEINFO", sub.offset_eraseinfo, sub.size_eraseinfo)


def _blob(file: ReadableFile, name: str, offset: int, size: int) -> FileChunk:
    """Read bytes that are copied as a whole."""
    words = f"Cannot read {name} ({size} bytes at {offset} in file #0)"
    rule = "text-pointer" if name == "VMCOREINFO" else "erase-info"
    return _piece(file, offset, size, size, words, rule)


def _bitmap(file: ReadableFile, header: HeaderNumbers, page: int, opened: OpenedDiskdump) -> OpenedDiskdump:
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
    """Return the number as a signed 32-bit number."""
    return (number + (1 << 31)) % (1 << 32) - (1 << 31)


def _piece(file: ReadableFile, offset: int, size: int, touched: int, words: str, rule: str) -> FileChunk:
    def get() -> FileChunk:
        chunk = file.chunk(offset, size)
        chunk.touch(touched)
        return chunk

    return _got(get, words, rule, Span(offset, size))


def _got(get: Callable[[], _T], words: str, rule: str, span: Span) -> _T:
    """Return the result of `get`. Raises Stopped with these words, or with the signal that kills it."""
    try:
        return get()
    except ReadFailed as failed:
        raise Stopped(rule, f"{FD}file #0: file #0: {words}" + (f": {failed}" if str(failed) else ""), span) from None
    except Killed as killed:
        raise Stopped(rule, f"killed by {killed}", span) from None
