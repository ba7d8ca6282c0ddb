"""What a worker process does: batches of compressed memory come in, what they hold goes out, until the input ends."""

from __future__ import annotations

import marshal
import os
import struct
import sys
from array import array
from itertools import chain
from typing import Final

from vmci_tui.search.pages.scan_batch import BatchHits, PageBatch, StoredPage, scan
from vmci_tui.search.patterns import SearchPattern

LENGTH: Final = struct.Struct("<I")
"""Stands before each question and each answer."""
FileParts = tuple[tuple[int, int, int], ...]
"""Offset in the plain file, length, and place in the file, of what is read at once."""


def main(file: int) -> None:
    """`file` is the descriptor of the open dump. Ends with the process that started it, as its input does."""
    while True:
        head = sys.stdin.buffer.read(LENGTH.size)
        if len(head) < LENGTH.size:
            return
        number, pattern, block_size, limit, spans, parts = marshal.loads(sys.stdin.buffer.read(LENGTH.unpack(head)[0]))
        batch = PageBatch(
            SearchPattern(*pattern), block_size, limit, tuple((low, size, _pages(pages)) for low, size, pages in spans)
        )
        answer = marshal.dumps((number, *_scanned(file, batch, parts)))
        sys.stdout.buffer.write(LENGTH.pack(len(answer)) + answer)
        sys.stdout.buffer.flush()


def question(number: int, batch: PageBatch, parts: tuple[FileParts, ...]) -> bytes:
    """A batch, with where each of its spans lies in the file."""
    spans = tuple((low, size, array("Q", chain.from_iterable(pages)).tobytes()) for low, size, pages in batch.spans)
    data = marshal.dumps((number, tuple(batch.pattern), batch.block_size, batch.limit, spans, parts))
    return LENGTH.pack(len(data)) + data


def _pages(data: bytes) -> list[StoredPage]:
    numbers = array("Q", data)
    return list(zip(numbers[0::4], numbers[1::4], numbers[2::4], numbers[3::4], strict=True))


def parse_answer(data: bytes) -> tuple[int, BatchHits]:
    """The number of a batch, and what it holds."""
    number, *found = marshal.loads(data)
    return number, BatchHits(*found)


def _scanned(file: int, batch: PageBatch, parts: tuple[FileParts, ...]) -> BatchHits:
    places = {(low, size): where for (low, size, _), where in zip(batch.spans, parts, strict=True)}
    return scan(batch, lambda low, size: _read(file, low, size, places[low, size]))


def _read(file: int, low: int, size: int, parts: FileParts) -> bytes:
    """As the plain file has it: zeros where no part is."""
    if len(parts) == 1 and parts[0][:2] == (low, size):
        return os.pread(file, size, parts[0][2])
    out = bytearray(size)
    for offset, length, place in parts:
        data = os.pread(file, length, place)
        out[offset - low : offset - low + len(data)] = data
    return bytes(out)
