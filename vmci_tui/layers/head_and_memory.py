"""Present a head and the ranges of guest memory of another source as one file, one directly after the other."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.layers.file import BytesSource, FileSource, Source
from vmci_tui.layers.range_table import Ranges
from vmci_tui.layers.read_into import read_into


class Part(NamedTuple):
    """`length` bytes at `at`, which are those of `source` from `offset` on."""

    at: int
    length: int
    source: Source
    offset: int


_BETWEEN: Final = BytesSource(bytes(4096))
"""Zeros between two ranges of which one ends where the other begins: without them both would count as one range, and a
proof that is about one of them as a proof of both."""


def places(ranges: Ranges, begin: int) -> array[int]:
    """Return where each range of memory is in a file whose memory begins at `begin`."""
    out, at, last = array("Q"), begin, -1
    for start, length in zip(ranges.starts, ranges.lengths, strict=True):
        if start == last:
            at += _BETWEEN.size
        out.append(at)
        at, last = at + length, start + length
    return out


class HeadAndMemory:
    """A file that no program wrote: new bytes, then memory as another source has it. 24 bytes a range are kept."""

    def __init__(self, head: bytes, source: Source, ranges: Ranges, files: tuple[FileSource, ...] = ()) -> None:
        """Take ranges that all have an offset in `source`."""
        self.source = source
        self.files = files
        """The files that `source` reads, itself or through other sources."""
        self._head = BytesSource(head)
        self._starts, self._lengths = places(ranges, len(head)), array("Q", ranges.lengths)
        self._offsets = array("Q", ranges.offsets)
        self.size = self._starts[-1] + self._lengths[-1] if ranges else len(head)

    def parts(self, start: int, end: int) -> Iterator[Part]:
        """Yield the parts of [start, end) in order, without gaps, as far as this file reaches."""
        start, end = max(start, 0), min(end, self.size)
        if start < min(end, self._head.size):
            yield Part(start, min(end, self._head.size) - start, self._head, start)
            start = self._head.size
        index = bisect_right(self._starts, start) - 1
        while start < end:
            inside = start - self._starts[index]
            left = self._lengths[index] - inside
            if left > 0:
                part = Part(start, min(left, end - start), self.source, self._offsets[index] + inside)
            else:
                index += 1
                part = Part(start, min(self._starts[index], end) - start, _BETWEEN, 0)
            if part.length:
                yield part
            start += part.length

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

    def read_into(self, offset: int, into: memoryview) -> int:
        """Fill a buffer, as `read` reads; return how many bytes there were."""
        done = 0
        for part in self.parts(offset, offset + len(into)) if offset >= 0 else ():
            got = read_into(part.source, part.offset, into[done : done + part.length])
            done += got
            if got < part.length:
                break
        return done

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        for part in self.parts(start, end):
            shift = part.at - part.offset
            for first, stop in part.source.data_ranges(part.offset, part.offset + part.length):
                yield first + shift, stop + shift
