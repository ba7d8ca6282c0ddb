"""How libkdumpfile reads bytes of a dump: from a plain file, or through the records of a flattened one (flatmap.c).

A later record hides an earlier one at the same place; bytes without a record are zeros.
One bug is reproduced: a chunk that is wholly between records is not zeros, but is read from
the file, a few hundred bytes after its own offset (the map has no entry -1).
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
"""A single read of this many bytes fails: a valid dump with a bitmap of this size would have 48 TiB."""
_ENTRY: Final = 32
"""Bytes that it stores for each page of a chunk (struct fcache_entry)."""
_REARRANGE: Final = "Cannot rearrange file #0: "
_AT_ONCE: Final = 1 << 16
_RECORD_LIMIT: Final = 1 << 21
"""Records that are read at most, whatever a file holds."""
_KEPT: Final = 1 << 26
_TOP: Final = 1 << 64
_SIGNED: Final = 1 << 63


class FileChunk(NamedTuple):
    """Bytes that libkdumpfile got as one piece; access from `deadly` on kills it."""

    data: bytes
    deadly: int | None = None

    def touch(self, end: int) -> None:
        """Raise Killed if bytes before `end` cannot be accessed."""
        if self.deadly is not None and end > self.deadly:
            raise Killed("SIGBUS")


class ReadableFile(Protocol):
    """A file as the code of a format reads it. Offsets are unsigned 64-bit numbers, as in headers."""

    flattened: bool
    records: int
    """The number of records; 0 for a plain file."""

    def pread(self, offset: int, length: int) -> bytes:
        """Copy bytes. Raises Killed and ReadFailed."""
        ...

    def chunk(self, offset: int, length: int) -> FileChunk:
        """Return a piece, without accessing it if possible. Raises Killed and ReadFailed."""
        ...

    def place(self, offset: int) -> int | None:
        """Return the offset of a byte in the file itself; None if it is not there."""
        ...


class PlainFile:
    """A plain file."""

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
    """Copy the file's bytes, as many as are useful; zeros after its end."""
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
    """A flattened file: ranges of the plain file, each with the distance to its bytes."""

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
        """The end of the last range with bytes."""
        return self._starts[-1]

    def _range(self, offset: int) -> tuple[int, int | None]:
        """Return the end of the range at an offset, and the distance to its bytes (None: no bytes)."""
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
        """Return the number before the array of distances in memory: the size of its block and a flag."""
        entries = -(-self.records // 32) * 32
        return (8 * entries + 8 + 15 & ~15) | 1

    def place(self, offset: int) -> int | None:
        distance = self._range(offset)[1]
        at = None if distance is None else offset + distance
        return at if at is not None and at < self._windows.view.size else None


_NOTHING: Final = -(1 << 63)


class _Records:
    """The records of a file, in their order in the file."""

    def __init__(self) -> None:
        self.starts, self.ends, self.distances = array("Q"), array("Q"), array("q")

    def put(self, start: int, end: int, distance: int) -> None:
        self.starts.append(start)
        self.ends.append(end)
        self.distances.append(distance)

    def ranges(self) -> tuple[array[int], array[int]]:
        """Return the start of each range, and the distance to its bytes: the later of two records wins."""
        starts, ends = self.starts, self.ends
        order: Sequence[int] = range(len(starts))
        if any(start < end for start, end in zip(starts[1:], ends, strict=False)):
            order = sorted(order, key=starts.__getitem__)
        bounds, distances = array("Q", [0]), array("q", [_NOTHING])
        open_: list[int] = []  # numbers of open records, negative, so that the last record comes first
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
        """Start a range at this bound, with the bytes of the topmost record."""
        while open_ and self.ends[-open_[0]] <= at:
            heappop(open_)
        distance = self.distances[-open_[0]] if open_ else _NOTHING
        if bounds[-1] == at:
            distances[-1] = distance
        elif distances[-1] != distance:
            bounds.append(at)
            distances.append(distance)


class _RecordHeaders:
    """The headers of the records; several small records are read at once."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._start, self._bytes = 0, b""

    def at(self, at: int) -> tuple[int, int]:
        """Return offset and size in the record header at this offset. Raises Stopped and Killed."""
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
        """Return a header that is not wholly in the file."""
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
    """Open the file, plain or flattened by its first bytes (flatmap_init). Raises Stopped and Killed."""
    head = pread(windows, 0, HEADER.size)
    if not head.startswith(SIGNATURE):
        return PlainFile(windows)
    for what, number in zip(("type", "version"), HEADER.unpack(head)[1:], strict=True):
        if number != 1:
            raise Stopped("flat-head", f"Unknown flattened {what}: {number}\n", HEADER.span(what))
    return FlatFile(windows)
