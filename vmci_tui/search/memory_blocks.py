"""Reading all of guest memory, as fast as the page cache gives it, through one buffer.

Holes of the file are skipped, as no anchor is all zeros. What is looked for is at most
`REACH` bytes long: the last bytes of a block are seen again before the next one, so that
each stretch of `REACH` bytes of memory lies whole in exactly one block.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError
from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest
from vmci_tui.layers.file import FileSource, Source, reason
from vmci_tui.layers.range_table import Range

PAGE: Final = 4096
"""The smallest page of all machines: a step that meets every page start."""
REACH: Final = 34
"""The longest anchor: a note's header with its name, and OSRELEASE= behind it."""
BLOCK: Final = 4 << 20
"""Bytes read at a time from a file. The interpreter's lock is free meanwhile."""
SLOW_BLOCK: Final = 256 << 10
"""The same where reading means unpacking, so that a stop is heard soon."""

_FRONT: Final = 64
"""Room before a block for what is carried over, a whole cache line."""


class Block(NamedTuple):
    """Bytes [start, end) of `buffer` are guest memory from `paddr` on; good until the next block is asked for."""

    paddr: int
    buffer: bytes | bytearray
    start: int
    end: int

    def paddr_of(self, at: int) -> int:
        """The address of the byte at place `at` of the buffer."""
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
            got = _fill(source, buffer, offset, length)
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
    """Paddr, offset and length of what to read of a range; all but the first of a part begin at a multiple of `step`.

    (The kernel copies whole pages from the page cache faster than what lies across them.)
    """
    assert item.offset is not None
    for data, hole in source.data_ranges(item.offset, item.offset + item.length):
        # An anchor may begin with the last zeros of a hole.
        at = max(data - REACH + 1, item.offset)
        while at < hole:
            length = min(step - at % step, hole - at)
            yield item.paddr + at - item.offset, at, length
            at += length


def _fill(source: Source, buffer: bytearray, offset: int, length: int) -> int:
    """Read to place `_FRONT` of the buffer; how many bytes came."""
    if not isinstance(source, FileSource):
        data = source.read(offset, length)
        buffer[_FRONT : _FRONT + len(data)] = data
        return len(data)
    got = 0
    with memoryview(buffer) as view:
        while got < length:
            try:
                more = os.preadv(source.fileno(), [view[_FRONT + got : _FRONT + length]], offset + got)
            except OSError as error:
                why = f"cannot read {source.name} at {offset + got:#x}: {reason(error)}"
                raise OpenError(why, "copy it elsewhere") from None
            if not more:  # the file became shorter
                break
            got += more
    return got
