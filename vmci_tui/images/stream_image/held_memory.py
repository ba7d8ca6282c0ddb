"""List the guest memory that a stream holds where it is cut off or leaves blocks out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vmci_tui.images.qemu_stream.pages import PageIndex
from vmci_tui.images.stream_image.addresses import Layout, Placed
from vmci_tui.images.stream_image.stream import Stream
from vmci_tui.layers.memory_map import Memory
from vmci_tui.layers.range_table import Ranges

_RUNS: Final = 1 << 16
"""The most ranges of memory; pages after these count as missing. QEMU sends a block from its start on."""


def held_memory(layout: Layout, stream: Stream, index: PageIndex) -> Memory:
    """Return guest memory by paddr, with offsets in the stream's memory for what came only."""
    ranges = Ranges()
    for row in sorted(layout.placed):
        at, shift = row.paddr, stream.memory.starts[row.block]
        for start, end in _held(row, stream, index):
            if len(ranges) >= _RUNS:
                break
            paddr = row.paddr + start - row.offset
            ranges.add(at, paddr, None)
            at = paddr + end - start
            ranges.add(paddr, at, shift + start)
        ranges.add(at, row.paddr + row.length, None)
    return Memory(ranges)


def _held(row: Placed, stream: Stream, index: PageIndex) -> Iterator[tuple[int, int]]:
    """Yield the parts of a block's range that came, as offsets in the block."""
    mapped, first, last = stream.blocks[row.block].mapped, row.offset, row.offset + row.length
    if mapped is not None:
        end = min(last, stream.source.size - mapped.pages)
        if first < end:
            yield first, end
        return
    size = index.page_size
    for start, end in index.came(row.block, first // size, -(-last // size)):
        yield max(start * size, first), min(end * size, last)
