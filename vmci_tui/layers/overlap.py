"""Compare memory that is in a dump twice.

The kernel maps its own image twice, and /proc/kcore and /proc/vmcore show it twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vmci_tui.common.errors import OpenError
from vmci_tui.layers.file import Source
from vmci_tui.layers.memory_map import Overlap

_WHOLE: Final = 1 << 20
"""Bytes of an overlap that is compared whole; of a larger one, pieces all over it are compared."""
_PIECE: Final = 4096
_IN_ALL: Final = 16 << 20
"""Bytes of a file that are compared; after that, only the first piece of each overlap is."""


def differing_paddr(overlaps: tuple[Overlap, ...], source: Source) -> int | None:
    """Return a paddr for which the file has two different bytes; None if all compared bytes are equal."""
    left = _IN_ALL
    for overlap in overlaps:
        for at, length in _pieces(overlap.length if left > 0 else min(overlap.length, _PIECE)):
            left -= length
            try:
                one, other = (source.read(place + at, length) for place in (overlap.first, overlap.second))
            except OpenError:
                continue  # unreadable: nothing is known
            if one != other:
                pairs = enumerate(zip(one, other, strict=False))
                return overlap.paddr + at + next((n for n, (a, b) in pairs if a != b), 0)
    return None


def _pieces(length: int) -> Iterator[tuple[int, int]]:
    if length <= _WHOLE:
        yield 0, length
        return
    step = -(-length // (_WHOLE // _PIECE))
    yield from ((at, min(_PIECE, length - at)) for at in range(0, length, step))
    yield length - _PIECE, _PIECE
