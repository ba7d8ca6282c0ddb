"""`FILE.vmci-undo`: what was overwritten in a file, so that it can be given back to the byte.

A stack of records, newest last. A record is on the disk, with its checksums, before the
first byte of the file changes; one that is torn was never acted upon, and is ignored.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from vmci_tui.core.source import Source

SUFFIX: Final = ".vmci-undo"
LIMIT: Final = 256 << 20
"""The most bytes of a journal that are read; the heads of two hundred saves fit."""

_MAGIC: Final = b"VMCIUNDO"
_DONE: Final = b"VMCIDONE"
_VERSION: Final = 1
_HEAD = struct.Struct("<8sIIQQQQIq")  # magic, version, changes, device, inode, sizes before and after, mode, mtime
_CHANGE = struct.Struct("<QQQ32s32s")  # offset, lengths and checksums of the old and of the new bytes
_MARK = struct.Struct("<8sqQ32s")
_SUM: Final = 32


@dataclass(frozen=True, slots=True)
class Change:
    """Bytes at one place before and after; where one is shorter the file ended there."""

    offset: int
    old: bytes
    new: bytes


@dataclass(frozen=True)
class Record:
    """One save in place. Times are in ns, `mode` are permission bits."""

    device: int
    inode: int
    size_before: int
    size_after: int
    mode: int
    mtime_before: int
    changes: tuple[Change, ...]
    mtime_after: int | None = None
    """When the file was last changed by this save; None while it was not finished."""
    start: int = 0
    """Where the record begins in the journal."""


def encode(record: Record) -> bytes:
    """The record as it lies in the journal, without its mark."""
    changes = record.changes
    head = _HEAD.pack(
        _MAGIC, _VERSION, len(changes), record.device, record.inode,
        record.size_before, record.size_after, record.mode, record.mtime_before,
    )  # fmt: skip
    table = b"".join(_CHANGE.pack(c.offset, len(c.old), len(c.new), _sum(c.old), _sum(c.new)) for c in changes)
    body = head + table + b"".join(c.old + c.new for c in changes)
    return body + _sum(body)


def encode_mark(mtime: int, size: int) -> bytes:
    """What follows a record once its save is finished."""
    body = struct.pack("<8sqQ", _DONE, mtime, size)
    return body + _sum(body)


def decode(data: bytes) -> tuple[tuple[Record, ...], int]:
    """The records of a journal, oldest first, and where the last whole one (with its mark) ends."""
    records: list[Record] = []
    at = 0
    while (found := _record(data, at)) is not None:
        record, at = found
        mark = data[at : at + _MARK.size]
        if len(mark) == _MARK.size and mark.startswith(_DONE) and _sum(mark[:-_SUM]) == mark[-_SUM:]:
            _, mtime, _, _ = _MARK.unpack(mark)
            record = replace(record, mtime_after=mtime)
            at += _MARK.size
        records.append(record)
    return tuple(records), at


def _record(data: bytes, start: int) -> tuple[Record, int] | None:
    if len(data) - start < _HEAD.size + _SUM:
        return None
    magic, version, count, device, inode, before, after, mode, mtime = _HEAD.unpack_from(data, start)
    at = start + _HEAD.size
    if magic != _MAGIC or version != _VERSION or count * _CHANGE.size > len(data) - at:
        return None
    table = [_CHANGE.unpack_from(data, at + number * _CHANGE.size) for number in range(count)]
    at += count * _CHANGE.size
    changes = []
    for offset, old_length, new_length, old_sum, new_sum in table:
        if old_length + new_length > len(data) - at:
            return None
        old, new = data[at : at + old_length], data[at + old_length : at + old_length + new_length]
        if _sum(old) != old_sum or _sum(new) != new_sum:
            return None
        changes.append(Change(offset, old, new))
        at += old_length + new_length
    if data[at : at + _SUM] != _sum(data[start:at]) or not _holds(before, after, changes):
        return None
    return Record(device, inode, before, after, mode, mtime, tuple(changes), None, start), at + _SUM


def _holds(before: int, after: int, changes: list[Change]) -> bool:
    """Whether the changes lead from a file of one length to one of the other: a foreign record may say anything."""
    olds = all(c.offset + len(c.old) <= before for c in changes if c.old)
    news = all(c.offset + len(c.new) <= after for c in changes if c.new)
    cut = before <= after or any(c.offset + len(c.old) == before for c in changes)
    return olds and news and cut and max(before, after) < 1 << 63


def _sum(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


class Before:
    """The file as it was before a save: the file as it is, under the old bytes of the record."""

    def __init__(self, source: Source, record: Record) -> None:
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
