"""How libkdumpfile finds a page of memory in an ELF dump (elfdump.c elf_get_page).

A virtual address is looked up in p_vaddr first, else translated. A page that is not wholly in
one PT_LOAD is assembled in a cache; if there is no cache, because PAGESIZE is the machine's
default, the process dies.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import accumulate, islice
from operator import le
from typing import Final, Literal

from vmci_tui.common.budget import Budget
from vmci_tui.formats.elf_records import Segment
from vmci_tui.formats.segment_table import Segments
from vmci_tui.readers.libkdumpfile.file_cache import Killed, Windows

_TOP: Final = 1 << 64
_COPIED: Final = 1 << 24
"""The largest page that is read."""
Space = Literal["virtual", "physical"]


class Missing(Exception):
    """KDUMP_ERR_NODATA: the data is not in the dump."""


class Untranslated(Exception):
    """KDUMP_ERR_ADDRXLAT: this address cannot be translated to one in the dump."""


class Corrupt(Exception):
    """KDUMP_ERR_CORRUPT: the data is invalid."""


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


class DumpMemory:
    """Pages of a dump."""

    def __init__(self, loads: LoadSegments, windows: Windows, page_size: int, cache: bool) -> None:
        self._loads = loads
        self._windows = windows
        self._cache = cache
        self.page_size = page_size
        self.budget: Budget | None = None
        """The limit on page accesses, cached ones included: page tables may lead in circles."""
        self.translate: Callable[[int], int] | None = None
        """Translates a virtual address to a physical one. Raises Missing and Untranslated."""
        self._pages: dict[tuple[Space, int], bytes] = {}
        self._loading: int | None = None

    def read(self, space: Space, address: int, length: int) -> bytes:
        """Read bytes from as many pages as needed (read_locked)."""
        out = b""
        while len(out) < length:
            at = (address + len(out)) % _TOP
            page = self.page(space, at)
            start = at % self.page_size
            end = min(start + length - len(out), self.page_size)
            if end > len(page):
                raise Killed("SIGBUS")
            out += page[start:end]
        return out

    def word(self, space: Space, address: int, width: int) -> bytes:
        """Read a number for a page table's walk, from a page in one of a few slots (get_cache_buf).

        A page that is needed while another is loaded into a slot takes the same slot, which kills.
        """
        page = address & -self.page_size if self.page_size else 0
        if self._loading is not None:
            if (space, page) == ("virtual", self._loading):
                raise Missing("Infinite read recursion")
            if (space, page) not in self._pages:
                raise Killed("SIGSEGV")
        self._loading, before = page if space == "virtual" else None, self._loading
        try:
            data = self.page(space, address)
        finally:
            self._loading = before
        start = address % self.page_size
        if min(start + width, self.page_size) > len(data):
            raise Killed("SIGBUS")
        return data[start : start + width].ljust(width, b"\0")

    def page(self, space: Space, address: int) -> bytes:
        """Return the accessible part of an address's page. Raises Missing, Untranslated, ReadFailed, Killed."""
        if self.budget is not None:
            self.budget.spend()
        address = address & -self.page_size % _TOP if self.page_size else 0
        if (space, address) not in self._pages:
            self._pages[space, address] = self._page(space, address)
        if not self.page_size:
            raise Killed("SIGFPE")
        return self._pages[space, address]

    def where(self, physical: int) -> int | None:
        """Return the file offset of a byte of physical memory; None if the file lacks it."""
        found = self._loads.tables["physical"].closest(physical, 0, in_file=True)
        return None if found is None else found[1].offset + physical - found[0]

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
