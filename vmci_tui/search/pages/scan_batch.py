"""Search one batch of compressed pages: the work that is done in this process or in a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from vmci_tui.formats.compression import PageDecoder
from vmci_tui.search.memory_blocks import PAGE, REACH, Block
from vmci_tui.search.patterns import FIRST_WORDS, PAGE_STARTS, SearchPattern

_SHORT: Final = 256
"""Bytes; a page stored in fewer is cached. 4 KiB of zeros take 41 bytes, 64 KiB of them 99 (zlib)."""
ReadFile = Callable[[int, int], bytes]
"""Reads the plain file: offset and length to bytes."""


StoredPage = tuple[int, int, int, int]
"""A page's number; offset and size of its bytes in the plain file; the descriptor's flags."""
ReadRange = tuple[int, int, list[StoredPage]]
"""Offset and length of one read, and the pages in it."""


class PageBatch(NamedTuple):
    """Some pages, by ascending address, and what to search for in them."""

    pattern: SearchPattern
    block_size: int
    limit: int
    """How many bytes of each page are needed."""
    spans: tuple[ReadRange, ...]


class BatchHits(NamedTuple):
    """Where a batch matches, and its first and last bytes, because a match can cross into the next batch."""

    places: list[int]
    """Addresses, ascending."""
    start: int = -1
    head: bytes = b""
    end: int = -1
    tail: bytes = b""


def scan(batch: PageBatch, read: ReadFile) -> BatchHits:
    """Search a batch. Raises OpenError if the package for a compression is missing, and what `read` raises."""
    return _whole(batch, read) if batch.pattern.step == 1 else _stepped(batch, read)


def across(before: BatchHits, after: BatchHits, pattern: SearchPattern) -> list[int]:
    """Return the addresses of matches that begin in one batch and end in the next."""
    if before.end != after.start or not before.tail:
        return []
    tail = before.tail[-(pattern.reach - 1) :]
    block = Block(before.end - len(tail), tail + after.head, 0, len(tail) + len(after.head))
    return [paddr for at in pattern.places(block) if (paddr := block.paddr_of(at)) < before.end]


def whole_pages(batch: PageBatch, read: ReadFile) -> Iterator[tuple[int, bytes]]:
    """Yield the paddr and the bytes of each undamaged page."""
    for paddr, data in _unpacked(batch, read, batch.block_size + 1):  # one more: a page that is longer is damaged
        if len(data) == batch.block_size:
            yield paddr, data


def _stepped(batch: PageBatch, read: ReadFile) -> BatchHits:
    out = []
    one = batch.pattern == PAGE_STARTS and batch.block_size == PAGE
    for paddr, head in _unpacked(batch, read, batch.limit):
        if one and head[:4] not in FIRST_WORDS:  # nearly all pages end here
            continue
        block = Block(paddr, head, 0, len(head))
        out += [paddr + at for at in batch.pattern.places(block)]
    return BatchHits(out)


def _whole(batch: PageBatch, read: ReadFile) -> BatchHits:
    """Search adjacent pages together, with zeros before the first, because pages of zeros are skipped."""
    runs: list[tuple[int, list[bytes]]] = []
    end = -1
    zeros = bytes(batch.block_size)
    for paddr, page in whole_pages(batch, read):
        if page == zeros:
            continue
        if paddr != end:
            runs.append((paddr, [bytes(REACH - 1)]))
        runs[-1][1].append(page)
        end = paddr + len(page)
    if not runs:
        return BatchHits([])
    places: list[int] = []
    for paddr, run in runs:
        joined = b"".join(run)
        block = Block(paddr - REACH + 1, joined, 0, len(joined))
        places += [found for at in batch.pattern.places(block) if (found := block.paddr_of(at)) >= 0]
    start, first = runs[0]
    return BatchHits(places, start, first[1][: REACH - 1], end, runs[-1][1][-1][1 - REACH :])


def _unpacked(batch: PageBatch, read: ReadFile, length: int) -> Iterator[tuple[int, bytes]]:
    """Yield paddr and bytes of each page. Short ones are cached: makedumpfile stores each page of zeros by itself."""
    unpacker = PageDecoder(batch.block_size)
    known: dict[tuple[bytes, int], bytes | None] = {}
    for low, size, pages in batch.spans:
        raw = read(low, size)
        for pfn, offset, stored, flags in pages:
            data = raw[offset - low : offset - low + stored]
            if len(data) < stored:
                continue
            if stored > _SHORT:
                page = unpacker.first_bytes(data, flags, length)
            elif (data, flags) in known:
                page = known[data, flags]
            else:
                page = known[data, flags] = unpacker.first_bytes(data, flags, length)
            if page is not None:
                yield pfn * batch.block_size, page
