"""How libkdumpfile finds a page of memory in an ELF dump (elfdump.c elf_get_page).

A virtual address is looked up in p_vaddr first, else translated. A page that is not wholly in
one PT_LOAD is assembled in a cache; if there is no cache, because PAGESIZE is the machine's
default, the process dies.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate, islice
from operator import le
from typing import Final

from vmci_tui.formats.elf_records import Segment
from vmci_tui.formats.segment_table import Segments
from vmci_tui.readers.libkdumpfile.file_cache import Killed, Windows
from vmci_tui.readers.libkdumpfile.memory import DumpMemory, Missing, Space

_TOP: Final = 1 << 64
_COPIED: Final = 1 << 24
"""The largest page that is read."""


class _AddressTable:
    """PT_LOADs in one order, searched like find_closest_mem_load: the first that ends after an address."""

    def __init__(self, loads: Segments, order: Sequence[int], field: Space) -> None:
        self._loads = loads
        self._order = order
        starts = loads.column("vaddr" if field == "virtual" else "paddr")
        self._starts = array("Q", map(starts.__getitem__, order))

    def _ends(self, name: str) -> tuple[array[int], int]:
        """Return the running maximum of last addresses, and the number of PT_LOADs before the first one with bytes."""
        column = self._loads.column(name)
        sizes = map(column.__getitem__, self._order)
        lasts = ((start + size - 1) % _TOP if size else -1 for start, size in zip(self._starts, sizes, strict=True))
        none, ends = 0, array("Q")
        for end in accumulate(lasts, max):
            none += end < 0
            ends.append(max(end, 0))
        return ends, none

    @cached_property
    def _by_file(self) -> tuple[array[int], int]:
        return self._ends("filesz")

    @cached_property
    def _by_memory(self) -> tuple[array[int], int]:
        return self._ends("memsz")

    def closest(self, address: int, distance: int, in_file: bool) -> tuple[int, Segment] | None:
        """Return start and PT_LOAD at an address, or at most `distance` bytes after it; else None."""
        ends, none = self._by_file if in_file else self._by_memory
        at = bisect_left(ends, address, none)
        if at == len(ends) or self._starts[at] - address > distance:
            return None
        return self._starts[at], self._loads[self._order[at]]


class LoadSegments:
    """The PT_LOADs of a dump, by both kinds of address."""

    def __init__(self, loads: Segments) -> None:
        self.count = len(loads)
        self._loads = loads

    @cached_property
    def tables(self) -> dict[Space, _AddressTable]:
        """The table for virtual addresses is also sorted by the physical one: a bug of libkdumpfile (seg_virt_cmp)."""
        column = self._loads.column("paddr")
        order: Sequence[int] = range(self.count)
        if not all(map(le, column, islice(column, 1, None))):
            order = array("L", sorted(order, key=column.__getitem__))
        nowhere = self._loads.form.top - 1
        none_has_one = self.count > 1 and not column[order[-1]]
        physical = () if none_has_one else order[: bisect_left(order, nowhere, key=column.__getitem__)]
        return {
            "virtual": _AddressTable(self._loads, order, "virtual"),
            "physical": _AddressTable(self._loads, physical, "physical"),
        }


class ElfMemory(DumpMemory):
    """Pages of an ELF dump; `cache`: whether there is room to assemble a page from several PT_LOADs."""

    def __init__(self, loads: LoadSegments, windows: Windows, page_size: int, cache: bool) -> None:
        super().__init__(page_size)
        self._loads, self._windows, self._cache = loads, windows, cache

    def _page(self, space: Space, address: int) -> bytes:
        size = self.page_size
        found = self._loads.tables[space].closest(address, size, in_file=True)
        if found is None and space == "virtual" and self.translate is not None:
            space, address = "physical", self.translate(address)
            found = self._loads.tables[space].closest(address, size, in_file=False)
        if found is None:
            raise Missing("Page not found")
        start, segment = found
        if start <= address and segment.filesz >= address - start + size:
            return self._bytes(segment.offset + address - start, size)
        if not self._cache:
            raise Killed("SIGSEGV")
        return self._patched(space, address)

    def _patched(self, space: Space, address: int) -> bytes:
        """Assemble a page from several PT_LOADs, with zeros between them (elf_read_page)."""
        out, size = b"", min(self.page_size, _COPIED)
        while len(out) < size:
            rest = size - len(out)
            found = self._loads.tables[space].closest(address + len(out), rest, in_file=False)
            if found is None:
                break
            start, segment = found
            out += bytes(max(start - address - len(out), 0))
            into = address + len(out) - start
            if segment.filesz > into:
                out += self._bytes(segment.offset + into, min(size - len(out), segment.filesz - into), copied=True)
                into = address + len(out) - start
            out += bytes(max(min(size - len(out), segment.memsz - into), 0))
            if len(out) == size - rest:
                break
        return out.ljust(size, b"\0")

    def _bytes(self, offset: int, length: int, copied: bool = False) -> bytes:
        """Read bytes of the file. Raises ReadFailed."""
        if copied:
            self._windows.touch(offset % _TOP, length)
            return self._windows.view.read(offset % _TOP, length).ljust(length, b"\0")
        return self._windows.window(offset % _TOP, length)
