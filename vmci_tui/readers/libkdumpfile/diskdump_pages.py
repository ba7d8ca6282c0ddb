"""How libkdumpfile reads a page of memory out of a kdump-compressed file (diskdump.c diskdump_read_page).

While it opens a dump, drgn needs a page only on s390x. zlib is in the standard library; the other
compressions need their packages, else the content of a page is not known.
"""

from __future__ import annotations

import zlib
from typing import Final

from vmci_tui.common.errors import PackageMissing
from vmci_tui.formats.compression import COMPRESSIONS, decompressor
from vmci_tui.formats.kdump_records import LZO, SNAPPY, ZLIB, ZSTD, KdumpFormat
from vmci_tui.readers.libkdumpfile.diskdump import PageMap
from vmci_tui.readers.libkdumpfile.file_cache import Killed, ReadFailed, Stopped
from vmci_tui.readers.libkdumpfile.flatmap import ReadableFile
from vmci_tui.readers.libkdumpfile.memory import Corrupt, DumpMemory, Missing, Space

_OTHERS: Final = (LZO, SNAPPY, ZSTD)
"""In the order in which it checks them, after zlib."""
_LARGEST: Final = 1 << 18
_STEP: Final = 4096
"""Bytes of the bitmap that are counted once."""


class KdumpMemory(DumpMemory):
    """Pages of a kdump file; their size is that of the text, not of the header."""

    def __init__(self, file: ReadableFile, form: KdumpFormat, pages: PageMap, page_size: int) -> None:
        super().__init__(page_size)
        self._file, self._form, self._map = file, form, pages
        self._counts = [0]
        """The number of set bits before each step of the bitmap."""
        for at in range(0, len(pages.bits), _STEP):
            self._counts.append(self._counts[-1] + _ones(pages.bits[at : at + _STEP]))

    def _page(self, space: Space, address: int) -> bytes:
        if space == "virtual" and self.translate is not None:
            address = self.translate(address)
        if not 1 < self.page_size <= _LARGEST:
            raise Corrupt("Decompresion failed: error -5")
        number, pages, descriptor = address // self.page_size, self._map, self._form.page
        if number >= pages.max_pfn:
            raise Missing("Out-of-bounds PFN")
        if not pages.start <= number < pages.last or not self._has(number):
            raise Missing("Excluded page")
        at = (pages.descriptors + descriptor.size * (self._before(number) - self._before(pages.start))) % (1 << 64)
        try:
            raw = self._file.pread(at, descriptor.size)
        except ReadFailed as failed:
            raise Corrupt(f"Cannot read page descriptor at {at}: {failed}") from None
        offset, size, flags, _ = descriptor.unpack(raw)
        return self._content(offset, size, flags)

    def _content(self, offset: int, size: int, flags: int) -> bytes:
        try:
            if not flags & COMPRESSIONS:
                if size != self.page_size:
                    raise Corrupt(f"Wrong page size: {size}")
                return self._file.pread(offset, size)
            chunk = self._file.chunk(offset, size)
        except ReadFailed as failed:
            raise Corrupt(failed.after(f"Cannot read page data at {offset}")) from None
        # It stops when the page is full or the bytes are invalid: reading further may kill it.
        data = chunk.data[: size if chunk.deadly is None else min(size, max(chunk.deadly, 0))]
        if flags & ZLIB:
            out = _inflated(data, self.page_size, len(data) < size)
        else:
            out = _decompressed(data, self.page_size, next(flag for flag in _OTHERS if flags & flag))
        if len(out) < self.page_size:
            raise Corrupt(f"Wrong uncompressed size: {len(out)}")
        return out

    def _has(self, number: int) -> bool:
        bits = self._map.bits
        return number >> 3 < len(bits) and bool(bits[number >> 3] >> (number & 7) & 1)

    def _before(self, number: int) -> int:
        """Return how many pages with a lower number are in the file."""
        bits, whole = self._map.bits, (number >> 3) // _STEP
        last = bits[number >> 3] & (1 << (number & 7)) - 1 if number & 7 else 0
        return self._counts[whole] + _ones(bits[whole * _STEP : number >> 3]) + last.bit_count()


def _ones(bits: bytes) -> int:
    return int.from_bytes(bits, "little").bit_count()


def _decompressed(data: bytes, size: int, flag: int) -> bytes:
    try:
        decompress = decompressor(flag)
    except PackageMissing:
        raise Stopped("compression-unknown", "") from None
    out = None if decompress is None else decompress(data, size + 1)
    if out is None or len(out) > size:
        raise Corrupt("Decompression failed")
    return out


def _inflated(data: bytes, size: int, cut: bool) -> bytes:
    """Decompress a page with zlib (uncompress_page_gzip); `cut`: reading beyond `data` kills.

    Raises Corrupt and Killed.
    """
    stream = zlib.decompressobj()
    try:
        out = stream.decompress(data, size)
        more = b"" if stream.eof else stream.decompress(stream.unconsumed_tail, 1)
    except zlib.error as error:
        raise Corrupt(f"Decompresion failed: {str(error).partition(': ')[2] or 'error -3'}") from None
    if more:
        raise Corrupt("Decompresion failed: error -5")
    if not stream.eof:
        if cut:
            raise Killed("SIGBUS")
        raise Corrupt("Decompresion failed: error -3")
    return out
