"""Places of guest memory to go to: the notes in it, where the entry points, and the ranges that the dump has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vmci_tui.common.safe_text import Safe
from vmci_tui.common.sizes import size_text
from vmci_tui.formats.fw_cfg_entry import Entry
from vmci_tui.layers.memory_map import Memory
from vmci_tui.search.candidate import RankedCandidate


class MemoryPlace(NamedTuple):
    """A place, or a range, and its name."""

    paddr: int
    length: int
    name: Safe
    range: bool = False
    """Whether it is a range of the dump."""


def memory_places(
    memory: Memory, entry: Entry | None, candidates: Sequence[RankedCandidate]
) -> tuple[MemoryPlace, ...]:
    """Return the places that are in the dump, the most useful first; `candidates` are those of a search, best first."""
    return tuple(place for place in _places(memory, entry, candidates) if memory.range_at(place.paddr) is not None)


def _places(memory: Memory, entry: Entry | None, candidates: Sequence[RankedCandidate]) -> Iterator[MemoryPlace]:
    for item in candidates:
        found = item.candidate
        yield MemoryPlace(found.paddr, len(found.raw), Safe(f"{found.kind}{', proved' if item.proof.proved else ''}"))
    if entry is not None:
        yield MemoryPlace(entry.paddr, entry.size, Safe("the entry points here"))
    for part in memory.ranges:
        if part.offset is not None:
            yield MemoryPlace(part.paddr, part.length, Safe(f"range, {size_text(part.length)}"), True)
