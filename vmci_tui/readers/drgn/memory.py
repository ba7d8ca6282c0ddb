"""How drgn reads a virtual address in an ELF dump (libdrgn/program.c, memory_reader.c, linux_kernel_helpers.c).

An address in the p_vaddr range of a PT_LOAD is read there, from the last one that names it; any other
address by the kernel's page tables, for the machines whose tables drgn knows.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate, islice
from operator import add, le
from typing import Final, Literal

from vmci_tui.formats.elf_records import PT_LOAD, Segment
from vmci_tui.formats.segment_table import Segments
from vmci_tui.proof.paging.walk import PteStep
from vmci_tui.readers.drgn.page_tables import KernelPaging, paging_of
from vmci_tui.readers.libdrgn.text import DrgnText
from vmci_tui.readers.shared.elf_program import ElfFile
from vmci_tui.readers.utsname_probe import ReadFailure

Space = Literal["virtual", "physical"]
_S390X_TABLE: Final = 2048
"""Entries of a table of s390x; a page table has fewer, but drgn reads this many."""
_NOT_MAPPED: Final = "address is not mapped"
_RECURSIVE: Final = "recursive address translation; page table may be missing from core dump"


class _Spans:
    """PT_LOADs sorted by one kind of address; if several name a byte, the last in the file counts."""

    def __init__(self, loads: Segments, name: str) -> None:
        self._loads, self._top = loads, loads.form.top
        starts, sizes = loads.column(name), loads.column("memsz")
        self._order: Sequence[int] = range(len(loads))
        if not all(map(le, starts, islice(starts, 1, None))):
            self._order = array("I", sorted(self._order, key=starts.__getitem__))
            starts = array("Q", map(starts.__getitem__, self._order))
            sizes = array("Q", map(sizes.__getitem__, self._order))
        self._starts = starts
        self._ends = list(map(add, starts, sizes))
        """The ends of the ranges; a range beyond the highest address is cut there."""
        self._reach = list(accumulate(self._ends, max))

    def at(self, address: int) -> tuple[tuple[int, Segment] | None, int]:
        """Return start and PT_LOAD for an address (None: no PT_LOAD), and the number of bytes that this holds for."""
        after = bisect_right(self._starts, address)
        room = (self._starts[after] if after < len(self._starts) else self._top) - address
        best: int | None = None
        for at in range(after - 1, -1, -1):
            if self._reach[at] <= address:
                break
            if self._ends[at] > address and (best is None or self._order[at] > self._order[best]):
                best = at
        if best is None:
            return None, room
        return (self._starts[best], self._loads[self._order[best]]), min(room, self._ends[best] - address)


class DrgnMemory:
    """Kernel memory as drgn reads it."""

    def __init__(self, core: ElfFile, text: DrgnText) -> None:
        self._view = core.view
        self._top = 1 << core.bits
        table = core.table
        for kind in set(table.column("type")) - {PT_LOAD}:
            table = table.without(kind)
        self._loads = table
        self._core, self._text = core, text

    @cached_property
    def _virtual(self) -> _Spans:
        return _Spans(self._loads, "vaddr")

    @cached_property
    def _physical(self) -> _Spans:
        """PT_LOADs by physical address, including those without one (p_paddr -1): no page table leads there."""
        return _Spans(self._loads, "paddr")

    @cached_property
    def _paging(self) -> KernelPaging | None:
        return paging_of(self._core, self._text, lambda paddr, length: self._read("physical", paddr, length, True))

    def read(self, address: int, length: int) -> bytes:
        """Read bytes at a virtual address. Raises ReadFailure with drgn's words."""
        return self._read("virtual", address, length, False)

    def _read(self, space: Space, address: int, length: int, translating: bool) -> bytes:
        out = b""
        while len(out) < length:
            at = (address + len(out)) % self._top
            found, room = (self._physical if space == "physical" else self._virtual).at(at)
            room = min(room, length - len(out))
            if found is not None:
                out += self._from_file(found[1], at - found[0], room)
            elif space == "physical" or self._paging is None:
                raise ReadFailure(f"could not find {'physical ' if space == 'physical' else ''}memory segment: {at:#x}")
            elif translating:
                raise ReadFailure(f"{_RECURSIVE}: {at:#x}")
            else:
                paddr, frame = self._translate(self._paging, at)
                out += self._read("physical", paddr, min(room, frame), translating)
        return out

    def _from_file(self, segment: Segment, into: int, length: int) -> bytes:
        held = min(max(segment.filesz - into, 0), length)
        out = self._view.read(segment.offset + into, held)
        if len(out) < held:
            raise ReadFailure("short read from memory file")
        return out + bytes(length - held)

    def _translate(self, kernel_paging: KernelPaging, address: int) -> tuple[int, int]:
        """Return the physical address, and the number of bytes from there to the end of its frame."""
        if kernel_paging.lowest and address < kernel_paging.lowest:
            raise ReadFailure(f"{_NOT_MAPPED}: {address:#x}")
        paging = kernel_paging.paging
        step, physical = PteStep(kernel_paging.root), kernel_paging.physical
        for level in paging.levels:
            size, index = paging.size, address >> level.shift & (1 << level.width) - 1
            first = 0 if kernel_paging.reads == "whole" else index
            count = {"entry": 1, "rest": (1 << level.width) - index, "whole": _S390X_TABLE}[kernel_paging.reads]
            raw = self._read("physical" if physical else "virtual", step.paddr + first * size, count * size, True)
            at = (index - first) * size
            entry = paging.read(int.from_bytes(raw[at : at + size], paging.order), level)
            if entry is None:
                break
            step, physical = entry, True
            if step.shift is not None:
                inside = address & (1 << step.shift) - 1
                return step.paddr & -(1 << step.shift) | inside, (1 << step.shift) - inside
        raise ReadFailure(f"{_NOT_MAPPED}: {address:#x}")
