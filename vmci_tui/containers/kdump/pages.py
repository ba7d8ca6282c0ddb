"""Read the pages of a kdump file by guest-physical address, through bitmap and page descriptor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from threading import RLock
from typing import Final, NamedTuple

from vmci_tui.containers.kdump import missing_pages
from vmci_tui.containers.kdump.bitmap import Bitmap
from vmci_tui.containers.kdump.header import KdumpHeader
from vmci_tui.formats.compression import PageDecoder
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.kdump_records import PAGE_DESCRIPTOR
from vmci_tui.layers.file import Source
from vmci_tui.layers.memory_map import Memory
from vmci_tui.layers.range_table import Range, Ranges

CACHE_LIMIT: Final = 16 << 20
"""Bytes of decompressed pages that are kept."""
RANGE_LIMIT: Final = 1 << 18
"""Ranges of memory that are listed: each takes 24 bytes, and a filtered dump of 16 GiB has some 100,000."""
_LOOK: Final = 1 << 27
"""Bytes after an address that are searched for the end of its range, if ranges are not listed."""
_DESCRIPTORS: Final = 512
"""Page descriptors that are read at a time."""


class Descriptor(NamedTuple):
    """Offset in the plain file and number of a page's bytes, and their compression."""

    offset: int
    size: int
    flags: int
    page_flags: int


class Pages:
    """Guest-physical memory as a source: the offset is the paddr. Reads end at the first missing page."""

    def __init__(self, plain: Source, header: KdumpHeader) -> None:
        self.bitmap = Bitmap(plain, header.bitmap[0], *header.pfns)
        self.block_size = header.block_size
        self._plain = plain
        self._header = header
        self._lock = RLock()
        """Judgements, searches and the screen read at the same time; the caches need the lock."""
        self._cache: dict[Descriptor, bytes] = {}
        self._read_at = -1
        self._descriptors: list[Descriptor] = []
        self._unpacker = PageDecoder(header.block_size)

    @property
    def plain(self) -> Source:
        """The source of the pages' bytes: the file, or the plain file in a flattened one."""
        return self._plain

    @property
    def size(self) -> int:
        """One more than the highest possible address."""
        return self.bitmap.last * self.block_size

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes at a paddr, up to the first page that is missing or damaged.

        Raises OpenError if the package for the compression is missing.
        """
        if offset < 0 or length <= 0:
            return b""
        pfn, inside = divmod(offset, self.block_size)
        out = bytearray()
        while len(out) < length and (page := self.page(pfn)) is not None:
            out += page[inside : inside + length - len(out)]
            pfn, inside = pfn + 1, 0
        return bytes(out)

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        size = self.block_size
        for first, last in self.bitmap.runs(max(start, 0) // size, -(-end // size)):
            yield max(first * size, start), min(last * size, end)

    def page(self, pfn: int) -> bytes | None:
        """Return a whole page; None if it is missing or damaged."""
        with self._lock:
            return self._page(pfn)

    def _page(self, pfn: int) -> bytes | None:
        descriptor = self.descriptor(pfn)
        if descriptor is None:
            return None
        page = self._cache.pop(descriptor, None)
        if page is None:
            page = self._first_bytes(descriptor, self.block_size + 1)  # one more: a longer page is damaged
            if page is None or len(page) != self.block_size:
                return None
            if len(self._cache) * self.block_size >= CACHE_LIMIT:
                del self._cache[next(iter(self._cache))]
        self._cache[descriptor] = page  # the newest is dropped last
        return page

    def heads(self, length: int, start: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Yield the paddr and the first `length` bytes of each page within [start, end), decompressed no further.

        A page that is stored once for many addresses (QEMU does so with zeros) is decompressed
        once while it repeats. Damaged pages are left out.
        """
        size = self.block_size
        stop = self.size if end is None else end
        before: Descriptor | None = None
        head: bytes | None = None
        for first, last in self.bitmap.runs(-(-start // size), stop // size):
            rank = self.bitmap.rank(first)
            for pfn in range(first, last):
                descriptor = self._at(rank + pfn - first)
                if descriptor is None:
                    continue
                if descriptor != before:
                    before, head = descriptor, self._first_bytes(descriptor, length)
                if head is not None:
                    yield pfn * size, head

    @cached_property
    def count(self) -> missing_pages.PageCount:
        """The counts of all and of missing pages, and where the bytes of all of them would end."""
        first, last = self.bitmap.first, self.bitmap.last
        pages = self.bitmap.rank(last) if first < last else 0
        start = self._header.descriptors
        return missing_pages.count_pages(self._plain, self.descriptor_table, pages, start, self.block_size, self.order)

    @property
    def end(self) -> int:
        """Where the bytes of pages end in the plain file."""
        return self.count.end

    def descriptor(self, pfn: int) -> Descriptor | None:
        """Return the page's descriptor; None if the page is not in the file."""
        return self._at(self.bitmap.rank(pfn)) if pfn in self.bitmap else None

    def descriptor_table(self, index: int, count: int) -> bytes:
        """Return `count` descriptors from `index` on, 24 bytes each in the file's byte order; fewer at the end."""
        return self._plain.read(self._header.descriptors + index * PAGE_DESCRIPTOR, count * PAGE_DESCRIPTOR)

    @property
    def order(self) -> ByteOrder:
        return self._header.form.order

    def _at(self, index: int) -> Descriptor | None:
        """Return the descriptor of that index; None if it is invalid."""
        with self._lock:
            return self._descriptor(index)

    def _descriptor(self, index: int) -> Descriptor | None:
        block, at = divmod(index, _DESCRIPTORS)
        if block != self._read_at:
            step = _DESCRIPTORS * PAGE_DESCRIPTOR
            table = self._plain.read(self._header.descriptors + block * step, step)
            table = table[: len(table) - len(table) % PAGE_DESCRIPTOR]
            self._descriptors = [Descriptor(*values) for values in self._header.form.page.iter_unpack(table)]
            self._read_at = block
        found = self._descriptors[at] if at < len(self._descriptors) else None
        return found if found is not None and found.offset and 0 < found.size <= self.block_size else None

    def _first_bytes(self, descriptor: Descriptor, length: int) -> bytes | None:
        """Return the first bytes of a page; None if it is damaged."""
        data = self._plain.read(descriptor.offset, descriptor.size)
        if len(data) < descriptor.size:
            return None
        return self._unpacker.first_bytes(data, descriptor.flags, length)


@dataclass(frozen=True)
class PageMemory(Memory):
    """The memory in `pages`. Only the first RANGE_LIMIT ranges are listed; addresses in the others are still found."""

    pages: Pages | None = None
    doubts: tuple[str, ...] = ()

    @classmethod
    def of(cls, pages: Pages) -> PageMemory:
        size = pages.block_size
        ranges = Ranges()
        for first, last in pages.bitmap.runs():
            if len(ranges) == RANGE_LIMIT:
                words = f"the memory has more than {RANGE_LIMIT} ranges"
                doubt = f"{words}: those from paddr {first * size:#x} on are not listed"
                return cls(ranges, pages=pages, doubts=(doubt,))
            ranges.add(first * size, last * size, first * size)
        return cls(ranges)

    def range_at(self, paddr: int) -> Range | None:
        if self.pages is None or paddr < self.ranges[-1].end:
            return super().range_at(paddr)
        end = min(paddr + _LOOK, self.pages.size)
        start, stop = next(self.pages.data_ranges(paddr, end), (end, end))
        return Range(paddr, stop - paddr, paddr) if start == paddr < stop else None
