"""The worker process: read batches of compressed pages from stdin, write their hits to stdout, until stdin ends."""

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
"""The length before each question and each answer."""
FileParts = tuple[tuple[int, int, int], ...]
"""Offset in the plain file, length, and offset in the file, of the records of one read."""


def main(file: int) -> None:
    """Answer questions about the open dump with descriptor `file`, until stdin ends, at the latest with the parent."""
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
    """Encode a batch, with the place of each of its ranges in the file."""
    spans = tuple((low, size, array("Q", chain.from_iterable(pages)).tobytes()) for low, size, pages in batch.spans)
    data = marshal.dumps((number, tuple(batch.pattern), batch.block_size, batch.limit, spans, parts))
    return LENGTH.pack(len(data)) + data


def _pages(data: bytes) -> list[StoredPage]:
    numbers = array("Q", data)
    return list(zip(numbers[0::4], numbers[1::4], numbers[2::4], numbers[3::4], strict=True))


def parse_answer(data: bytes) -> tuple[int, BatchHits]:
    """Decode an answer: the number of a batch, and its hits."""
    number, *found = marshal.loads(data)
    return number, BatchHits(*found)


def _scanned(file: int, batch: PageBatch, parts: tuple[FileParts, ...]) -> BatchHits:
    places = {(low, size): where for (low, size, _), where in zip(batch.spans, parts, strict=True)}
    return scan(batch, lambda low, size: _read(file, low, size, places[low, size]))


def _read(file: int, low: int, size: int, parts: FileParts) -> bytes:
    """Read as from the plain file: zeros where there is no record."""
    if len(parts) == 1 and parts[0][:2] == (low, size):
        return os.pread(file, size, parts[0][2])
    out = bytearray(size)
    for offset, length, place in parts:
        data = os.pread(file, length, place)
        out[offset - low : offset - low + len(data)] = data
    return bytes(out)
