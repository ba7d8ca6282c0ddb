"""`FILE.vmci-undo`: what was overwritten in a file, so that it can be given back to the byte.

A stack of records, newest last. A record is on the disk before the first byte of the file changes;
a mark follows it once its save is finished. It is framed from both ends: its head says how long it
is, so a record whose bytes are damaged is stepped over and stays; its tail says it too, so the last
one is found without reading what lies before it. Version 1 had no lengths and no tail.

Nothing in it is believed: each part has a checksum, and all that is read has a bound.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError
from vmci_tui.layers.file import BytesSource, Source

SUFFIX: Final = ".vmci-undo"
LIMIT: Final = 256 << 20
"""The most bytes of a journal, and so of a record: what 2,000,000 program headers need."""
MOST_CHANGES: Final = 1 << 16
"""Of a record: places in the file. A save makes a few."""

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
"""That are stepped over where the last one cannot be found by its tail: journals of version 1."""
_MOST_ROWS: Final = 1 << 18
"""Of the tables of version 1, which have to be added up for that."""
_MOST_ZEROS: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class ChangedBytes:
    """Bytes at one place before and after; where one is shorter the file ended there."""

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
    """When the file was last changed by this save; None while it was not finished."""
    start: int = 0
    """Where the record begins in the journal."""


class RecordFrame(NamedTuple):
    """Where a record lies, as its head (or tail) frames it; its bytes were not looked at."""

    version: int
    changes: int
    start: int
    length: int
    end: int
    """Behind the mark, where there is one."""
    mtime_after: int | None
    size_before: int
    mtime_before: int


class JournalPrefix:
    """The first bytes of a journal, as a source of its own: what it was before its last records."""

    def __init__(self, source: Source, size: int) -> None:
        self._source, self.size = source, size

    def read(self, offset: int, length: int) -> bytes:
        return self._source.read(offset, max(min(length, self.size - offset), 0))

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        return self._source.data_ranges(start, min(end, self.size))


class Unreadable(OpenError):
    """What lies in the journal from some byte on is no record of ours, or a damaged one."""


def encode(record: SaveRecord) -> bytes:
    """The record as it lies in the journal, without its mark."""
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
    """What follows a record once its save is finished."""
    body = struct.pack("<8sqQ", _DONE, mtime, size)
    return body + _sum(body)


def last(source: Source) -> RecordFrame | None:
    """The newest record's place. Raises Unreadable, OpenError."""
    if (found := _from_end(source)) is not None:
        return found
    newest = None
    for place in frames(source):
        newest = place
    return newest


def end_of(source: Source) -> int:
    """Where the next record goes: behind the last one; what was torn there goes. Raises Unreadable, OpenError."""
    found = last(source)
    end = found.end if found is not None else 0
    if source.read(end, _NAMED.size) == _NAMED.pack(_MAGIC, 1):  # nothing vouches that it was torn, and not damaged
        raise Unreadable(f"the record at byte {end}, of version 1, is cut off or damaged")
    return end


def frames(source: Source) -> Iterator[RecordFrame]:
    """All records, oldest first, up to the end or to one that was torn as it was written.

    Raises Unreadable at what is neither.
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
    raise Unreadable("more records than any row of saves leaves")


def read(source: Source, place: RecordFrame) -> SaveRecord:
    """The record at this place. Raises Unreadable where one of its checksums is not right."""
    if place.length > LIMIT:
        raise Unreadable(f"the record at byte {place.start} has {place.length} bytes, more than {LIMIT}")
    data = source.read(place.start, place.length)
    record = _record(data, place) if len(data) == place.length else None
    if record is None:
        raise Unreadable(f"the record of the last save, at byte {place.start}, is damaged")
    return record


def decode(data: bytes) -> tuple[tuple[SaveRecord, ...], int]:
    """The records of a journal, oldest first, and where the last one (with its mark) ends. Raises Unreadable."""
    source = BytesSource(data)
    found = tuple(frames(source))
    return tuple(read(source, place) for place in found), found[-1].end if found else 0


def _from_end(source: Source) -> RecordFrame | None:
    """The last record, found by its tail; None where it has none, or is not whole."""
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
    """The record that begins at `at`; None where it was torn. Raises Unreadable."""
    head = source.read(at, _HEAD.size + _FRAME.size)
    named = head[: _NAMED.size]
    if _is_torn(source, at, head.rstrip(b"\0")):
        return None
    if len(named) < _NAMED.size or not named.startswith(_MAGIC):
        raise Unreadable(f"byte {at} is no record's beginning")
    version = _NAMED.unpack(named)[1]
    if version > _VERSION:
        raise Unreadable(f"the record at byte {at} is of version {version}: a newer vmci wrote it")
    if version == 1:
        return _framed_1(source, at, head[: _HEAD.size])
    length, _, told = _FRAME.unpack_from(head, _HEAD.size) if len(head) == _HEAD.size + _FRAME.size else (0, b"", b"")
    if version != _VERSION or told != _sum(head[:-_SUM]):
        raise Unreadable(f"the head of the record at byte {at} is damaged")
    return _placed(source, at, head, length) if length <= source.size - at else None


def _is_torn(source: Source, at: int, solid: bytes) -> bool:
    """Whether here lie the first bytes of a record, or of a mark, and behind them the end, or zeros.

    The zeros are of a power cut: the file grew, and the rest of its bytes never came.
    """
    if len(solid) == _HEAD.size + _FRAME.size or not _zeros(source, at + len(solid)):
        return False
    ours = _NAMED.pack(_MAGIC, _VERSION)
    if ours.startswith(solid[: len(ours)]):
        return True
    return source.size - at <= _MARK.size and _DONE.startswith(solid[: len(_DONE)])


def _framed_1(source: Source, at: int, head: bytes) -> RecordFrame | None:
    """As the first version wrote it: how long it is only its table tells, which nothing vouches for yet."""
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
    """The time in the mark at `at`; None where there is none."""
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
    behind = len(data) - (_SUM if first else _TAIL.size)
    table = data[at : at + count * _CHANGE.size]
    if count > MOST_CHANGES or at + count * _CHANGE.size > behind:
        return None
    if first and data[behind:] != _sum(data[:behind]):
        return None
    if not first and _FRAME.unpack_from(data, _HEAD.size)[1] != _sum(table):
        return None
    at += len(table)
    changes = []
    for offset, old_length, new_length, old_sum, new_sum in _CHANGE.iter_unpack(table):
        if old_length + new_length > behind - at:
            return None
        old, new = data[at : at + old_length], data[at + old_length : at + old_length + new_length]
        if _sum(old) != old_sum or _sum(new) != new_sum:
            return None
        changes.append(ChangedBytes(offset, old, new))
        at += old_length + new_length
    if at != behind or not _holds(before, after, changes):
        return None
    record = SaveRecord(device, inode, before, after, mode, mtime, tuple(changes), None, place.start)
    return replace(record, mtime_after=place.mtime_after)


def _holds(before: int, after: int, changes: list[ChangedBytes]) -> bool:
    """Whether the changes lead from a file of one length to one of the other: a foreign record may say anything."""
    olds = all(c.offset + len(c.old) <= before for c in changes if c.old)
    news = all(c.offset + len(c.new) <= after for c in changes if c.new)
    cut = before <= after or any(c.offset + len(c.old) == before for c in changes)
    return olds and news and cut and max(before, after) < 1 << 63


def _sum(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


class FileBeforeSave:
    """The file as it was before a save: the file as it is, under the old bytes of the record."""

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
        """Whether the save changed one of these bytes."""
        return any(
            change.offset < offset + length and offset < change.offset + len(change.new)
            for change in self._record.changes
        )

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        if start < (end := min(end, self.size)):
            yield start, end
