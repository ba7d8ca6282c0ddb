"""Map guest-physical memory: its ranges, and where they are in the file."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from vmci_tui.layers.file import Source
from vmci_tui.layers.range_table import Range, Ranges, joined

HeaderMapping = tuple[int, int, int, int]
"""The fields of one program header: paddr, offset, filesz, memsz."""


_OVERLAPS: Final = 256


class Overlap(NamedTuple):
    """Memory that is in the file twice."""

    paddr: int
    length: int
    first: int
    """The offset that counts."""
    second: int


@dataclass(frozen=True)
class Memory:
    """The merged, disjoint, sorted ranges of all mappings."""

    ranges: Ranges
    overlaps: tuple[Overlap, ...] = ()
    """Memory for which two mappings name different parts of the file; at most `_OVERLAPS` of them."""

    @cached_property
    def _by_offset(self) -> tuple[array[int], array[int]]:
        return self.ranges.by_offset()

    @property
    def size(self) -> int:
        """Bytes of guest memory that the file holds."""
        return self.ranges.bytes_in_file

    def range_at(self, paddr: int) -> Range | None:
        index = bisect_right(self.ranges.starts, paddr) - 1
        if index >= 0 and paddr < (item := self.ranges[index]).end:
            return item
        return None

    def offset_of(self, paddr: int) -> int | None:
        """Return the file offset of the byte at `paddr`; None if the dump does not hold it."""
        item = self.range_at(paddr)
        return None if item is None or item.offset is None else item.offset + paddr - item.paddr

    def paddr_of(self, offset: int) -> int | None:
        """Return the guest-physical address of the byte at a file offset; None outside memory."""
        offsets, numbers = self._by_offset
        index = bisect_right(offsets, offset) - 1
        if index < 0:
            return None
        inside, item = offset - offsets[index], self.ranges[numbers[index]]
        return item.paddr + inside if inside < item.length else None

    def gap_around(self, offset: int, start: int, end: int) -> tuple[int, int]:
        """Return the part of [start, end) of the file around `offset` without memory; `offset` is not memory."""
        offsets, numbers = self._by_offset
        index = bisect_right(offsets, offset)
        if index:
            start = max(start, offsets[index - 1] + self.ranges[numbers[index - 1]].length)
        if index < len(offsets):
            end = min(end, offsets[index])
        return start, end

    def covered(self, paddr: int, length: int) -> int:
        """Return the number of bytes from `paddr` on that are memory without a gap, at most `length`."""
        at = paddr
        while at < paddr + length and (item := self.range_at(at)):
            at = item.end
        return min(at - paddr, length)

    def read(self, source: Source, paddr: int, length: int) -> bytes:
        """Return `length` bytes from `paddr` on, zeros if the dump does not hold them. The caller bounds `length`."""
        out = bytearray(length)
        at = paddr
        while at < paddr + length:
            item = self.range_at(at)
            if item is None:
                index = bisect_right(self.ranges.starts, at)
                if index == len(self.ranges):
                    break
                at = self.ranges[index].paddr
                continue
            stop = min(item.end, paddr + length)
            if item.offset is not None:
                part = source.read(item.offset + at - item.paddr, stop - at)
                out[at - paddr : at - paddr + len(part)] = part
            at = stop
        return bytes(out)


def merge(mappings: Iterable[HeaderMapping], file_size: int, top: int) -> Memory:
    """Merge program headers into disjoint ranges below the address `top` (exclusive).

    Of several mappings of one paddr the first in address order counts; bytes past the
    end of the file count as missing. A mapping whose paddr is all ones is device memory
    without an address, and is left out.
    """
    in_file, missing = Ranges(), Ranges()
    for paddr, offset, filesz, memsz in mappings:
        if paddr >= top - 1 or memsz == 0:
            continue
        end = min(paddr + memsz, top)
        inside = max(min(filesz, end - paddr, file_size - offset), 0)
        if inside:
            in_file.add(paddr, paddr + inside, offset)
        if paddr + inside < end:
            missing.add(paddr + inside, end, None)
    ranges, overlaps = _disjoint(in_file)
    del in_file  # 24 MB of a million headers
    return Memory(_filled(ranges, missing) if missing else ranges, tuple(overlaps))


def _disjoint(mappings: Ranges) -> tuple[Ranges, list[Overlap]]:
    out = Ranges()
    overlaps: list[Overlap] = []
    first = last = place = 0  # the newest range: [first, last), at `place` of the file
    for start, end, offset in mappings.in_order():
        if first < last and start <= last:
            same = place + start - first == offset
            if start < last and not same and len(overlaps) < _OVERLAPS:
                overlaps.append(Overlap(start, min(end, last) - start, place + start - first, offset))
            if end <= last:
                continue
            if same:
                last = end
                continue
            offset += last - start
            start = last
        if first < last:
            out.add(first, last, place)
        first, last, place = start, end, offset
    if first < last:
        out.add(first, last, place)
    return out, overlaps


def _filled(ranges: Ranges, missing: Ranges) -> Ranges:
    """Return the ranges, with those that have no bytes in the gaps between them."""
    out, rows = Ranges(), ranges.in_order()
    here = next(rows, None)
    for start, end in joined((start, end) for start, end, _ in missing.in_order()):
        at = start
        while at < end:
            while here is not None and here[1] <= at:
                out.add(*here)
                here = next(rows, None)
            stop = end if here is None else min(end, here[0])
            if at < stop:
                out.add(at, stop, None)
            if here is None:
                break
            at = max(stop, min(here[1], end))
    while here is not None:
        out.add(*here)
        here = next(rows, None)
    return out
