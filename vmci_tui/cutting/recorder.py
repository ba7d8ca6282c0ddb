"""Record which bytes of guest memory are read, and what for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from vmci_tui.layers.file import Source
from vmci_tui.layers.memory_map import Memory
from vmci_tui.layers.range_table import joined

Part = tuple[int, int]
"""The first byte, and the one after the last."""
_UNSORTED: Final = 1 << 16
"""Reads that are kept before they are joined: a log has tens of thousands."""


class Recorder:
    """A source that records the reads that are made for a purpose."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.size = source.size
        self._purpose = ""
        self._parts: defaultdict[str, list[Part]] = defaultdict(list)

    @contextmanager
    def recording(self, purpose: str) -> Iterator[None]:
        """Record all reads within the block; reads outside of such a block are not recorded."""
        self._purpose = purpose
        try:
            yield
        finally:
            self._purpose = ""

    def read(self, offset: int, length: int) -> bytes:
        data = self.source.read(offset, length)
        if self._purpose and data:
            parts = self._parts[self._purpose]
            parts.append((offset, offset + len(data)))
            if len(parts) > _UNSORTED:
                parts[:] = joined(sorted(parts))
        return data

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        return self.source.data_ranges(start, end)

    def parts(self) -> tuple[Part, ...]:
        """Return all parts of the source that were read, sorted and disjoint."""
        return tuple(joined(sorted(part for parts in self._parts.values() for part in parts)))

    def read_for(self, memory: Memory) -> dict[str, tuple[Part, ...]]:
        """Return for each purpose the physical addresses that were read, sorted and disjoint."""
        return {purpose: tuple(joined(sorted(_paddrs(parts, memory)))) for purpose, parts in self._parts.items()}


def _paddrs(parts: Iterable[Part], memory: Memory) -> Iterator[Part]:
    """Yield the physical addresses of parts of the source; what is not memory there is left out."""
    for start, end in joined(sorted(parts)):
        while start < end:
            paddr = memory.paddr_of(start)
            if paddr is None:
                start = memory.gap_around(start, start, end)[1]
                continue
            item = memory.range_at(paddr)
            assert item is not None
            stop = min(end, start + item.end - paddr)
            yield paddr, paddr + stop - start
            start = stop
