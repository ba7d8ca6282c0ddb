"""How libkdumpfile reads a page of memory out of a kdump-compressed file (diskdump.c diskdump_read_page).

While it opens a dump, drgn needs a page only on s390x. zlib is in the standard library; the other
compressions need their packages, else the content of a page is not known.
"""

from __future__ import annotations

import zlib
from typing import Final

from vmci_tui.common.errors import PackageMissing
from vmci_tui.formats.compression import COMPRESSIONS, decompressor
from vmci_tui.formats.kdump_records import LZO, SNAPPY, ZLIB, ZSTD
from vmci_tui.readers.libkdumpfile.diskdump import OpenedDiskdump
from vmci_tui.readers.libkdumpfile.elf_pages import Corrupt, DumpMemory, Missing, Space
from vmci_tui.readers.libkdumpfile.file_cache import Killed, ReadFailed, Stopped
from vmci_tui.readers.libkdumpfile.flatmap import ReadableFile

_OTHERS: Final = (LZO, SNAPPY, ZSTD)
"""In the order in which it checks them, after zlib."""
_LARGEST: Final = 1 << 18


class KdumpMemory(DumpMemory):
    """Pages of a kdump file; their size is that of the text, not of the header."""

    def __init__(self, file: ReadableFile, opened: OpenedDiskdump, page_size: int) -> None:
        super().__init__(None, None, page_size, True)  # type: ignore[arg-type]
        self._file, self._opened = file, opened
        self._counts = _counts(opened.bitmap)

    def _page(self, space: Space, address: int) -> bytes:
        if space == "virtual" and self.translate is not None:
            address = self.translate(address)
        if not 1 < self.page_size <= _LARGEST:
            raise Corrupt("Decompresion failed: error -5")
        number = address // self.page_size
        opened, form = self._opened, self._opened.header.form
        if number >= opened.max_pfn:
            raise Missing("Out-of-bounds PFN")
        if number >= opened.last or number < opened.start or not _bit(opened.bitmap, number):
            raise Missing("Excluded page")
        before = self._before(number) - self._before(opened.start)
        at = (opened.descriptors + form.page.size * before) % (1 << 64)
        try:
            raw = self._file.pread(at, form.page.size)
        except ReadFailed as failed:
            raise Corrupt(f"Cannot read page descriptor at {at}: {failed}") from None
        offset, size, flags, _ = form.page.unpack(raw)
        return self._content(offset, size, flags)

    def _content(self, offset: int, size: int, flags: int) -> bytes:
        page = self.page_size
        try:
            if not flags & COMPRESSIONS:
                if size != page:
                    raise Corrupt(f"Wrong page size: {size}")
                return self._file.pread(offset, size)
            chunk = self._file.chunk(offset, size)
        except ReadFailed as failed:
            words = f"Cannot read page data at {offset}"
            raise Corrupt(words + (f": {failed}" if str(failed) else "")) from None
        # It stops when the page is full or the bytes are invalid: reading further may kill it.
        data = chunk.data[: size if chunk.deadly is None else min(size, max(chunk.deadly, 0))]
        if flags & ZLIB:
            return inflated(data, page, len(data) < size)
        return _decompressed(data, page, next(flag for flag in _OTHERS if flags & flag))

    def _before(self, number: int) -> int:
        """Return how many pages with a lower number are in the file."""
        whole, rest = divmod(number >> 3, _STEP)
        start = whole * _STEP
        some = self._opened.bitmap[start : start + rest]
        last = self._opened.bitmap[number >> 3] & ((1 << (number & 7)) - 1) if number & 7 else 0
        return self._counts[whole] + int.from_bytes(some, "little").bit_count() + last.bit_count()


_STEP: Final = 4096


def _counts(bitmap: bytes) -> list[int]:
    """Return the number of set bits before each step of the bitmap."""
    out = [0]
    for at in range(0, len(bitmap), _STEP):
        out.append(out[-1] + int.from_bytes(bitmap[at : at + _STEP], "little").bit_count())
    return out


def _bit(bitmap: bytes, number: int) -> bool:
    return number >> 3 < len(bitmap) and bool(bitmap[number >> 3] >> (number & 7) & 1)


def _decompressed(data: bytes, size: int, flag: int) -> bytes:
    try:
        decompress = decompressor(flag)
    except PackageMissing:
        raise Stopped("compression-unknown", "") from None
    out = None if decompress is None else decompress(data, size + 1)
    if out is None or len(out) > size:
        raise Corrupt("Decompression failed")
    if len(out) < size:
        raise Corrupt(f"Wrong uncompressed size: {len(out)}")
    return out


def inflated(data: bytes, size: int, cut: bool) -> bytes:
    """Decompress a page with zlib (uncompress_page_gzip); `cut`: reading beyond `data` kills.

    Raises Corrupt and Killed.
    """
    stream = zlib.decompressobj()
    try:
        out = stream.decompress(data, size)
        more = b"" if stream.eof else stream.decompress(stream.unconsumed_tail, 1)
    except zlib.error as error:
        words = str(error).partition(": ")[2]
        raise Corrupt(f"Decompresion failed: {words or 'error -3'}") from None
    if more:
        raise Corrupt("Decompresion failed: error -5")
    if not stream.eof:
        if cut:
            raise Killed("SIGBUS")
        raise Corrupt("Decompresion failed: error -3")
    if len(out) < size:
        raise Corrupt(f"Wrong uncompressed size: {len(out)}")
    return out
