"""Decide where a guest has its RAM blocks, where the stream leaves it open: by what only the right order fits.

First the note that the entry points at is proved by each order; then the page tables of the CPUs are walked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from vmci_tui.containers.guest import Guest
from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.fw_cfg_entry import EntryHistory
from vmci_tui.formats.registers.other_sets import QEMU_STATE
from vmci_tui.images.stream_image.addresses import Layout
from vmci_tui.images.stream_image.stream_memory import StreamMemory
from vmci_tui.layers.memory_map import Memory
from vmci_tui.layers.range_table import Range, Ranges
from vmci_tui.proof.paging.walk import walk
from vmci_tui.proof.paging.x86 import long_mode_tables
from vmci_tui.proof.prove import prove
from vmci_tui.search.recognise import candidate_at

_BY_TABLES: Final = (
    "the stream does not say in which order its memory blocks are: only this one fits the CPUs' page tables"
)
_CPUS: Final = 16
"""The most CPUs whose page tables are walked."""
_PG: Final = 1 << 31
"""The bit of CR0: paging is on."""
_LA57: Final = 1 << 12
"""The bit of CR4: page tables have five levels."""
_STATE: Final = QEMU_STATE.record("little")
_WALKED: Final = ("rip", "idt.base", "gdt.base", "kernel_gs_base", "gs.base")
"""Registers of a CPU that hold addresses which its kernel has mapped; 0 where one is not in use."""


def decide(
    layouts: Sequence[Layout], memory: StreamMemory, entry: EntryHistory | None, notes: Sequence[Note] = ()
) -> Layout:
    """Return what all layouts agree on that the evidence leaves: blocks whose place differs have no place."""
    left = tuple(layouts)
    if len(left) > 1:
        left = tuple(layout for layout in left if _proved(layout, memory, entry)) or left
    if len(left) == 1:
        return left[0]
    fit = [layout for layout in left if _fits(layout, memory, notes)]
    if len(fit) == 1:
        return replace(fit[0], doubts=(*fit[0].doubts, _BY_TABLES))
    common = set(left[0].placed).intersection(*(layout.placed for layout in left[1:]))
    placed = tuple(item for item in left[0].placed if item in common)
    open_ones = {item.block for layout in left for item in layout.placed if item not in common}
    unplaced = tuple(sorted(open_ones.union(left[0].unplaced)))
    return Layout(placed, unplaced, left[0].doubts)


def _fits(layout: Layout, memory: StreamMemory, notes: Sequence[Note]) -> bool:
    """Return whether the page tables of each x86-64 CPU map what its registers point at; False without such CPUs."""
    guest = Guest(memory, memory_of(layout, memory), None, None, None)
    states = [note.desc for note in notes if note.name == b"QEMU\0" and len(note.desc) >= _STATE.size][:_CPUS]
    on = [state for state in states if _register(state, "cr0") & _PG]
    return bool(on) and all(_mapped(guest, state) for state in on)


def _mapped(guest: Guest, state: bytes) -> bool:
    paging = long_mode_tables(bool(_register(state, "cr4") & _LA57))
    root = _register(state, "cr3") & ~0xFFF & (1 << 52) - 1
    walked = [value for name in _WALKED if (value := _register(state, name))]
    return all(walk(guest, paging, root, value & (1 << 64) - 1).state == "mapped" for value in walked)


def _register(state: bytes, name: str) -> int:
    return int.from_bytes(_STATE.part(name, state), "little")


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
