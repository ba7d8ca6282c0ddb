"""Guest-physical memory of a dump: which ranges there are, and where they lie in the file."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from vmci_tui.core.source import Source


class Range(NamedTuple):
    """`length` bytes of guest memory at `paddr`; `offset` None where the file has no bytes for them."""

    paddr: int
    length: int
    offset: int | None

    @property
    def end(self) -> int:
        return self.paddr + self.length


class Mapping(NamedTuple):
    """What one program header says: `memsz` bytes at `paddr` and `vaddr`, `filesz` of them in the file."""

    paddr: int
    vaddr: int
    offset: int
    filesz: int
    memsz: int


@dataclass(frozen=True)
class Memory:
    """The merged, disjoint, sorted ranges of all mappings."""

    ranges: tuple[Range, ...]
    conflict: int | None = field(default=None)
    """The first paddr for which two mappings name different bytes of the file."""

    @cached_property
    def _starts(self) -> list[int]:
        return [item.paddr for item in self.ranges]

    @cached_property
    def _by_offset(self) -> list[tuple[int, Range]]:
        return sorted((item.offset, item) for item in self.ranges if item.offset is not None)

    @property
    def size(self) -> int:
        """Bytes of guest memory that the file holds."""
        return sum(item.length for item in self.ranges if item.offset is not None)

    def range_at(self, paddr: int) -> Range | None:
        index = bisect_right(self._starts, paddr) - 1
        if index >= 0 and paddr < self.ranges[index].end:
            return self.ranges[index]
        return None

    def offset_of(self, paddr: int) -> int | None:
        """The file offset of the byte at `paddr`, or None where the dump has none."""
        item = self.range_at(paddr)
        return None if item is None or item.offset is None else item.offset + paddr - item.paddr

    def paddr_of(self, offset: int) -> int | None:
        """The guest-physical address of the byte at a file offset, or None outside memory."""
        index = bisect_right(self._by_offset, offset, key=lambda pair: pair[0]) - 1
        if index < 0:
            return None
        start, item = self._by_offset[index]
        return item.paddr + offset - start if offset < start + item.length else None

    def gap_around(self, offset: int, start: int, end: int) -> tuple[int, int]:
        """The part of [start, end) of the file around `offset`, which is not memory, that holds no memory."""
        index = bisect_right(self._by_offset, offset, key=lambda pair: pair[0])
        if index:
            before, item = self._by_offset[index - 1]
            start = max(start, before + item.length)
        if index < len(self._by_offset):
            end = min(end, self._by_offset[index][0])
        return start, end

    def covered(self, paddr: int, length: int) -> int:
        """How many bytes from `paddr` on are memory of the dump, without a gap, up to `length`."""
        at = paddr
        while at < paddr + length and (item := self.range_at(at)):
            at = item.end
        return min(at - paddr, length)

    def read(self, source: Source, paddr: int, length: int) -> bytes:
        """Bytes from `paddr` on; zeros where the dump holds none. The caller bounds `length`."""
        out = bytearray(length)
        at = paddr
        while at < paddr + length:
            item = self.range_at(at)
            if item is None:
                index = bisect_right(self._starts, at)
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


def merge(mappings: Iterable[Mapping], file_size: int, top: int) -> Memory:
    """Merge what program headers say into disjoint ranges, below `top` (exclusive).

    Of several mappings of one paddr the first in address order counts; bytes that the
    file is too short for are taken as not there. A mapping whose paddr is all ones is
    device memory without an address, and is left out.
    """
    held: list[tuple[int, int, int]] = []
    bare: list[tuple[int, int]] = []
    for item in mappings:
        if item.paddr >= top - 1 or item.memsz == 0:
            continue
        end = min(item.paddr + item.memsz, top)
        inside = max(min(item.filesz, end - item.paddr, file_size - item.offset), 0)
        if inside:
            held.append((item.paddr, item.paddr + inside, item.offset))
        if item.paddr + inside < end:
            bare.append((item.paddr + inside, end))
    held.sort()
    ranges, conflict = _disjoint(held)
    if bare:
        ranges = _fill(ranges, sorted(bare))
    return Memory(tuple(ranges), conflict)


def _disjoint(held: Iterable[tuple[int, int, int]]) -> tuple[list[Range], int | None]:
    out: list[Range] = []
    conflict: int | None = None
    for start, end, offset in held:
        last = out[-1] if out else None
        if last is not None and last.offset is not None and start <= last.end:
            same = last.offset + start - last.paddr == offset
            if start < last.end and not same and conflict is None:
                conflict = start
            if end <= last.end:
                continue
            if same:
                out[-1] = Range(last.paddr, end - last.paddr, last.offset)
                continue
            offset += last.end - start
            start = last.end
        out.append(Range(start, end - start, offset))
    return out, conflict


def _fill(ranges: list[Range], bare: list[tuple[int, int]]) -> list[Range]:
    """Add ranges without bytes where no range with bytes is."""
    out = list(ranges)
    at = 0
    for start, end in _union(bare):
        while at < len(ranges) and ranges[at].end <= start:
            at += 1
        scan = at
        while start < end:
            gap_end = end if scan == len(ranges) else min(end, ranges[scan].paddr)
            if start < gap_end:
                out.append(Range(start, gap_end - start, None))
            if scan == len(ranges):
                break
            start = max(start, ranges[scan].end)
            scan += 1
    out.sort()
    return out


def _union(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    start, end = spans[0]
    for first, last in spans[1:]:
        if first > end:
            yield start, end
            start, end = first, last
        else:
            end = max(end, last)
    yield start, end
