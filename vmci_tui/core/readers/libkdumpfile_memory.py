"""How libkdumpfile finds a page of memory in an ELF dump (elfdump.c elf_get_page).

A virtual address is looked up in p_vaddr first, and translated where it is in none. A page
that is not wholly in one PT_LOAD is put together in a cache; where that was never made,
since PAGESIZE is what the machine has anyway, the process dies.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from functools import cached_property
from itertools import accumulate
from typing import Final, Literal

from vmci_tui.core.budget import Budget
from vmci_tui.core.containers.elf_format import Segment
from vmci_tui.core.readers.libkdumpfile_file import Killed, Windows

_TOP: Final = 1 << 64
_COPIED: Final = 1 << 24
"""The largest page that is looked at."""
Space = Literal["virtual", "physical"]


class Missing(Exception):
    """KDUMP_ERR_NODATA: it is not in the dump."""


class Untranslated(Exception):
    """KDUMP_ERR_ADDRXLAT: there is no way from this address to one in the dump."""


class Corrupt(Exception):
    """KDUMP_ERR_CORRUPT: what stands there is not what should."""


class _Table:
    """PT_LOADs in one order, searched as find_closest_mem_load does: the first that ends behind an address."""

    def __init__(self, starts: Iterable[tuple[int, Segment]]) -> None:
        self._starts = tuple(starts)

    def _ends(self, sizes: Iterable[int]) -> list[int]:
        """The highest last address so far, for each PT_LOAD."""
        pairs = zip(self._starts, sizes, strict=True)
        return list(accumulate(((start + size - 1) % _TOP if size else -1 for (start, _), size in pairs), max))

    @cached_property
    def _by_file(self) -> list[int]:
        return self._ends(s.filesz for _, s in self._starts)

    @cached_property
    def _by_memory(self) -> list[int]:
        return self._ends(s.memsz for _, s in self._starts)

    def closest(self, address: int, distance: int, in_file: bool) -> tuple[int, Segment] | None:
        """The start and PT_LOAD at or not farther than `distance` behind an address."""
        ends = self._by_file if in_file else self._by_memory
        at = bisect_left(ends, address)
        if at == len(ends):
            return None
        found = self._starts[at]
        return None if found[0] - address > distance else found


class Loads:
    """The PT_LOADs of a dump, by both kinds of address."""

    def __init__(self, loads: tuple[Segment, ...], bits: int) -> None:
        self.count = len(loads)
        self._loads = loads
        self._none = (1 << bits) - 1

    @cached_property
    def tables(self) -> dict[Space, _Table]:
        """Those by virtual address are sorted by the physical one too: a slip of libkdumpfile's (seg_virt_cmp)."""
        loads = sorted(self._loads, key=lambda s: s.paddr)
        physical = [] if len(loads) > 1 and not loads[-1].paddr else [s for s in loads if s.paddr != self._none]
        return {"virtual": _Table((s.vaddr, s) for s in loads), "physical": _Table((s.paddr, s) for s in physical)}


class Memory:
    """Pages of a dump."""

    def __init__(self, loads: Loads, windows: Windows, page_size: int, cache: bool) -> None:
        self._loads = loads
        self._windows = windows
        self._cache = cache
        self.page_size = page_size
        self.budget: Budget | None = None
        """What each look at a page takes from, also where the page is kept: page tables may lead in circles."""
        self.translate: Callable[[int], int] | None = None
        """From a virtual address to a physical one; raises Missing and Untranslated."""
        self._pages: dict[tuple[Space, int], bytes] = {}
        self._loading: int | None = None

    def read(self, space: Space, address: int, length: int) -> bytes:
        """Bytes over as many pages as they need (read_locked)."""
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
        """A number for a page table's walk, from a page that is kept in one of a few slots (get_cache_buf).

        A page that is looked for while another is on its way into a slot takes the same slot, and that kills.
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
        """The page of an address, as far as it can be touched. Raises Missing, Untranslated, ReadFailed, Killed."""
        if self.budget is not None:
            self.budget.spend()
        address = address & -self.page_size % _TOP if self.page_size else 0
        if (space, address) not in self._pages:
            self._pages[space, address] = self._page(space, address)
        if not self.page_size:
            raise Killed("SIGFPE")
        return self._pages[space, address]

    def where(self, physical: int) -> int | None:
        """The file offset of a byte of physical memory."""
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
        """A page out of several PT_LOADs, zeros between them (elf_read_page)."""
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
        """Bytes of the file; raises ReadFailed."""
        if copied:
            self._windows.touch(offset % _TOP, length)
            return self._windows.view.read(offset % _TOP, length).ljust(length, b"\0")
        return self._windows.window(offset % _TOP, length)
