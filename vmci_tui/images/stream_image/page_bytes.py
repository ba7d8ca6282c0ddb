"""Give back the bytes of pages that a stream holds one by one: plain, filled, compressed or as changes."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from vmci_tui.images.qemu_stream import pages
from vmci_tui.images.qemu_stream.pages import PageIndex
from vmci_tui.images.stream_image import xbzrle
from vmci_tui.layers.file import Source
from vmci_tui.layers.range_table import joined
from vmci_tui.layers.read_into import PIECE, read_parts

_KEPT: Final = 1024
"""Unpacked pages that are kept: page tables are read again and again."""
_RUN: Final = 256
"""Pages that are read at a time: each is a buffer, with one for the word before it, and preadv() takes 1024."""
_FEW: Final = 8
"""Pages that are not worth a call of their own."""
_NO_DATA: Final = (pages.ABSENT, pages.FILLED)
"""The places of pages of zeros."""
_ZEROS: Final = array("Q", [pages.FILLED]) * _RUN
_RECORD: Final = 8
"""Bytes between two plain pages that came one after the other: the word of the record."""
_DEPTH: Final = 1 << 16
"""The most changes of one page that are applied, a few microseconds each."""


class SentPages:
    """The bytes of one RAM block, whose pages are anywhere in the stream. Pages that never came are zeros."""

    def __init__(self, stream: Source, index: PageIndex, number: int) -> None:
        self.size = index.blocks[number].length
        self._stream = stream
        self._places = index.places[number]
        self._changes = index.changes
        self._page = index.page_size
        self._kept = lru_cache(_KEPT)(self._unpacked)

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes of the block, up to the first damaged page."""
        length = min(length, self.size - offset)
        if offset < 0 or length <= 0:
            return b""
        first, inside = divmod(offset, self._page)
        last = -(-(offset + length) // self._page)
        parts = self._parts(self._places[first:last].tolist(), last - first)
        return b"".join(parts)[inside : inside + length]

    def read_into(self, offset: int, into: memoryview) -> int:
        """Fill a buffer with bytes of the block; pages that came one after the other go there without a copy."""
        wanted, done = min(len(into), self.size - offset), 0
        while offset >= 0 and done < wanted:
            page, inside = divmod(offset + done, self._page)
            run = 0 if inside else self._plain_run(page, (wanted - done) // self._page)
            take = run * self._page if run > _FEW else min(PIECE, wanted - done)
            if run > _FEW:
                got = self._scattered(self._places[page], into[done : done + take])
            else:
                data = self.read(offset + done, take)
                got = len(data)
                into[done : done + got] = data
            done += got
            if got < take:
                break
        return done

    def _plain_run(self, first: int, most: int) -> int:
        """Return how many plain pages came one after the other from the page `first` on, at most `most`."""
        places = self._places[first : first + min(most, _RUN)]
        if not places or not places[0] or places[0] & pages.KIND:
            return 0
        step = self._page + _RECORD
        run = array("Q", range(places[0], places[0] + len(places) * step, step))
        if places == run:
            return len(places)
        return next(at for at, (place, wanted) in enumerate(zip(places, run, strict=True)) if place != wanted)

    def _scattered(self, place: int, into: memoryview) -> int:
        """Read the pages of a run into a buffer, and the words between them away; return how many bytes there were."""
        size, word = self._page, memoryview(bytearray(_RECORD))
        parts = [word] * (2 * (len(into) // size) - 1)
        parts[::2] = [into[start : start + size] for start in range(0, len(into), size)]
        got = read_parts(self._stream, place, parts)
        whole, inside = divmod(got, size + _RECORD)
        return whole * size + min(inside, size)

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the parts of [start, end) whose pages are not all zeros as far as the index says."""
        size, end = self._page, min(end, self.size)
        runs = self._data_pages(start // size, min(-(-end // size), len(self._places)))
        return joined((max(first * size, start), min(last * size, end)) for first, last in runs)

    def _data_pages(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Yield runs of pages in [first, last) that are not zeros, in parts."""
        for start in range(first, last, _RUN):
            places = self._places[start : min(start + _RUN, last)]
            if places == _ZEROS[: len(places)]:
                continue
            if not any(place in places for place in _NO_DATA):
                yield start, start + len(places)
                continue
            yield from ((start + at, start + at + 1) for at, place in enumerate(places) if place not in _NO_DATA)

    def _parts(self, places: list[int], count: int) -> Iterator[bytes | memoryview]:
        """Yield the bytes of pages, in order, up to the first damaged one."""
        size, step = self._page, self._page + _RECORD
        at = 0
        while at < len(places):
            place = places[at]
            end = at + 1
            if not place & pages.KIND and place:
                most = min(at + _RUN, len(places))
                while end < most and places[end] == places[end - 1] + step:
                    end += 1
                data = memoryview(self._stream.read(place, (end - at) * step - _RECORD))  # a slice copies nothing
                yield from (data[start : start + size] for start in range(0, len(data), step))
            elif place & pages.KIND in (pages.ABSENT, pages.FILLED):
                while end < len(places) and places[end] == place:
                    end += 1
                yield bytes([place & 0xFF]) * ((end - at) * size)
            else:
                page = self._kept(place)
                if page is None:
                    return
                yield page
            at = end
        yield bytes((count - len(places)) * size)

    def _unpacked(self, place: int) -> bytes | None:
        """Return a page that is compressed or has changes; None if it is damaged."""
        changes: list[int] = []
        while place & pages.KIND == pages.CHANGED:
            number = place & ~pages.KIND
            changes.append(self._changes.offsets[number])
            place = self._changes.before[number]
            if len(changes) > _DEPTH:
                return None
        page = self._before_changes(place)
        for offset in reversed(changes):
            if page is None:
                return None
            length = int.from_bytes(self._stream.read(offset, 2), "big")
            page = xbzrle.apply(page, self._stream.read(offset + 2, length))
        return page

    def _before_changes(self, place: int) -> bytes | None:
        kind, value = place & pages.KIND, place & ~pages.KIND
        if kind == pages.DEFLATED:
            length = int.from_bytes(self._stream.read(value, 4), "big")
            return _inflated(self._stream.read(value + 4, length), self._page)
        if kind == pages.FILLED or place == pages.ABSENT:
            return bytes([value & 0xFF]) * self._page
        return self._stream.read(value, self._page)


def _inflated(data: bytes, size: int) -> bytes | None:
    """Return a page of `size` bytes, never more; None if it is damaged."""
    try:
        page = zlib.decompressobj().decompress(data, size + 1)
    except zlib.error:
        return None
    return page if len(page) == size else None
