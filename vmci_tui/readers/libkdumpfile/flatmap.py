"""How libkdumpfile reads bytes of a dump: from a plain file, or through the records of a flattened one (flatmap.c).

A later record hides an earlier one at the same place; bytes without a record are zeros.
One bug is reproduced: a chunk that is wholly between records is not zeros, but is read from
the file, a few hundred bytes after its own offset (the map has no entry -1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.formats import flattened_records
from vmci_tui.formats.flattened_records import HEADER, RECORD
from vmci_tui.layers.record_index import RecordIndex
from vmci_tui.readers.libkdumpfile.file_cache import FD, FILE, PAGE, Killed, ReadFailed, Stopped, Windows
from vmci_tui.readers.shared.flattened_records import RECORD_LIMIT, RecordHeaders, written_records

SIGNATURE: Final = flattened_records.SIGNATURE.ljust(HEADER.span("signature").length, b"\0")
MEMORY: Final = 3 << 29
"""A single read of this many bytes fails: a valid dump with a bitmap of this size would have 48 TiB."""
_ENTRY: Final = 32
"""Bytes that it stores for each page of a chunk (struct fcache_entry)."""
_REARRANGE: Final = f"{FD}Cannot rearrange {FILE}"
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


class ReadableFile:
    """A plain file as the code of a format reads it. Offsets are unsigned 64-bit numbers, as in headers."""

    flattened = False
    records = 0
    """The number of records."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._view = windows.view

    def pread(self, offset: int, length: int) -> bytes:
        """Copy bytes, as many as are useful; zeros after the end of the file. Raises Killed and ReadFailed."""
        self._windows.touch(offset, length)
        return self._view.read(offset, length).ljust(min(length, _KEPT), b"\0")

    def chunk(self, offset: int, length: int) -> FileChunk:
        """Return a piece, without accessing it if possible. Raises Killed and ReadFailed."""
        if not length:
            return FileChunk(b"", 0)
        windows, inside = self._windows, offset & -PAGE < self._view.size
        pages = ((offset + length - 1 & -PAGE) - (offset & -PAGE)) % _TOP // PAGE + 1
        if pages * _ENTRY % _TOP >= MEMORY:
            raise ReadFailed("Cannot allocate memory")
        if offset >= _SIGNED - PAGE:
            raise ReadFailed("Invalid argument")
        if windows.in_window(offset, length):
            return FileChunk(self._view.read(offset, length).ljust(min(length, _KEPT), b"\0"), windows.end - offset)
        if length >= MEMORY and (inside or windows.read_before):
            raise ReadFailed("Cannot allocate memory")
        return FileChunk(windows.read(offset, length))

    def place(self, offset: int) -> int | None:
        """Return the offset of a byte in the file itself; None if it is not there."""
        return offset if offset < self._view.size else None


class FlatFile(ReadableFile):
    """A flattened file, read as the plain file that its records describe; also a source of that file's bytes."""

    flattened = True

    def __init__(self, windows: Windows) -> None:
        super().__init__(windows)
        headers = RecordHeaders(self._view)
        written = written_records(self._view)
        whole, at, more = written.records, written.end, RecordIndex.empty()
        before = whole.places[-1] - RECORD.size if whole.number else 0
        while True:
            offset, size = headers.at(at) or self._last(at)
            if offset == -1:
                break
            span = Span(at if at < self._view.size else before, RECORD.size)
            if offset < 0:
                raise _wrong("offset", offset, at, span)
            if size <= 0:
                raise _wrong("segment size", size, at, span)
            if whole.number + more.number == RECORD_LIMIT:
                raise Stopped("too-many-records", "", span)
            before = at
            at += RECORD.size
            more.add(offset, size, at)
            at += size
        self.records = whole.number + more.number
        self._index = whole.followed_by(more).disjoint() if more.number else written.plain

    @property
    def size(self) -> int:
        """The end of the last range with bytes."""
        return self._index.size

    def read(self, offset: int, length: int) -> bytes:
        """Read as from a source: nothing after the last record."""
        length = min(length, self.size - offset)
        return self.pread(offset, length) if offset >= 0 and length > 0 else b""

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        if start < (end := min(end, self.size)):
            yield start, end

    def pread(self, offset: int, length: int) -> bytes:
        out, left = [], length
        while left > 0 and offset < _TOP:
            at, end = self._index.run(offset)
            size = min(end - offset, left)
            out.append(bytes(min(size, _KEPT)) if at is None else super().pread(at, size))
            offset, left = offset + size, left - size
        return b"".join(out)[:_KEPT].ljust(min(length, _KEPT), b"\0")

    def chunk(self, offset: int, length: int) -> FileChunk:
        if not self.records:
            raise Killed("SIGSEGV")
        at, end = self._index.run(offset)
        if length <= end - offset:
            return super().chunk((offset + self._beside) % _TOP if at is None else at, length)
        if length >= MEMORY:
            raise ReadFailed("Cannot allocate memory")
        return FileChunk(self.pread(offset, length))

    @property
    def _beside(self) -> int:
        """Return the number before the array of distances in memory: the size of its block and a flag."""
        entries = -(-self.records // 32) * 32
        return (8 * entries + 8 + 15 & ~15) | 1

    def place(self, offset: int) -> int | None:
        at = self._index.run(offset)[0]
        return None if at is None else super().place(at)

    def _last(self, at: int) -> tuple[int, int]:
        """Return a header that is not wholly in the file."""
        try:
            return RECORD.unpack(super().pread(at % _TOP, RECORD.size))
        except ReadFailed as failed:
            words = f"{_REARRANGE}Cannot read flattened header at {at % _TOP}: {failed}"
            raise Stopped("flattened-record", words) from None


def _wrong(what: str, number: int, at: int, span: Span) -> Stopped:
    return Stopped("flattened-record", f"{_REARRANGE}Wrong flattened {what} {number} at {at}", span)


def open_file(windows: Windows) -> ReadableFile:
    """Open the file, plain or flattened by its first bytes (flatmap_init). Raises Stopped and Killed."""
    plain = ReadableFile(windows)
    head = plain.pread(0, HEADER.size)
    if not head.startswith(SIGNATURE):
        return plain
    for what, number in zip(("type", "version"), HEADER.unpack(head)[1:], strict=True):
        if number != 1:
            raise Stopped("flattened-head", f"{FILE}Unknown flattened {what}: {number}\n", HEADER.span(what))
    return FlatFile(windows)
