"""Encode and read `FILE.vmci-undo`: the overwritten bytes of a file, to restore it byte for byte.

It is a stack of records, newest last. A record is synced before the first byte of the file changes;
a mark follows it when its save is finished. It is framed from both ends: its head has its length, so
a damaged record is skipped and stays; its tail has it too, so the last record is found without
reading the others. Version 1 had no lengths and no tail.

The file is untrusted: each part has a checksum, and every read has a bound.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError
from vmci_tui.layers.file import BytesSource, Source

SUFFIX: Final = ".vmci-undo"
LIMIT: Final = 256 << 20
"""The most bytes of a journal, and so of a record: enough for 2,000,000 program headers."""
MOST_CHANGES: Final = 1 << 16
"""The most changed places of a record; a save makes a few."""

_MAGIC: Final = b"VMCIUNDO"
_TAILED: Final = b"VMCITAIL"
_DONE: Final = b"VMCIDONE"
_VERSION: Final = 2
_NAMED = struct.Struct("<8sI")  # magic, version
_HEAD = struct.Struct("<8sIIQQQQIq")  # magic, version, changes, device, inode, sizes before and after, mode, mtime
_FRAME = struct.Struct("<Q32s32s")  # from version 2 on: length of the record, checksums of its table and of the head
_CHANGE = struct.Struct("<QQQ32s32s")  # offset, lengths and checksums of the old and of the new bytes
_TAIL = struct.Struct("<8sQ32s")  # magic, length of the record, checksum of its head
_MARK = struct.Struct("<8sqQ32s")
_SUM: Final = 32
_MOST_RECORDS: Final = 1 << 14
"""Records that are skipped to find the last one if it has no tail, as in journals of version 1."""
_MOST_ROWS: Final = 1 << 18
"""Rows of the tables of version 1 that are added up for that."""
_MOST_ZEROS: Final = 16 << 20


class ChangedBytes(NamedTuple):
    """Bytes at one offset before and after; the shorter ones ended at the file's end."""

    offset: int
    old: bytes
    new: bytes


@dataclass(frozen=True)
class SaveRecord:
    """One save in place. Times are in ns, `mode` are permission bits."""

    device: int
    inode: int
    size_before: int
    size_after: int
    mode: int
    mtime_before: int
    changes: tuple[ChangedBytes, ...]
    mtime_after: int | None = None
    """The time of the save's last change of the file; None if it was not finished."""
    start: int = 0
    """Offset of the record in the journal."""


class RecordFrame(NamedTuple):
    """Offset and size of a record by its head or tail; its bytes are not checked."""

    version: int
    changes: int
    start: int
    length: int
    end: int
    """Offset after the record and its mark, if any."""
    mtime_after: int | None
    size_before: int
    mtime_before: int


class JournalPrefix:
    """The first bytes of a journal as a source: the journal before its last records."""

    def __init__(self, source: Source, size: int) -> None:
        self._source, self.size = source, size

    def read(self, offset: int, length: int) -> bytes:
        return self._source.read(offset, max(min(length, self.size - offset), 0))

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        return self._source.data_ranges(start, min(end, self.size))


class Unreadable(OpenError):
    """The journal holds bytes that are not a record, or a damaged record."""


def encode(record: SaveRecord) -> bytes:
    """Return the record's bytes in the journal, without its mark."""
    changes = record.changes
    table = b"".join(_CHANGE.pack(c.offset, len(c.old), len(c.new), _sum(c.old), _sum(c.new)) for c in changes)
    payload = b"".join(c.old + c.new for c in changes)
    head = _HEAD.pack(
        _MAGIC, _VERSION, len(changes), record.device, record.inode,
        record.size_before, record.size_after, record.mode, record.mtime_before,
    )  # fmt: skip
    length = _HEAD.size + _FRAME.size + len(table) + len(payload) + _TAIL.size
    head += struct.pack("<Q32s", length, _sum(table))
    return head + _sum(head) + table + payload + _TAIL.pack(_TAILED, length, _sum(head))


def encode_mark(mtime: int, size: int) -> bytes:
    """Return the mark that follows a record when its save is finished."""
    body = struct.pack("<8sqQ", _DONE, mtime, size)
    return body + _sum(body)


def last(source: Source) -> RecordFrame | None:
    """Return the frame of the newest record; None if there is none. Raises Unreadable, OpenError."""
    if (found := _from_end(source)) is not None:
        return found
    newest = None
    for place in frames(source):
        newest = place
    return newest


def end_of(source: Source) -> int:
    """Return the offset for the next record: the last one's end, before torn bytes. Raises Unreadable, OpenError."""
    found = last(source)
    end = found.end if found is not None else 0
    if source.read(end, _NAMED.size) == _NAMED.pack(_MAGIC, 1):  # it may be damaged and not torn
        raise Unreadable(f"the record at byte {end}, of version 1, is cut off or damaged")
    return end


def frames(source: Source) -> Iterator[RecordFrame]:
    """Yield the frames of all records, oldest first, up to the end or to a torn record.

    Raises Unreadable at other bytes.
    """
    at = rows = 0
    for _ in range(_MOST_RECORDS):
        if at == source.size or (found := _framed(source, at)) is None:
            return
        yield found
        at = found.end
        rows += found.changes if found.version == 1 else 0
        if rows > _MOST_ROWS:
            break
    raise Unreadable("more records than any sequence of saves makes")


def read(source: Source, place: RecordFrame) -> SaveRecord:
    """Return the record of a frame. Raises Unreadable if one of its checksums is wrong."""
    if place.length > LIMIT:
        raise Unreadable(f"the record at byte {place.start} has {place.length} bytes, more than {LIMIT}")
    data = source.read(place.start, place.length)
    record = _record(data, place) if len(data) == place.length else None
    if record is None:
        raise Unreadable(f"the record of the last save, at byte {place.start}, is damaged")
    return record


def decode(data: bytes) -> tuple[tuple[SaveRecord, ...], int]:
    """Return the records of a journal, oldest first, and the end of the last one with its mark. Raises Unreadable."""
    source = BytesSource(data)
    found = tuple(frames(source))
    return tuple(read(source, place) for place in found), found[-1].end if found else 0


def _from_end(source: Source) -> RecordFrame | None:
    """Return the last record's frame by its tail; None if it has no tail, or is not whole."""
    mark = _mark(source, source.size - _MARK.size)
    end = source.size - (_MARK.size if mark is not None else 0)
    data = source.read(end - _TAIL.size, _TAIL.size)
    if len(data) < _TAIL.size or not data.startswith(_TAILED):
        return None
    _, length, head = _TAIL.unpack(data)
    try:
        found = _framed(source, end - length)
    except Unreadable:
        return None
    at_head = source.read(end - length + _HEAD.size + _FRAME.size - _SUM, _SUM)
    return found if found is not None and found.length == length and at_head == head else None


def _framed(source: Source, at: int) -> RecordFrame | None:
    """Return the frame of the record at `at`; None if it was torn. Raises Unreadable."""
    head = source.read(at, _HEAD.size + _FRAME.size)
    named = head[: _NAMED.size]
    if _is_torn(source, at, head.rstrip(b"\0")):
        return None
    if len(named) < _NAMED.size or not named.startswith(_MAGIC):
        raise Unreadable(f"byte {at} is not the start of a record")
    version = _NAMED.unpack(named)[1]
    if version > _VERSION:
        raise Unreadable(f"the record at byte {at} is of version {version}: a newer vmci wrote it")
    if version == 1:
        return _framed_1(source, at, head[: _HEAD.size])
    length, _, expected = (
        _FRAME.unpack_from(head, _HEAD.size) if len(head) == _HEAD.size + _FRAME.size else (0, b"", b"")
    )
    if version != _VERSION or expected != _sum(head[:-_SUM]):
        raise Unreadable(f"the head of the record at byte {at} is damaged")
    return _placed(source, at, head, length) if length <= source.size - at else None


def _is_torn(source: Source, at: int, solid: bytes) -> bool:
    """Return whether the first bytes of a record or mark are at `at`, and then the end, or zeros.

    Zeros are left by a power cut: the file grew, and the rest of its bytes was never written.
    """
    if len(solid) == _HEAD.size + _FRAME.size or not _zeros(source, at + len(solid)):
        return False
    ours = _NAMED.pack(_MAGIC, _VERSION)
    if ours.startswith(solid[: len(ours)]):
        return True
    return source.size - at <= _MARK.size and _DONE.startswith(solid[: len(_DONE)])


def _framed_1(source: Source, at: int, head: bytes) -> RecordFrame | None:
    """Return the frame of a record of version 1: only its table, without a checksum, has its length."""
    count = _HEAD.unpack(head)[2] if len(head) == _HEAD.size else 0
    if count <= MOST_CHANGES:
        table = source.read(at + _HEAD.size, count * _CHANGE.size)
        rows = _CHANGE.iter_unpack(table[: len(table) // _CHANGE.size * _CHANGE.size])
        length = _HEAD.size + count * _CHANGE.size + sum(row[1] + row[2] for row in rows) + _SUM
        if length <= source.size - at:
            return _placed(source, at, head, length)
        if _mark(source, source.size - _MARK.size) is None:
            return None
    raise Unreadable(f"the record at byte {at}, of version 1, is damaged")


def _placed(source: Source, at: int, head: bytes, length: int) -> RecordFrame:
    _, version, count, _, _, before, _, _, mtime = _HEAD.unpack_from(head)
    mark = _mark(source, at + length)
    return RecordFrame(
        version, count, at, length, at + length + (_MARK.size if mark is not None else 0), mark, before, mtime
    )


def _mark(source: Source, at: int) -> int | None:
    """Return the time in the mark at `at`; None if there is no mark."""
    data = source.read(at, _MARK.size)
    if len(data) < _MARK.size or not data.startswith(_DONE) or _sum(data[:-_SUM]) != data[-_SUM:]:
        return None
    time: int = _MARK.unpack(data)[1]
    return time


def _zeros(source: Source, at: int) -> bool:
    return source.size - at <= _MOST_ZEROS and not source.read(at, _MOST_ZEROS).strip(b"\0")


def _record(data: bytes, place: RecordFrame) -> SaveRecord | None:
    _, version, count, device, inode, before, after, mode, mtime = _HEAD.unpack_from(data)
    first = version == 1
    at = _HEAD.size + (0 if first else _FRAME.size)
    end = len(data) - (_SUM if first else _TAIL.size)
    table = data[at : at + count * _CHANGE.size]
    if count > MOST_CHANGES or at + count * _CHANGE.size > end:
        return None
    if first and data[end:] != _sum(data[:end]):
        return None
    if not first and _FRAME.unpack_from(data, _HEAD.size)[1] != _sum(table):
        return None
    at += len(table)
    changes = []
    for offset, old_length, new_length, old_sum, new_sum in _CHANGE.iter_unpack(table):
        if old_length + new_length > end - at:
            return None
        old, new = data[at : at + old_length], data[at + old_length : at + old_length + new_length]
        if _sum(old) != old_sum or _sum(new) != new_sum:
            return None
        changes.append(ChangedBytes(offset, old, new))
        at += old_length + new_length
    if at != end or not _holds(before, after, changes):
        return None
    record = SaveRecord(device, inode, before, after, mode, mtime, tuple(changes), None, place.start)
    return replace(record, mtime_after=place.mtime_after)


def _holds(before: int, after: int, changes: list[ChangedBytes]) -> bool:
    """Return whether the changes lead from one file length to the other: the record is untrusted."""
    olds = all(c.offset + len(c.old) <= before for c in changes if c.old)
    news = all(c.offset + len(c.new) <= after for c in changes if c.new)
    cut = before <= after or any(c.offset + len(c.old) == before for c in changes)
    return olds and news and cut and max(before, after) < 1 << 63


def _sum(data: bytes) -> bytes:
    from hashlib import sha256  # half a MiB of memory, which only a save in place needs

    return sha256(data).digest()


class FileBeforeSave:
    """The file before a save: the current file with the old bytes of the record over it."""

    def __init__(self, source: Source, record: SaveRecord) -> None:
        self._source, self._record = source, record

    @property
    def size(self) -> int:
        return self._record.size_before

    def read(self, offset: int, length: int) -> bytes:
        length = max(min(length, self.size - offset), 0)
        data = bytearray(self._source.read(offset, length).ljust(length, b"\0"))
        for change in self._record.changes:
            low, high = max(change.offset, offset), min(change.offset + len(change.old), offset + length)
            if low < high:
                data[low - offset : high - offset] = change.old[low - change.offset : high - change.offset]
        return bytes(data)

    def overwritten(self, offset: int, length: int) -> bool:
        """Return whether the save changed one of these bytes."""
        return any(
            change.offset < offset + length and offset < change.offset + len(change.new)
            for change in self._record.changes
        )

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        if start < (end := min(end, self.size)):
            yield start, end
