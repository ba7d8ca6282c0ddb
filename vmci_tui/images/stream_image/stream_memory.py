"""Show the RAM blocks of a stream as one source: one block after the other, each from a whole page on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from threading import Lock
from typing import Final

from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.images.qemu_stream.head import Block
from vmci_tui.layers.file import Source
from vmci_tui.layers.read_into import read_into

_ALIGN: Final = 1 << 16
"""Blocks begin at multiples of this: pages have at most 64 KiB."""


class StreamMemory:
    """The source of the guest's memory. The pages are indexed when the first byte is read."""

    def __init__(self, blocks: tuple[Block, ...], index: Callable[[Progress], Sequence[Source]]) -> None:
        self._lengths = [block.length for block in blocks]
        rounded = (-(-length // _ALIGN) * _ALIGN for length in self._lengths)
        self.starts = tuple(accumulate(rounded, initial=0))
        """The offset of each block, and the end of the last one."""
        self._index = index
        self._blocks: Sequence[Source] | None = None
        self._lock = Lock()

    @property
    def size(self) -> int:
        return self.starts[-1]

    def find_pages(self, progress: Progress) -> None:
        """Index the pages now. Raises OpenError if the stream is damaged, and what `progress` raises."""
        self._opened(progress)

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes; fewer at the end or where a page is damaged. Raises OpenError if the stream is."""
        blocks, out = self._opened(), b""
        length = min(length, self.size - offset)
        while offset >= 0 and length > 0:
            number, inside, take = self._part(offset, length)
            part = blocks[number].read(inside, take)
            if inside + take > self._lengths[number]:
                part = part.ljust(take, b"\0")
            out = part if not out else out + part
            if len(part) < take:
                break
            offset, length = offset + take, length - take
        return out

    def read_into(self, offset: int, into: memoryview) -> int:
        """Fill a buffer, as `read` reads; return how many bytes there were. Raises OpenError."""
        blocks, done = self._opened(), 0
        wanted = min(len(into), self.size - offset)
        while offset >= 0 and done < wanted:
            number, inside, take = self._part(offset + done, wanted - done)
            held = max(min(take, self._lengths[number] - inside), 0)
            got = read_into(blocks[number], inside, into[done : done + held])
            into[done + held : done + take] = bytes(take - held)
            done += got if got < held else take
            if got < held:
                break
        return done

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        blocks = self._opened()
        at, end = max(start, 0), min(end, self.size)
        while at < end:
            number, inside, take = self._part(at, end - at)
            shift = at - inside
            for first, last in blocks[number].data_ranges(inside, inside + take):
                yield first + shift, last + shift
            at += take

    def _part(self, offset: int, length: int) -> tuple[int, int, int]:
        """Return the block at an offset, the offset in it, and how many bytes of the range are in its room."""
        number = bisect_right(self.starts, offset) - 1
        return number, offset - self.starts[number], min(length, self.starts[number + 1] - offset)

    def _opened(self, progress: Progress = no_progress) -> Sequence[Source]:
        with self._lock:
            if self._blocks is None:
                self._blocks = self._index(progress)
            return self._blocks
