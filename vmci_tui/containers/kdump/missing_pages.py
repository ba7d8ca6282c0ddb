"""Count the pages that a kdump file lacks, by their descriptors.

The bytes of such pages are past the end of a file that was cut off. A file that a program could
not finish has descriptors of zeros for them, and a flattened one that was cut off has holes.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from collections.abc import Callable
from typing import Final, NamedTuple

from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.kdump_records import PAGE_DESCRIPTOR
from vmci_tui.layers.file import Source
from vmci_tui.layers.flattened import FlattenedSource

LIMIT: Final = 1 << 22
"""Descriptors that are read, the last of the file: all of 16 GiB of guest. A cut loses the end."""
SLOW_LIMIT: Final = 1 << 20
"""Suspicious descriptors that are checked one by one."""
_AT_ONCE: Final = 4096
_GAP_LIMIT: Final = 1 << 16


class PageCount(NamedTuple):
    """The pages by their descriptors."""

    pages: int
    """Pages that the bitmap counts."""
    missing: int
    """Pages that are not in the file; at least this number unless `all_seen`."""
    end: int
    """The end of the pages in the plain file, if none were missing."""
    all_seen: bool


class _Gaps(NamedTuple):
    """Ranges of the plain file without bytes, though more bytes follow."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def touch(self, start: int, end: int) -> bool:
        at = bisect_right(self.ends, start)
        return at < len(self.starts) and self.starts[at] < end


def count_pages(
    plain: Source, table: Callable[[int, int], bytes], count: int, start: int, block_size: int, order: ByteOrder
) -> PageCount:
    """Read `count` descriptors from offset `start` on; `table` returns some of them, from an index on."""
    gaps = _gaps(plain, start)
    whole_to = min([plain.size, *gaps.starts])
    first = max(count - LIMIT, 0)
    missing, slow, all_seen = 0, 0, first == 0
    lasts: list[tuple[int, int]] = []
    for index in range(first, count, _AT_ONCE):
        wanted = min(_AT_ONCE, count - index)
        offsets, sizes = _descriptors(table(index, wanted), order)
        missing += wanted - len(offsets)
        if not offsets:
            continue
        last = max(offsets)
        lasts.append((last, index))
        if min(offsets) and last + block_size <= whole_to:
            continue
        if slow >= SLOW_LIMIT:
            all_seen = False
            continue
        slow += len(offsets)
        for offset, size in zip(offsets, sizes(), strict=True):
            missing += not offset or offset + size > plain.size or gaps.touch(offset, offset + size)
    end = start + count * PAGE_DESCRIPTOR
    top = max(lasts, default=(0, 0))[0]
    for last, index in lasts:
        if last + block_size > top:  # only this part can hold the page that ends last
            offsets, sizes = _descriptors(table(index, min(_AT_ONCE, count - index)), order)
            end = max(end, *(offset + size for offset, size in zip(offsets, sizes(), strict=True)))
    return PageCount(count, missing, end, all_seen)


def _descriptors(raw: bytes, order: ByteOrder) -> tuple[array[int], Callable[[], list[int]]]:
    """Return the offset of each page's bytes, and a function that returns their numbers."""
    numbers = array("Q", raw[: len(raw) // PAGE_DESCRIPTOR * PAGE_DESCRIPTOR])
    if order != sys.byteorder:
        numbers.byteswap()
    shift = 0 if order == "little" else 32
    return numbers[::3], lambda: [word >> shift & 0xFFFFFFFF for word in numbers[1::3]]


def _gaps(plain: Source, start: int) -> _Gaps:
    """Return the gaps between the records of a flattened file that was cut off; none for other files."""
    if not isinstance(plain, FlattenedSource) or not plain.cut:
        return _Gaps((), ())
    starts: list[int] = []
    ends: list[int] = []
    at = start
    for first, last in plain.data_ranges(start, plain.size):
        if at < first and len(starts) < _GAP_LIMIT:
            starts.append(at)
            ends.append(first)
        at = last
    return _Gaps(tuple(starts), tuple(ends))
