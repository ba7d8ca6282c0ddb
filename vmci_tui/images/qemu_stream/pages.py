"""Index the pages of RAM blocks: where in the stream the last version of each is, 8 bytes a page."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.images.qemu_stream.cursor import BrokenStream
from vmci_tui.images.qemu_stream.head import Block

ABSENT: Final = 0
"""The place of a page that never came."""
KIND: Final = 3 << 62
"""The bits of a place that say how the page is stored; the others are an offset in the stream, or a number."""
PLAIN: Final = 0
FILLED: Final = 1 << 62
"""A page of one byte's value: the number."""
DEFLATED: Final = 2 << 62
"""A page compressed by zlib, at the offset: u32 length, then its bytes."""
CHANGED: Final = 3 << 62
"""Changes (xbzrle) of an earlier version: the number is a row of `Changes`."""

_STEP: Final = 1 << 16
"""Pages by which the index of a block grows: 512 KiB of index for 256 MiB of guest."""
_LEAST: Final = 1 << 20
_FILE_BYTES: Final = 4
"""Bytes of file for a page: the shortest record of a page has 9 bytes, so the pages of a real stream have more."""
_CHANGES: Final = 2
"""Changes for a page of the guest, 16 bytes each, that are indexed at most: the whole index has 40 bytes a page."""


class Changes(NamedTuple):
    """The changes of pages, a row each."""

    offsets: array[int]
    """Where in the stream each is: u16 length, then its bytes."""
    before: array[int]
    """The place of the version that it changes."""


class PageIndex:
    """The places of all pages of all blocks, as far as the stream was read."""

    def __init__(self, page_size: int, file_size: int) -> None:
        self.page_size = page_size
        self.blocks: list[Block] = []
        self.numbers: dict[str, int] = {}
        self.places: list[array[int]] = []
        """The places of each block's pages; pages after the last one never came."""
        self.changes = Changes(array("Q"), array("Q"))
        self._left = max(file_size // _FILE_BYTES, _LEAST)

    def add(self, block: Block) -> None:
        """Add the next block of the list, without pages."""
        self.numbers[block.name] = len(self.blocks)
        self.blocks.append(block)
        self.places.append(array("Q"))

    def grown(self, number: int, page: int, at: int) -> array[int]:
        """Return the places of a block, which then has one for `page`. Raises BrokenStream outside the block."""
        places, pages = self.places[number], -(-self.blocks[number].length // self.page_size)
        if page >= pages:
            raise BrokenStream("a page is outside its RAM block", at)
        if page >= len(places):
            more = min(pages, (page // _STEP + 1) * _STEP) - len(places)
            self._left -= more
            if self._left < 0:
                raise BrokenStream("its pages are further apart than those of any real stream", at)
            places.frombytes(bytes(more * places.itemsize))
        return places

    def changed(self, offset: int, before: int) -> int:
        """Add a change to the version of a page at `before`; return the place of the result. Raises BrokenStream."""
        number = len(self.changes.offsets)
        if number >= max(_LEAST, _CHANGES * sum(map(len, self.places))):
            raise BrokenStream(f"it has more than {number} changes of pages", offset)
        self.changes.offsets.append(offset)
        self.changes.before.append(before)
        return CHANGED | number

    def came(self, number: int, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Yield the runs of pages in [first, last) of a block that came in the stream."""
        places = self.places[number]
        start = first
        for page in range(first, min(last, len(places))):
            if places[page] == ABSENT:
                if start < page:
                    yield start, page
                start = page + 1
        if start < min(last, len(places)):
            yield start, min(last, len(places))
