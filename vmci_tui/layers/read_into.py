"""Read bytes of a source into a buffer that is used again and again: large reads then need no new memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from vmci_tui.layers.file import Source

PIECE: Final = 64 << 10
"""Bytes that are read at a time from a source that makes new bytes of them. From 128 KiB on the C library maps and
unmaps memory for each read: a save of 2 GiB then takes 3.0 to 5.1 s instead of 1.9 s (benchmarks/saving.py)."""

Fill = Callable[[int, memoryview], int]
"""`read_into` of a source: takes an offset and a buffer, fills it as far as there are bytes, and returns how many."""
Scatter = Callable[[int, Sequence[memoryview]], int]
"""`read_parts` of a source: fills several buffers, one after the other."""


def read_into(source: Source, offset: int, into: memoryview) -> int:
    """Fill a buffer as far as the source has bytes; return how many. Raises OpenError."""
    fill: Fill | None = getattr(source, "read_into", None)  # an isinstance() of a protocol takes 15 us
    if fill is not None:
        return fill(offset, into)
    done = 0
    while done < len(into):
        data = source.read(offset + done, min(PIECE, len(into) - done))
        if not data:
            break
        into[done : done + len(data)] = data
        done += len(data)
    return done


def read_parts(source: Source, offset: int, parts: Sequence[memoryview]) -> int:
    """Fill buffers, one after the other, as far as the source has bytes; return how many. Raises OpenError."""
    scatter: Scatter | None = getattr(source, "read_parts", None)
    if scatter is not None:
        return scatter(offset, parts)
    data = source.read(offset, sum(map(len, parts)))
    at = 0
    for part in parts:
        found = data[at : at + len(part)]
        part[: len(found)] = found
        at += len(part)
    return len(data)
