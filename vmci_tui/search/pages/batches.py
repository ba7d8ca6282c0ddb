"""Divide the compressed pages of a dump into batches: what to decompress, how much of it, and where it is.

Pages that are stored once for many addresses (QEMU and makedumpfile store zeros like this) are skipped if they
match nothing: most of a guest's memory is such pages.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.containers.kdump.pages import Pages
from vmci_tui.formats.kdump_records import PAGE_DESCRIPTOR
from vmci_tui.search.memory_blocks import PAGE
from vmci_tui.search.pages.scan_batch import PageBatch, ReadRange, StoredPage, scan, whole_pages
from vmci_tui.search.patterns import SearchPattern

HEADS: Final = 512
"""Pages of a batch if the first bytes of each are enough: 2 to 10 ms of work."""
BYTES: Final = 512 << 10
"""Bytes of memory in a batch if whole pages are needed: 3 to 6 ms of work."""
_SPAN: Final = 4 << 20
"""Bytes of the file that are read at once."""
_GAP: Final = 64 << 10
"""Bytes between two pages that are read without use, to save a second read."""
_PASSED: Final = 8
"""A batch ends when this many times its number of pages was skipped."""
_DULL: Final = 1024
"""The most pages stored once that are remembered."""


class BatchProgress(NamedTuple):
    """A batch, and the progress through memory at its end."""

    batch: PageBatch
    done: int
    """Number of pages up to the batch's end."""


def page_batches(pages: Pages, pattern: SearchPattern) -> Iterator[BatchProgress]:
    """Yield all pages that may match, in batches by ascending address. Raises OpenError."""
    return _Batches(pages, pattern).all()


class _Batches:
    def __init__(self, pages: Pages, pattern: SearchPattern) -> None:
        self._pages, self._pattern = pages, pattern
        self._size = pages.block_size
        self._limit = prefix(pattern, self._size)
        self._most = HEADS if pattern.step > 1 and self._size == PAGE else max(BYTES // self._size, 1)
        self._sparse = pattern.step > self._size
        self._dull: dict[int, int] = {}
        """The rest of the descriptor, by the page's offset."""

    def all(self) -> Iterator[BatchProgress]:
        done, dull, most, sparse = 0, self._dull, self._most, self._sparse
        # Size and flags, four bytes each, are read as one eight-byte number.
        little, block_size = self._pages.order == "little", self._size
        for pfns in _together(self._pages, most * _PASSED):
            stored: list[StoredPage] = []
            before = before_rest = 0
            for at, (pfn, offset, rest) in enumerate(zip(pfns, *self._columns(done, len(pfns)), strict=False), 1):
                if dull.get(offset) == rest:
                    continue
                repeats = offset == before and rest == before_rest
                before, before_rest = offset, rest
                size, flags = (rest & 0xFFFFFFFF, rest >> 32) if little else (rest >> 32, rest & 0xFFFFFFFF)
                if not offset or not 0 < size <= block_size or (sparse and not self._has_place(pfn)):
                    continue
                page = pfn, offset, size, flags
                if repeats and self._is_dull(page, rest):
                    continue
                stored.append(page)
                if len(stored) == most:
                    yield BatchProgress(self._batch(stored), done + at)
                    stored = []
            done += len(pfns)
            yield BatchProgress(self._batch(stored), done)

    def _columns(self, first: int, count: int) -> tuple[array[int], array[int]]:
        """Return two columns of the descriptors from `first` on: the offsets, and size with flags as one number."""
        raw = self._pages.descriptor_table(first, count)
        table = array("Q", raw[: len(raw) - len(raw) % PAGE_DESCRIPTOR])
        if self._pages.order != sys.byteorder:
            table.byteswap()
        return table[0::3], table[1::3]

    def _batch(self, stored: list[StoredPage]) -> PageBatch:
        return PageBatch(self._pattern, self._size, self._limit, tuple(_spans(stored)))

    def _has_place(self, pfn: int) -> bool:
        return (self._pattern.phase - pfn * self._size) % self._pattern.step < self._size

    def _is_dull(self, page: StoredPage, rest: int) -> bool:
        """Return whether a page that occurs more than once can be skipped at every address; remember it if so.

        A page of zeros cannot end an anchor, and can begin one only with its last three bytes, which `scan` handles.
        """
        batch = self._batch([page])
        if self._pattern.step > 1:
            dull = not scan(batch, self._pages.plain.read).places
        else:
            dull = not any(data.strip(b"\0") for _, data in whole_pages(batch, self._pages.plain.read))
        if dull:
            if len(self._dull) == _DULL:
                self._dull.clear()
            self._dull[page[1]] = rest
        return dull


def _spans(stored: list[StoredPage]) -> Iterator[ReadRange]:
    """Yield the ranges of the file that have these pages: as few as possible without reading many unused bytes."""
    low, high = 0, -1
    pages: list[StoredPage] = []
    for page in stored:
        _, offset, size, _ = page
        end = offset + size
        if pages and low <= offset <= high + _GAP and end - low <= _SPAN:
            pages.append(page)
            if end > high:
                high = end
            continue
        if pages:
            yield low, high - low, pages
        low, high, pages = offset, end, [page]
    if pages:
        yield low, high - low, pages


def prefix(pattern: SearchPattern, block_size: int) -> int:
    """Return how many bytes of each page decide whether it matches; the block size if a match can be anywhere."""
    if pattern.step == 1:
        return block_size
    step, phase = pattern.step, pattern.phase
    last = phase % block_size if step >= block_size else block_size - step + phase % step
    return min(last + pattern.reach, block_size)


def _together(pages: Pages, count: int) -> Iterator[list[int]]:
    """Yield the numbers of the pages that are in the file, `count` at a time."""
    found: list[int] = []
    for first, last in pages.bitmap.runs():
        while first < last:
            take = min(last - first, count - len(found))
            found += range(first, first + take)
            first += take
            if len(found) == count:
                yield found
                found = []
    if found:
        yield found
