"""Present a head and the ranges of guest memory of another source as one file, one directly after the other."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from vmci_tui.layers.file import BytesSource, FileSource, Source
from vmci_tui.layers.range_table import Ranges


class Part(NamedTuple):
    """`length` bytes at `at`, which are those of `source` from `offset` on."""

    at: int
    length: int
    source: Source
    offset: int


class HeadAndMemory:
    """A file that no program wrote: new bytes, then memory as another source has it. 16 bytes a range are kept."""

    def __init__(self, head: bytes, source: Source, ranges: Ranges, files: tuple[FileSource, ...] = ()) -> None:
        """Take the ranges that have an offset in `source`, in their order; the others are not in this file."""
        self.source = source
        self.files = files
        """The files that `source` reads, itself or through other sources."""
        self._head = BytesSource(head)
        self._starts, self._offsets = array("Q"), array("Q")
        at = len(head)
        for length, offset in zip(ranges.held_lengths, ranges.offsets, strict=True):
            if length:
                self._starts.append(at)
                self._offsets.append(offset)
                at += length
        self.size = at

    def parts(self, start: int, end: int) -> Iterator[Part]:
        """Yield the parts of [start, end) in order, without gaps, as far as this file reaches."""
        start, end = max(start, 0), min(end, self.size)
        if start < min(end, self._head.size):
            yield Part(start, min(end, self._head.size) - start, self._head, start)
            start = self._head.size
        index = bisect_right(self._starts, start) - 1
        while start < end:
            first, offset = self._starts[index], self._offsets[index]
            index += 1
            stop = self._starts[index] if index < len(self._starts) else self.size
            length = min(stop, end) - start
            yield Part(start, length, self.source, offset + start - first)
            start += length

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes; fewer at the end of this file, and where the source has fewer."""
        if offset < 0:
            return b""
        out = []
        for part in self.parts(offset, offset + length):
            out.append(part.source.read(part.offset, part.length))
            if len(out[-1]) < part.length:
                break
        return out[0] if len(out) == 1 else b"".join(out)

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        for part in self.parts(start, end):
            shift = part.at - part.offset
            for first, stop in part.source.data_ranges(part.offset, part.offset + part.length):
                yield first + shift, stop + shift
