"""Look up, count and walk the bitmap of the pages that a kdump file holds, in bounded parts."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from threading import RLock
from typing import Final

from vmci_tui.layers.file import Source
from vmci_tui.layers.range_table import joined

_CHUNK: Final = 4096
"""Bytes of the bitmap that are read at a time: 128 MiB of guest in pages of 4 KiB."""
_PFNS: Final = _CHUNK * 8
_KEPT: Final = 16
_FULL: Final = b"\xff" * _CHUNK
_ONES = re.compile("1+")


class Bitmap:
    """The page frame numbers of [first, last) that are set; bit n of byte m is number 8 m + n."""

    def __init__(self, source: Source, offset: int, first: int, last: int) -> None:
        self._source = source
        self._offset = offset
        self.first = first
        self.last = last
        self._lock = RLock()
        self._chunks: dict[int, bytes] = {}
        self._before = array("Q", [0])
        """The number of bits set before each chunk, up to the last chunk that was needed."""

    def __contains__(self, pfn: int) -> bool:
        if not self.first <= pfn < self.last:
            return False
        number, bit = divmod(pfn, _PFNS)
        return bool(self._chunk(number)[bit >> 3] >> (bit & 7) & 1)

    def rank(self, pfn: int) -> int:
        """Return the count of set numbers below `pfn`: the index of its page descriptor."""
        number, bit = divmod(pfn, _PFNS)
        with self._lock:  # two threads at once would count a chunk twice
            while len(self._before) <= number:
                count = int.from_bytes(self._chunk(len(self._before) - 1), "little").bit_count()
                self._before.append(self._before[-1] + count)
        chunk, whole = self._chunk(number), bit >> 3
        part = int.from_bytes(chunk[:whole], "little").bit_count() + (chunk[whole] & ((1 << (bit & 7)) - 1)).bit_count()
        return self._before[number] + part

    def runs(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
        """Return the runs of set numbers within [start, end), each as its first and one more than its last."""
        start, end = max(start, self.first), self.last if end is None else min(end, self.last)
        return joined(self._pieces(start, end))

    def _pieces(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the runs, cut where a chunk ends."""
        for number in range(start // _PFNS, -(-end // _PFNS)):
            base = number * _PFNS
            chunk = self._chunk(number)
            if chunk == _FULL:
                yield max(base, start), min(base + _PFNS, end)
                continue
            value = int.from_bytes(chunk, "little")
            if not value:
                continue
            for match in _ONES.finditer(f"{value:b}"[::-1]):
                first, last = max(base + match.start(), start), min(base + match.end(), end)
                if first < last:
                    yield first, last

    def _chunk(self, number: int) -> bytes:
        """Return a chunk without the bits that are outside [first, last); zeros where the file is cut off."""
        chunk = self._chunks.get(number)
        if chunk is None:
            chunk = self._read(number)
            with self._lock:
                if len(self._chunks) >= _KEPT:
                    del self._chunks[next(iter(self._chunks))]
                self._chunks[number] = chunk
        return chunk

    def _read(self, number: int) -> bytes:
        base = number * _PFNS
        if base >= self.last or base + _PFNS <= self.first:
            return bytes(_CHUNK)
        chunk = self._source.read(self._offset + number * _CHUNK, _CHUNK).ljust(_CHUNK, b"\0")
        if self.first <= base and base + _PFNS <= self.last:
            return chunk
        low, high = max(self.first - base, 0), min(self.last - base, _PFNS)
        return (int.from_bytes(chunk, "little") & ((1 << high) - (1 << low))).to_bytes(_CHUNK, "little")
