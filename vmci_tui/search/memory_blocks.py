"""Read all of guest memory through one buffer, as fast as the page cache allows.

Holes of the file are skipped, because no anchor is all zeros. An anchor has at most `REACH` bytes: the last
bytes of a block are repeated before the next one, so each stretch of `REACH` bytes is whole in exactly one
block.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest
from vmci_tui.layers.file import FileSource, Source
from vmci_tui.layers.range_table import Range
from vmci_tui.layers.read_into import read_into

PAGE: Final = 4096
"""The smallest page of all machines: a step of this size meets every page start."""
REACH: Final = 34
"""The longest anchor: a note's header with its name, and OSRELEASE= after it."""
BLOCK: Final = 4 << 20
"""Bytes read at a time from a file. The interpreter's lock is free meanwhile."""
SLOW_BLOCK: Final = 256 << 10
"""Bytes read at a time if reading means decompressing, so that a stop takes effect soon."""

_FRONT: Final = 64
"""Bytes before a block for what is carried over: one cache line."""


class Block(NamedTuple):
    """Bytes [start, end) of `buffer` are guest memory from `paddr` on; valid until the next block is asked for."""

    paddr: int
    buffer: bytes | bytearray
    start: int
    end: int

    def paddr_of(self, at: int) -> int:
        """Return the address of the byte at index `at` of the buffer."""
        return self.paddr + at - self.start


def blocks(guest: Guest, progress: Progress) -> Iterator[Block]:
    """Yield all guest memory that the file has data for, by ascending address.

    `progress` gets bytes of memory, holes included, at most once a block. Raises OpenError, and what `progress` raises.
    """
    source = guest.source
    step = BLOCK if isinstance(source, FileSource) else SLOW_BLOCK
    buffer = bytearray(_FRONT + step)
    total, passed, last_reported = guest.memory.size, 0, 0
    carried, next_paddr = 0, -1
    progress("scan", 0, total)
    for item in guest.memory.ranges:
        if item.offset is None:
            continue
        for paddr, offset, length in _pieces(source, item, step):
            carried = carried if paddr == next_paddr else 0
            with memoryview(buffer) as view:
                got = read_into(source, offset, view[_FRONT : _FRONT + length])
            next_paddr = paddr + got
            if got:
                start, end = _FRONT - carried, _FRONT + got
                yield Block(paddr - carried, buffer, start, end)
                carried = min(REACH - 1, end - start)
                buffer[_FRONT - carried : _FRONT] = buffer[end - carried : end]
            done = passed + paddr + length - item.paddr
            if done - last_reported >= step:
                progress("scan", done, total)
                last_reported = done
        passed += item.length
    progress("scan", total, total)


def _pieces(source: Source, item: Range, step: int) -> Iterator[tuple[int, int, int]]:
    """Yield paddr, offset and length of each read; all but the first one of a part begin at a multiple of `step`.

    (The kernel copies whole pages from the page cache faster than unaligned ranges.)
    """
    assert item.offset is not None
    for data, hole in source.data_ranges(item.offset, item.offset + item.length):
        # An anchor may begin with the last zeros of a hole.
        at = max(data - REACH + 1, item.offset)
        while at < hole:
            length = min(step - at % step, hole - at)
            yield item.paddr + at - item.offset, at, length
            at += length
