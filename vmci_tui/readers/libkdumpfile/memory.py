"""How libkdumpfile reads guest memory: page by page, through a cache of a few pages (read.c, cache.c)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final, Literal

from vmci_tui.common.budget import Budget
from vmci_tui.readers.libkdumpfile.file_cache import Killed

_TOP: Final = 1 << 64
Space = Literal["virtual", "physical"]


class Missing(Exception):
    """KDUMP_ERR_NODATA: the data is not in the dump."""


class Untranslated(Exception):
    """KDUMP_ERR_ADDRXLAT: this address cannot be translated to one in the dump."""


class Corrupt(Exception):
    """KDUMP_ERR_CORRUPT: the data is invalid."""


class DumpMemory(ABC):
    """Pages of a dump; `page_size` in bytes, 0 if it is not known."""

    def __init__(self, page_size: int) -> None:
        self.page_size = page_size
        self.budget: Budget | None = None
        """The limit on page accesses, cached ones included: page tables may lead in circles."""
        self.translate: Callable[[int], int] | None = None
        """Translates a virtual address to a physical one. Raises Missing and Untranslated."""
        self._pages: dict[tuple[Space, int], bytes] = {}
        self._loading: int | None = None

    @abstractmethod
    def _page(self, space: Space, address: int) -> bytes:
        """Return the accessible part of the page at an address. Raises Missing, Untranslated, ReadFailed, Killed."""

    def read(self, space: Space, address: int, length: int) -> bytes:
        """Read bytes from as many pages as needed (read_locked). Raises like `page`."""
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
