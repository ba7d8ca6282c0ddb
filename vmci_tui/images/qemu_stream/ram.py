"""Read the RAM records of a stream into the index of its pages; the bytes of the pages stay where they are."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Final

from vmci_tui.images.qemu_stream import pages
from vmci_tui.images.qemu_stream.cursor import BrokenStream, Cursor
from vmci_tui.images.qemu_stream.filled_runs import RECORD, RUN, is_filled_run
from vmci_tui.images.qemu_stream.head import Configuration, read_blocks
from vmci_tui.images.qemu_stream.records import (
    COMPRESSED,
    FILL,
    FLUSH,
    HOOK,
    PAGE,
    SAME_BLOCK,
    SECTION_END,
    SIZES,
    WORD,
    XBZRLE,
)

_SLACK: Final = 16
"""Bytes after the start of a record that the quick loop reads without a check."""
_AGAIN: Final = 64 * RECORD
"""Bytes after which a run of filled pages is looked for again, where there is none."""
_DEFLATE_MORE: Final = 13
"""Bytes that zlib's compressBound() adds, with two small parts of the size."""


@dataclass
class RamCounts:
    """How many pages came in which way."""

    filled: int = 0
    plain: int = 0
    again: int = 0
    """Plain pages that had come before: the guest was running."""
    compressed: int = 0
    changed: int = 0


class RamRecords:
    """The RAM state of one stream. The block of the last page is kept from one section to the next, as QEMU does."""

    def __init__(self, configuration: Configuration, file_size: int) -> None:
        self.index = pages.PageIndex(configuration.page_size, file_size)
        self.counts = RamCounts()
        self._configuration = configuration
        self._file_size = file_size
        self._block: int | None = None

    def read_section(self, cursor: Cursor) -> None:
        """Read records up to the end of a section. Raises BrokenStream; pages before that place are indexed."""
        while True:
            if self._block is not None:
                self._read_usual(cursor, self._block)
            if self._read_record(cursor):
                return

    def _read_usual(self, cursor: Cursor, block: int) -> None:
        """Index the pages that are most of a stream: plain or filled, of the same block as the one before.

        Leaves the cursor at the first other record. A record takes 0.2 us: benchmarks/streams.py.
        """
        places, counts, size = self.index.places[block], self.counts, self.index.page_size
        shift, mask, unpack = size.bit_length() - 1, size - 1, WORD.unpack_from
        plain, filled, stored = SAME_BLOCK | PAGE, SAME_BLOCK | FILL, pages.FILLED
        while cursor.fill(_SLACK):
            data, base = cursor.data, cursor.base
            start = at = tried = cursor.at - base
            last = min(len(data), cursor.end - base - size) - _SLACK
            try:
                while at <= last:
                    (word,) = unpack(data, at)
                    flags = word & mask
                    if flags == plain:
                        if places[word >> shift]:
                            counts.again += 1
                        places[word >> shift] = base + at + 8
                        counts.plain += 1
                        at += 8 + size
                    elif flags != filled:
                        break
                    elif at >= tried and is_filled_run(data, at, word, size):
                        first = word >> shift
                        if first + RUN > len(places):
                            raise IndexError
                        places[first : first + RUN] = array("Q", [stored | data[at + 8]]) * RUN
                        counts.filled += RUN
                        at += RUN * RECORD
                    else:
                        tried = at + _AGAIN if at >= tried else tried
                        places[word >> shift] = stored | data[at + 8]
                        counts.filled += 1
                        at += RECORD
            except IndexError:  # the index of the block has to grow
                cursor.move(base + at)
                return
            cursor.move(base + at)
            if at == start or at <= last:
                return

    def _read_record(self, cursor: Cursor) -> bool:
        """Read any record; return whether it ends the section. Raises BrokenStream."""
        at, word = cursor.at, cursor.number(8)
        size = self.index.page_size
        flags, address = word & size - 1, word & -size
        if flags == SECTION_END:
            return True
        if flags == SIZES:
            self._block = None
            self.index = pages.PageIndex(size, self._file_size)
            for block in read_blocks(cursor, address, self._configuration.capabilities):
                self.index.add(block)
        elif flags == HOOK:
            raise BrokenStream("it was written for RDMA", at)
        elif flags != FLUSH:
            self._read_page(cursor, at, flags, address)
        return False

    def _read_page(self, cursor: Cursor, at: int, flags: int, address: int) -> None:
        kind = flags & ~SAME_BLOCK
        if kind not in (FILL, PAGE, XBZRLE, COMPRESSED):
            raise BrokenStream(f"its RAM has a record of unknown flags {flags:#x}", at)
        if not flags & SAME_BLOCK:
            self._block = self.index.numbers.get(cursor.name())
        if self._block is None:
            raise BrokenStream("a page names no RAM block", at)
        if self.index.blocks[self._block].mapped is not None:
            raise BrokenStream("a page is in the stream, and its RAM block in the file (mapped-ram)", at)
        page = address // self.index.page_size
        places = self.index.grown(self._block, page, at)
        places[page] = self._place(cursor, kind, places[page])

    def _place(self, cursor: Cursor, kind: int, before: int) -> int:
        """Return the place of the page that a record of this kind has, and go on after it."""
        size, counts = self.index.page_size, self.counts
        if kind == FILL:
            counts.filled += 1
            return pages.FILLED | cursor.number(1)
        if kind == PAGE:
            at = cursor.at
            cursor.skip(size)
            counts.plain += 1
            counts.again += before != pages.ABSENT
            return at
        if kind == COMPRESSED:
            at, length = cursor.at, cursor.number(4)
            if length > size + (size >> 12) + (size >> 14) + _DEFLATE_MORE:
                raise BrokenStream(f"a compressed page has {length} bytes", at)
            cursor.skip(length)
            counts.compressed += 1
            return pages.DEFLATED | at
        encoding, at = cursor.number(1), cursor.at
        length = cursor.number(2)
        if encoding != 1 or length > size:
            raise BrokenStream(f"the changes of a page have {length} bytes, in encoding {encoding}", at)
        cursor.skip(length)
        counts.changed += 1
        return self.index.changed(at, before)
