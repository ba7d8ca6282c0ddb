"""Which bytes of a file no file has yet: sorted ranges of offsets."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final, NamedTuple

from vmci_tui.changes.matching import Kind

_COMPARED: Final = 1 << 12
"""Bytes that are compared one by one; of more, only the first and the last difference are found."""


class ChangedRange(NamedTuple):
    """Bytes [start, end) of the file as it would be saved."""

    start: int
    end: int
    kind: Kind


class ChangedBytes:
    """Ranges that do not overlap, by offset."""

    def __init__(self, ranges: Iterable[ChangedRange] = ()) -> None:
        self.ranges = tuple(sorted(ranges))

    @cached_property
    def _starts(self) -> list[int]:
        return [item.start for item in self.ranges]

    def within(self, start: int, end: int) -> Iterator[ChangedRange]:
        """Yield the ranges with bytes in [start, end)."""
        for item in self.ranges[max(bisect_right(self._starts, start) - 1, 0) :]:
            if item.start >= end:
                return
            if item.end > start:
                yield item


def differing(old: bytes, new: bytes, at: int) -> Iterator[ChangedRange]:
    """Yield the runs of `new`, which is at offset `at`, that differ from `old`; what is beyond `old` is added."""
    common = min(len(old), len(new))
    if old[:common] != new[:common]:
        if common <= _COMPARED:
            start = None
            for index in range(common + 1):
                differs = index < common and old[index] != new[index]
                if differs and start is None:
                    start = index
                elif not differs and start is not None:
                    yield ChangedRange(at + start, at + index, "changed")
                    start = None
        else:
            first = next(index for index in range(common) if old[index] != new[index])
            last = next(index for index in range(common - 1, -1, -1) if old[index] != new[index])
            yield ChangedRange(at + first, at + last + 1, "changed")
    if len(new) > common:
        yield ChangedRange(at + common, at + len(new), "added")


def middle(old: bytes, new: bytes, at: int) -> Iterator[ChangedRange]:
    """Yield the one range of `new`, which is at offset `at`, outside which both begin and end alike."""
    first, last, common = 0, 0, min(len(old), len(new))
    while first < common and old[first] == new[first]:
        first += 1
    while last < common - first and old[-1 - last] == new[-1 - last]:
        last += 1
    if first < len(new) - last:
        yield ChangedRange(at + first, at + len(new) - last, "changed")
