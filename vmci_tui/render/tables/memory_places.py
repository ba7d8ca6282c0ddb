"""Places of guest memory to go to: notes, where the entry points, what the kernel has where, bookmarks, ranges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vmci_tui.common.safe_text import Safe
from vmci_tui.common.sizes import size_text
from vmci_tui.formats.fw_cfg_entry import Entry
from vmci_tui.layers.memory_map import Memory
from vmci_tui.proof.landmarks import Landmark
from vmci_tui.search.candidate import RankedCandidate


class MemoryPlace(NamedTuple):
    """A place, or a range, and its name."""

    paddr: int
    length: int
    name: Safe
    detail: Safe = Safe("")
    """What else is known, where there is room for it."""
    range: bool = False
    """Whether it is a range of the dump."""


class Known(NamedTuple):
    """What is known of the memory of a dump; the notes of a search are best first."""

    memory: Memory
    entry: Entry | None = None
    candidates: Sequence[RankedCandidate] = ()
    bookmarks: Sequence[int] = ()
    """Their paddrs."""


def memory_places(known: Known, landmarks: Sequence[Landmark]) -> tuple[MemoryPlace, ...]:
    """Return the places that are in the dump, the most useful first; the ranges come last."""
    return tuple(place for place in _places(known, landmarks) if known.memory.range_at(place.paddr) is not None)


def _places(known: Known, landmarks: Sequence[Landmark]) -> Iterator[MemoryPlace]:
    for item in known.candidates:
        found, proved = item.candidate, ", proved" if item.proof.proved else ""
        yield MemoryPlace(found.paddr, len(found.raw), Safe(f"{found.kind}{proved}"), size_text(len(found.raw)))
    if known.entry is not None:
        size = size_text(known.entry.size)
        yield MemoryPlace(known.entry.paddr, known.entry.size, Safe("the entry points here"), size)
    for mark in landmarks:
        yield MemoryPlace(mark.paddr, mark.length, Safe(mark.name), Safe(f"{mark.va:x}"))
    for paddr in known.bookmarks:
        yield MemoryPlace(paddr, 1, Safe("bookmark"))
    for part in known.memory.ranges:
        if part.offset is not None:
            words = Safe(f"range, {size_text(part.length)}")
            yield MemoryPlace(part.paddr, part.length, words, Safe(f"to {part.end - 1:#x}"), True)
