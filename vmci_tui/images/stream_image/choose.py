"""Decide where a guest has its RAM blocks, where the stream leaves it open: by the note that its entry points at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vmci_tui.containers.guest import Guest
from vmci_tui.formats.fw_cfg_entry import EntryHistory
from vmci_tui.images.stream_image.addresses import Layout
from vmci_tui.images.stream_image.stream_memory import StreamMemory
from vmci_tui.layers.memory_map import Memory
from vmci_tui.layers.range_table import Range, Ranges
from vmci_tui.proof.prove import prove
from vmci_tui.search.recognise import candidate_at

_UNDECIDED: Final = "the stream does not say in which order its memory blocks are in memory"


def decide(layouts: Sequence[Layout], memory: StreamMemory, entry: EntryHistory | None) -> Layout:
    """Return what all layouts agree on that the proof leaves: blocks whose place differs have no place."""
    left = tuple(layouts)
    if len(left) > 1:
        left = tuple(layout for layout in left if _proved(layout, memory, entry)) or left
    if len(left) == 1:
        return left[0]
    common = set(left[0].placed).intersection(*(layout.placed for layout in left[1:]))
    placed = tuple(item for item in left[0].placed if item in common)
    open_ones = {item.block for layout in left for item in layout.placed if item not in common}
    unplaced = tuple(sorted(open_ones.union(left[0].unplaced)))
    return Layout(placed, unplaced, (*left[0].doubts, _UNDECIDED))


def memory_of(layout: Layout, memory: StreamMemory) -> Memory:
    """Return guest memory by paddr; the offsets count in `memory`."""
    rows = sorted(layout.placed)
    return Memory(Ranges(Range(row.paddr, row.length, memory.starts[row.block] + row.offset) for row in rows))


def _proved(layout: Layout, memory: StreamMemory, entry: EntryHistory | None) -> bool:
    """Return whether the note at the paddr of the entry is proved: a few pages are read."""
    if entry is None or not entry.present:
        return False
    guest = Guest(memory, memory_of(layout, memory), None, None, None)
    found = candidate_at(guest, entry.entry.paddr)
    return found is not None and prove(found.vmcoreinfo, guest, search=False).proved is True
