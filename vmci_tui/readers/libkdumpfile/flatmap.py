"""How libkdumpfile reads bytes of a dump: as the file lies, or through the records of a flattened one (flatmap.c).

A later record hides an earlier one where both lie at one place; what no record gives reads
as zeros. One slip is copied: a chunk that lies wholly between records is not zeros, but is
read from the file, at its own place and a few hundred bytes more (the map has no entry -1).
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Final, NamedTuple, Protocol

from vmci_tui.common.span import Span
from vmci_tui.formats import flattened_records
from vmci_tui.formats.flattened_records import HEADER, HEADER_SIZE, RECORD
from vmci_tui.readers.libkdumpfile.file_cache import PAGE, Killed, ReadFailed, Stopped, Windows

SIGNATURE: Final = flattened_records.SIGNATURE.ljust(HEADER.span("signature").length, b"\0")
MEMORY: Final = 3 << 29
"""Bytes at once that are taken for more than there is: an honest dump of this size of a bitmap would be of 48 TiB."""
_ENTRY: Final = 32
"""Bytes that it notes down for each page of a chunk (struct fcache_entry)."""
_REARRANGE: Final = "Cannot rearrange file #0: "
_AT_ONCE: Final = 1 << 16
_RECORD_LIMIT: Final = 1 << 21
"""More records are not looked at, whatever a file holds."""
_KEPT: Final = 1 << 26
_TOP: Final = 1 << 64
_SIGNED: Final = 1 << 63


class FileChunk(NamedTuple):
    """Bytes that libkdumpfile got as one piece; touching them from `deadly` on kills it."""

    data: bytes
    deadly: int | None = None

    def touch(self, end: int) -> None:
        """Raises Killed where bytes before `end` cannot be touched."""
        if self.deadly is not None and end > self.deadly:
            raise Killed("SIGBUS")


class ReadableFile(Protocol):
    """What the code of a format reads. Offsets are unsigned 64-bit numbers, as they stand in headers."""

    flattened: bool
    records: int
    """How many records it has; 0 where it is plain."""

    def pread(self, offset: int, length: int) -> bytes:
        """A copy. Raises Killed and ReadFailed."""
        ...

    def chunk(self, offset: int, length: int) -> FileChunk:
        """A piece of which nothing is touched yet, where that can be. Raises Killed and ReadFailed."""
        ...

    def place(self, offset: int) -> int | None:
        """Where a byte lies in the file itself; None where it does not."""
        ...


class PlainFile:
    """The file as it lies."""

    flattened, records = False, 0

    def __init__(self, windows: Windows) -> None:
        self._windows = windows

    def pread(self, offset: int, length: int) -> bytes:
        return pread(self._windows, offset, length)

    def chunk(self, offset: int, length: int) -> FileChunk:
        return _chunk(self._windows, offset, length)

    def place(self, offset: int) -> int | None:
        return offset if offset < self._windows.view.size else None


def pread(windows: Windows, offset: int, length: int) -> bytes:
    """A copy of the file's bytes, as far as they are of use; zeros behind its end."""
    windows.touch(offset, length)
    return windows.view.read(offset, length).ljust(min(length, _KEPT), b"\0")


def _chunk(windows: Windows, offset: int, length: int) -> FileChunk:
    if not length:
        return FileChunk(b"", 0)
    pages = ((offset + length - 1 & -PAGE) - (offset & -PAGE)) % _TOP // PAGE + 1
    if pages * _ENTRY % _TOP >= MEMORY:
        raise ReadFailed("Cannot allocate memory")
    if offset >= _SIGNED - PAGE:
        raise ReadFailed("Invalid argument")
    if windows.in_window(offset, length):
        return FileChunk(windows.view.read(offset, length).ljust(min(length, _KEPT), b"\0"), windows.end - offset)
    if length >= MEMORY and (offset & -PAGE < windows.view.size or windows.read_before):
        raise ReadFailed("Cannot allocate memory")
    return FileChunk(windows.read(offset, length))


class FlatFile:
    """A flattened file: ranges of the file that it stands for, each with the distance to its bytes."""

    flattened = True

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self.records = 0
        records, heads = _Records(), _RecordHeaders(windows)
        at = HEADER_SIZE
        before = 0
        while True:
            offset, size = heads.at(at)
            if offset == -1:
                break
            span = Span(at if at < windows.view.size else before, RECORD.size)
            if offset < 0:
                raise _wrong("offset", offset, at, span)
            if size <= 0:
                raise _wrong("segment size", size, at, span)
            if self.records == _RECORD_LIMIT:
                raise Stopped("too-many-records", "", span)
            before = at
            at += RECORD.size
            records.put(offset, offset + size, at - offset)
            self.records += 1
            at += size
        self.end_mark = at
        self._starts, self._distances = records.ranges()

    @property
    def size(self) -> int:
        """Where the last of the ranges ends that have bytes."""
        return self._starts[-1]

    def _range(self, offset: int) -> tuple[int, int | None]:
        """The end of the range of an offset, and the distance to its bytes; None: nothing."""
        at = bisect_right(self._starts, offset) - 1
        end = self._starts[at + 1] if at + 1 < len(self._starts) else _TOP
        distance = self._distances[at] if at >= 0 else _NOTHING
        return end, None if distance == _NOTHING else distance

    def pread(self, offset: int, length: int) -> bytes:
        out, left = [], length
        while left > 0 and offset < _TOP:
            end, distance = self._range(offset)
            size = min(end - offset, left)
            if distance is None:
                out.append(bytes(min(size, _KEPT)))
            else:
                out.append(pread(self._windows, offset + distance, size))
            offset, left = offset + size, left - size
        return b"".join(out)[:_KEPT].ljust(min(length, _KEPT), b"\0")

    def chunk(self, offset: int, length: int) -> FileChunk:
        if not self.records:
            raise Killed("SIGSEGV")
        end, distance = self._range(offset)
        if length <= end - offset:
            return _chunk(self._windows, (offset + (self._beside if distance is None else distance)) % _TOP, length)
        if length >= MEMORY:
            raise ReadFailed("Cannot allocate memory")
        return FileChunk(self.pread(offset, length))

    @property
    def _beside(self) -> int:
        """What stands before the array of distances in memory: the size of its block and a flag."""
        entries = -(-self.records // 32) * 32
        return (8 * entries + 8 + 15 & ~15) | 1

    def place(self, offset: int) -> int | None:
        distance = self._range(offset)[1]
        at = None if distance is None else offset + distance
        return at if at is not None and at < self._windows.view.size else None


_NOTHING: Final = -(1 << 63)


class _Records:
    """The records of a file, in its order."""

    def __init__(self) -> None:
        self.starts, self.ends, self.distances = array("Q"), array("Q"), array("q")

    def put(self, start: int, end: int, distance: int) -> None:
        self.starts.append(start)
        self.ends.append(end)
        self.distances.append(distance)

    def ranges(self) -> tuple[array[int], array[int]]:
        """Where each range starts, and the distance to its bytes: of two records at one place the later one's."""
        starts, ends = self.starts, self.ends
        order: Sequence[int] = range(len(starts))
        if any(start < end for start, end in zip(starts[1:], ends, strict=False)):
            order = sorted(order, key=starts.__getitem__)
        bounds, distances = array("Q", [0]), array("q", [_NOTHING])
        open_: list[int] = []  # numbers of records that have begun, negative: the last one is the first
        place, at, count = 0, 0, len(starts)
        while place < count or open_:
            while open_ and ends[-open_[0]] <= at:
                heappop(open_)
            nearest = ends[-open_[0]] if open_ else _TOP
            if place < count and starts[order[place]] <= nearest:
                at = max(at, starts[order[place]])
                heappush(open_, -order[place])
                place += 1
            else:
                at = nearest
            self._bound(bounds, distances, at, open_)
        return bounds, distances

    def _bound(self, bounds: array[int], distances: array[int], at: int, open_: list[int]) -> None:
        """From here on the record on top counts."""
        while open_ and self.ends[-open_[0]] <= at:
            heappop(open_)
        distance = self.distances[-open_[0]] if open_ else _NOTHING
        if bounds[-1] == at:
            distances[-1] = distance
        elif distances[-1] != distance:
            bounds.append(at)
            distances.append(distance)


class _RecordHeaders:
    """The heads of the records; where records are small several are read at once."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._start, self._bytes = 0, b""

    def at(self, at: int) -> tuple[int, int]:
        """Offset and size at this place. Raises Stopped and Killed."""
        into = at - self._start
        if not 0 <= into <= len(self._bytes) - RECORD.size:
            near = 0 <= into < len(self._bytes) + PAGE
            self._start, into = at, 0
            self._bytes = self._windows.view.read(at, _AT_ONCE if near else RECORD.size)
            if len(self._bytes) < RECORD.size:
                return self._last(at)
        offset, size = RECORD.unpack_from(self._bytes, into)
        return offset, size

    def _last(self, at: int) -> tuple[int, int]:
        """One that is not wholly in the file."""
        try:
            offset, size = RECORD.unpack(pread(self._windows, at % _TOP, RECORD.size))
        except ReadFailed as failed:
            words = f"{_REARRANGE}Cannot read flattened header at {at % _TOP}: {failed}"
            raise Stopped("flat-record", words) from None
        return offset, size


def _wrong(what: str, number: int, at: int, span: Span) -> Stopped:
    words = f"{_REARRANGE}Wrong flattened {what} {number} at {at}"
    return Stopped("flat-record", words, span)


def open_file(windows: Windows) -> ReadableFile:
    """The file, by its first bytes (flatmap_init). Raises Stopped and Killed."""
    head = pread(windows, 0, HEADER.size)
    if not head.startswith(SIGNATURE):
        return PlainFile(windows)
    for what, number in zip(("type", "version"), HEADER.unpack(head)[1:], strict=True):
        if number != 1:
            raise Stopped("flat-head", f"Unknown flattened {what}: {number}\n", HEADER.span(what))
    return FlatFile(windows)
