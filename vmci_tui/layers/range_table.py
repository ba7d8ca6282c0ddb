"""Keep millions of ranges of guest memory as columns of numbers; each range is made on access."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import lt
from typing import Final, NamedTuple, overload

_NO_BYTES: Final = (1 << 64) - 1
"""The stored offset of a range without bytes: no file is that long."""
RangeRow = tuple[int, int, int]
"""First address, end (exclusive) and stored offset."""


class Range(NamedTuple):
    """`length` bytes of guest memory at `paddr`; `offset` is None if the file has no bytes for them."""

    paddr: int
    length: int
    offset: int | None

    @property
    def end(self) -> int:
        return self.paddr + self.length


class Ranges(Sequence[Range]):
    """A sequence of non-empty ranges, 24 bytes each; it does not change after it is filled."""

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self.starts = array("Q")
        self._lasts = array("Q")  # an end can be 1 << 64, which does not fit
        self._offsets = array("Q")
        for item in ranges:
            self.add(item.paddr, item.end, item.offset)

    def add(self, start: int, end: int, offset: int | None) -> None:
        """Append [start, end), unless it is empty. Raises OverflowError outside 64 bits."""
        if start >= end:
            return
        self.starts.append(start)
        self._lasts.append(end - 1)
        self._offsets.append(_NO_BYTES if offset is None else offset)

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, index: int) -> Range: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Range, ...]: ...
    def __getitem__(self, index: int | slice) -> Range | tuple[Range, ...]:
        if isinstance(index, slice):
            return tuple(map(_range, self.starts[index], self._lasts[index], self._offsets[index]))
        return _range(self.starts[index], self._lasts[index], self._offsets[index])

    def __iter__(self) -> Iterator[Range]:
        return map(_range, self.starts, self._lasts, self._offsets)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ranges):
            return NotImplemented
        return self._columns == other._columns

    def __hash__(self) -> int:
        return hash(tuple(column.tobytes() for column in self._columns))

    def __repr__(self) -> str:
        return f"Ranges({list(self)})"

    @property
    def _columns(self) -> tuple[array[int], array[int], array[int]]:
        return self.starts, self._lasts, self._offsets

    @property
    def lengths(self) -> Iterator[int]:
        """The length of each range."""
        return (last + 1 - start for start, last in zip(self.starts, self._lasts, strict=True))

    @property
    def held_lengths(self) -> Iterator[int]:
        """The bytes of each range that the file holds: its length, or 0."""
        each = zip(self.lengths, self._offsets, strict=True)
        return (0 if offset == _NO_BYTES else length for length, offset in each)

    @property
    def offsets(self) -> Iterator[int]:
        """The file offset of each range; 0 if the file has no bytes for it."""
        return (0 if offset == _NO_BYTES else offset for offset in self._offsets)

    @property
    def bytes_in_file(self) -> int:
        """Bytes of memory that the file holds."""
        return sum(self.held_lengths)

    def by_offset(self) -> tuple[array[int], array[int]]:
        """Return the offsets of all ranges with bytes, in order, and the index of each."""
        offsets = self._offsets
        numbers = array("Q", (at for at, offset in enumerate(offsets) if offset != _NO_BYTES))
        if not _ascending(offsets):
            numbers = array("Q", sorted(numbers, key=offsets.__getitem__))
        return array("Q", map(offsets.__getitem__, numbers)), numbers

    def in_order(self) -> Iterator[RangeRow]:
        """Yield all ranges by address, then by end and offset."""
        if _ascending(self.starts):
            for start, last, offset in zip(*self._columns, strict=True):
                yield start, last + 1, offset
            return
        # One number a range: a tuple of three would take three times the memory.
        packed = [start << 128 | last << 64 | offset for start, last, offset in zip(*self._columns, strict=True)]
        packed.sort()
        for number in packed:
            yield number >> 128, (number >> 64 & _NO_BYTES) + 1, number & _NO_BYTES


def joined(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield sorted ranges, each as its start and end, with those joined that overlap or touch."""
    start = end = 0
    for first, last in ranges:
        if first > end:
            if start < end:
                yield start, end
            start = first
        end = max(end, last)
    if start < end:
        yield start, end


def _range(start: int, last: int, offset: int) -> Range:
    return Range(start, last + 1 - start, None if offset == _NO_BYTES else offset)


def _ascending(column: array[int]) -> bool:
    return all(map(lt, column, islice(column, 1, None)))
