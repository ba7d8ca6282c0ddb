"""Read RAM blocks of the capability mapped-ram: each page is at a fixed offset of the file, and a bit says whether."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vmci_tui.images.qemu_stream.head import Block, MappedPages
from vmci_tui.layers.file import Source
from vmci_tui.layers.range_table import joined

_CHUNK: Final = 4096
"""Bytes of the bitmap that are read at a time: 128 MiB of guest in pages of 4 KiB."""


class MappedBlock:
    """The bytes of one RAM block. Pages whose bit is not set are zeros, whatever the file has there."""

    def __init__(self, stream: Source, block: Block, mapped: MappedPages) -> None:
        self.size = block.length
        self._stream = stream
        self._mapped = mapped

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes of the block."""
        length = min(length, self.size - offset)
        if offset < 0 or length <= 0:
            return b""
        out: bytearray | None = None
        for start, end in self.data_ranges(offset, offset + length):
            data = self._stream.read(self._mapped.pages + start, end - start)
            if len(data) == length:
                return data
            if out is None:
                out = bytearray(length)
            out[start - offset : start - offset + len(data)] = data
        return bytes(length if out is None else out)

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the parts of [start, end) whose pages the file has."""
        size, end = self._mapped.page_size, min(end, self.size)
        runs = self._runs(start // size, -(-end // size))
        return ((max(first * size, start), min(last * size, end)) for first, last in joined(runs))

    def _runs(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Yield runs of pages in [first, last) whose bits are set, cut where a chunk of the bitmap ends."""
        bits = _CHUNK * 8
        for number in range(first // bits, -(-last // bits)):
            base = number * bits
            low, high = max(first, base), min(last, base + bits)
            chunk = self._stream.read(self._mapped.bitmap + low // 8, -(-high // 8) - low // 8)
            value = int.from_bytes(chunk, "little") >> low % 8
            yield from _ones(value & (1 << high - low) - 1, low)


def _ones(value: int, at: int) -> Iterator[tuple[int, int]]:
    """Yield the runs of set bits of a number, counted from `at`."""
    text = f"{value:b}"[::-1]
    start = text.find("1")
    while start >= 0:
        end = text.find("0", start)
        end = len(text) if end < 0 else end
        yield at + start, at + end
        start = text.find("1", end)
