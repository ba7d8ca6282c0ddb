"""Show only some bytes of a source: all others are zeros."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from vmci_tui.layers.file import Source


class MaskedSource:
    """A source in which only the bytes of `parts` are as they were; these are sorted and disjoint."""

    def __init__(self, source: Source, parts: Iterable[tuple[int, int]]) -> None:
        self.size = source.size
        self._source = source
        self._parts = tuple(parts)

    def read(self, offset: int, length: int) -> bytes:
        out = bytearray(max(min(length, self.size - offset), 0) if offset >= 0 else 0)
        for start, end in self.data_ranges(offset, offset + len(out)):
            data = self._source.read(start, end - start)
            out[start - offset : start - offset + len(data)] = data
        return bytes(out)

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        index = max(bisect_right(self._parts, (start, 1 << 64)) - 1, 0)
        while index < len(self._parts) and self._parts[index][0] < end:
            first, stop = max(self._parts[index][0], start), min(self._parts[index][1], end)
            if first < stop:
                yield first, stop
            index += 1
