"""The records of a flattened file as an index: which bytes of the file each byte of the plain file comes from."""

from __future__ import annotations

import operator
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from itertools import islice
from typing import NamedTuple


class Record(NamedTuple):
    """One record: `length` bytes for `offset` of the plain file, at offset `place` of the flattened one."""

    offset: int
    length: int
    place: int


class RecordIndex(NamedTuple):
    """Records as three columns of unsigned 64-bit numbers; made in the order of the file, read when disjoint."""

    offsets: array[int]
    lengths: array[int]
    places: array[int]

    @classmethod
    def empty(cls) -> RecordIndex:
        return cls(array("Q"), array("Q"), array("Q"))

    def add(self, offset: int, length: int, place: int) -> None:
        self.offsets.append(offset)
        self.lengths.append(length)
        self.places.append(place)

    def followed_by(self, more: RecordIndex) -> RecordIndex:
        """Return these records and more, in the file's order."""
        return RecordIndex(*(mine + other for mine, other in zip(self, more, strict=True)))

    @property
    def number(self) -> int:
        """How many records there are."""
        return len(self.offsets)

    @property
    def size(self) -> int:
        """Bytes of the plain file: the end of the last record."""
        return self.offsets[-1] + self.lengths[-1] if self.offsets else 0

    def run(self, offset: int) -> tuple[int | None, int]:
        """Return the place of a byte of the plain file (None: no record holds it), and where a run of such bytes ends.

        After the last record comes a run up to 2^64.
        """
        at = bisect_right(self.offsets, offset)
        into = offset - self.offsets[at - 1] if at else 0
        if at and into < self.lengths[at - 1]:
            return self.places[at - 1] + into, self.offsets[at - 1] + self.lengths[at - 1]
        return None, self.offsets[at] if at < self.number else 1 << 64

    def pieces(self, offset: int, length: int) -> Iterator[Record]:
        """Yield the parts of [offset, offset + length) of the plain file that records hold, in order."""
        offsets, lengths, places = self
        end = offset + length
        at = max(bisect_right(offsets, offset) - 1, 0)
        while at < len(offsets) and (start := offsets[at]) < end:
            first, stop = max(start, offset), min(start + lengths[at], end)
            if first < stop:
                yield Record(first, stop - first, places[at] + first - start)
            at += 1

    def in_order(self) -> tuple[RecordIndex, Sequence[int]]:
        """Return the records by their offset in the plain file, and their numbers here."""
        offsets = self.offsets
        if all(map(operator.le, offsets, islice(offsets, 1, None))):
            return self, range(self.number)
        order = sorted(range(self.number), key=offsets.__getitem__)
        return RecordIndex(*(array("Q", map(column.__getitem__, order)) for column in self)), order

    @property
    def overlap(self) -> int | None:
        """The first offset to which two records write; None if they are disjoint. They must be in order."""
        ends, starts = map(operator.add, self.offsets, self.lengths), islice(self.offsets, 1, None)
        return next((start for end, start in zip(ends, starts, strict=False) if end > start), None)

    def disjoint(self) -> RecordIndex:
        """Return the records in order, each byte with the last record that writes it."""
        ordered, order = self.in_order()
        return ordered if ordered.overlap is None else self.later_wins(order)

    def later_wins(self, order: Sequence[int]) -> RecordIndex:
        """Sweep over the offsets, with the open records in a heap, the last one on top."""
        offsets, lengths, places = self
        out = RecordIndex.empty()
        under: list[int] = []
        at = upto = before = 0
        while upto < len(order) or under:
            while under and offsets[-under[0]] + lengths[-under[0]] <= at:
                heappop(under)
            if not under:
                if upto == len(order):
                    break
                at, before = max(at, offsets[order[upto]]), -1
            while upto < len(order) and offsets[order[upto]] <= at:
                heappush(under, -order[upto])
                upto += 1
            top = -under[0]
            end = offsets[top] + lengths[top]
            if end <= at:
                continue
            stop = min(end, offsets[order[upto]]) if upto < len(order) else end
            if top == before:
                out.lengths[-1] += stop - at
            else:
                out.add(at, stop - at, places[top] + at - offsets[top])
            at, before = stop, top
        return out
