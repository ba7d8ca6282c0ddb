"""Read the names of kallsyms, which are before the token table: their number, the names, and a marker for each 256.

A name is its length in tokens, one byte or, since 6.1, two for 128 tokens or more, and the tokens; the first character
that they make is the symbol's type. A marker is where its 256 names begin: 32 bits, before 4.20 an unsigned long.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from vmci_tui.common.budget import Budget
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.kernel.symbols.tokens import TokenTable

_GROUP: Final = 256
"""Names of a marker."""
_LEAST_STEP, _MOST_STEP = 2 * _GROUP, 200 * _GROUP
"""Bytes of a group: a name has at least a length and a token, and on average far less than 200."""
_FEWEST: Final = 8
"""Markers of the smallest table: a kernel has thousands of symbols."""
_MOST: Final = 1 << 21
"""Symbols of the largest table: ten times those of a kernel with everything in it."""
_STEP: Final = 1 << 16
"""Bytes of reading that cost as much time as the names of a group."""
_MARKERS: Final = 4096 * _STEP
"""The same of all words before a token table."""
_BLOCK: Final = 1 << 20
_BEFORE: Final = 16 << 20
"""Bytes before the token table in which the names are; sequence numbers of 3 bytes each may be between (6.2, 6.3)."""


class Names(NamedTuple):
    """All names; offsets count from the start of the data in which they were found."""

    at: int
    """Where the first name begins."""
    number_at: int
    """Where their number is, at the start or the end of its record."""
    count_at: int
    """Where the record of their number begins; what belongs before it ends there."""
    texts: tuple[bytes, ...]
    """The type, one character, and the name, in the order of the addresses."""
    wide: bool
    """Whether the markers are unsigned longs of 64 bits: an older kernel."""


def names_before(data: bytes, table: TokenTable, order: ByteOrder, word: int, budget: Budget) -> Names | None:
    """Return the names that belong to a token table; None if none do. Raises Spent.

    `word`: bytes of an unsigned long.
    """
    for width in (4, 8)[: word // 4]:
        budget.spend(_MARKERS)
        for at, markers in _markers(data, table.start, order, width):
            for count in (len(markers), len(markers) - 1):
                found = _names(data, table, at, markers[:count], order, word, budget)
                if found is not None:
                    return found._replace(wide=width == 8)
    return None


def _markers(data: bytes, end: int, order: ByteOrder, width: int) -> Iterator[tuple[int, array[int]]]:
    """Yield where the last runs of numbers are that ascend from 0 as markers do, and the numbers, before `end`."""
    end -= end % width
    for start in range(end - _BLOCK, max(end - _BEFORE, -_BLOCK), -_BLOCK):
        low = max(0, start)
        # A run may begin in the block before this one: markers of a group of blocks are seen together.
        words = array("I" if width == 4 else "Q", data[low : min(end, low + 2 * _BLOCK)])
        if order == "big":
            words.byteswap()
        steps = bytes(_LEAST_STEP <= after - before <= _MOST_STEP for before, after in pairwise(words))
        stop = steps.rfind(b"\1" * _FEWEST)
        if stop < 0:
            continue
        first = steps.rfind(b"\0", 0, stop) + 1
        if words[first] == 0:
            last = stop + _FEWEST
            yield low + first * width, words[first : last + 1]
            return


def _names(
    data: bytes, table: TokenTable, markers_at: int, markers: array[int], order: ByteOrder, word: int, budget: Budget
) -> Names | None:
    """Return the names that end at the markers, which say about how many there are and where they begin."""
    if len(markers) < _FEWEST:
        return None
    most = len(markers) * _GROUP
    last = markers_at - markers[-1]
    for start in range(last - last % 4, max(word, last - _MOST_STEP), -4):
        for before in (word, 4)[: word // 4]:
            count = int.from_bytes(data[start - before : start - before + 4], order)
            if most - _GROUP < count <= min(most, _MOST):
                texts = _decoded(data, table.texts, start, markers_at, markers, count, budget)
                if texts is not None:
                    return Names(start, start - before, start - word, texts, False)
    return None


def _decoded(
    data: bytes, tokens: tuple[bytes, ...], at: int, end: int, markers: array[int], count: int, budget: Budget
) -> tuple[bytes, ...] | None:
    """Return `count` names from `at` on; None if one is not within `end`, or the markers say otherwise."""
    out, start = [], at
    for number in range(count):
        if number % _GROUP == 0:
            budget.spend(_STEP)
            if at - start != markers[number // _GROUP]:
                return None
        length, at = data[at], at + 1
        if length & 0x80:
            length, at = length & 0x7F | data[at] << 7, at + 1
        if not length or at + length > end:
            return None
        out.append(b"".join([tokens[token] for token in data[at : at + length]]))
        at += length
    return tuple(out)
