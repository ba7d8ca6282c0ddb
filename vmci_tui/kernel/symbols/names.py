"""Read the names of kallsyms, which are before the token table: their number, the names, and a marker for each 256.

A name is its length in tokens, one byte or, since 6.1, two for 128 tokens or more, and the tokens; the first character
that they make is the symbol's type. A marker is where its 256 names begin: 32 bits, before 4.20 an unsigned long.
"""

from __future__ import annotations

from array import array
from typing import Final, NamedTuple

from vmci_tui.common.budget import Budget
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.kernel.symbols.compressed_names import HEAD, WIDE, CompressedNames
from vmci_tui.kernel.symbols.tokens import TokenTable

GROUP: Final = 256
"""Names of a marker."""
_LEAST_STEP, _MOST_STEP = 2 * GROUP, 200 * GROUP
"""Bytes of a group: a name has at least a length and a token, and on average far less than 200."""
_FEWEST: Final = 8
"""Markers of the smallest table: a kernel has thousands of symbols."""
_MOST: Final = 1 << 19
"""Symbols of the largest table: three times those of Debian's kernels."""
_LONGEST: Final = 512
"""Characters of a name and its type: KSYM_NAME_LEN."""
_TEXT: Final = 64 << 20
"""Characters of all names together, if each token were the longest one: real names have 1 to 5 MiB."""
_STEP: Final = 1 << 16
"""Bytes of reading that take as much time as half of a group of names."""
_OF_NAMES: Final = 32
"""Bytes of reading that take as much time as one byte of the names."""
_MARKERS: Final = 1024 * _STEP
"""The same of the words before a token table, where no run of numbers ascends."""
_STARTS: Final = 64 * _STEP
"""The same of the places at which the names of a run may begin."""
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
    compressed: CompressedNames
    """In the order of the addresses."""
    markers_at: int
    """Where the markers begin, one for each 256 names."""
    wide: bool
    """Whether the markers are unsigned longs of 64 bits: an older kernel."""


def names_before(data: bytes, table: TokenTable, order: ByteOrder, word: int, budget: Budget) -> Names | None:
    """Return the names that belong to a token table; None if none do. Raises Spent.

    `word`: bytes of an unsigned long.
    """
    for width in (4, 8)[: word // 4]:
        budget.spend(_MARKERS)
        found_at = _markers(data, table.start, order, width, budget)
        if found_at is not None:
            at, markers = found_at
            for count in (len(markers), len(markers) - 1):
                found = _names(data, table, at, markers[:count], order, word, budget)
                if found is not None:
                    return found._replace(wide=width == 8)
    return None


def _markers(data: bytes, end: int, order: ByteOrder, width: int, budget: Budget) -> tuple[int, array[int]] | None:
    """Return where the last run of numbers before `end` is that ascend from 0 as markers do, and the numbers."""
    end -= end % width
    low = max(0, end - _BEFORE)
    words = array("I" if width == 4 else "Q", data[low:end])
    if order == "big":
        words.byteswap()
    at = len(words) - 2
    while at >= 0:
        # One of _FEWEST successive pairs is in each run that is long enough, so the others need not be looked at.
        if not _LEAST_STEP <= words[at + 1] - words[at] <= _MOST_STEP:
            at -= _FEWEST
            continue
        first, last = _run(words, at)
        budget.spend(last - first << 8)
        if last - first >= _FEWEST and words[first] == 0:
            return low + first * width, words[first : last + 1]
        at = first - 2
    return None


def _run(words: array[int], at: int) -> tuple[int, int]:
    """Return the first and the last of the numbers around `at` that ascend as markers do."""
    first, last = at, at + 1
    while first and _LEAST_STEP <= words[first] - words[first - 1] <= _MOST_STEP:
        first -= 1
    while last + 1 < len(words) and _LEAST_STEP <= words[last + 1] - words[last] <= _MOST_STEP:
        last += 1
    return first, last


def _names(
    data: bytes, table: TokenTable, markers_at: int, markers: array[int], order: ByteOrder, word: int, budget: Budget
) -> Names | None:
    """Return the names that end at the markers, which say about how many there are and where they begin."""
    if len(markers) < _FEWEST:
        return None
    budget.spend(_STARTS)
    most = len(markers) * GROUP
    last = markers_at - markers[-1]
    for start in range(last - last % 4, max(word, last - _MOST_STEP), -4):
        for before in (word, 4)[: word // 4]:
            count = int.from_bytes(data[start - before : start - before + 4], order)
            if most - GROUP < count <= min(most, _MOST):
                names = _compressed(data[start:markers_at], table.texts, markers, count, budget)
                if names is not None:
                    return Names(start, start - before, start - word, names, markers_at, False)
    return None


def _compressed(
    data: bytes, tokens: tuple[bytes, ...], markers: array[int], count: int, budget: Budget
) -> CompressedNames | None:
    """Return the `count` names at the start of `data`; None if they are not within it, or not where the markers say."""
    budget.spend(len(data))
    lengths = bytes([min(len(token), 0xFF) for token in tokens])
    usual = min(WIDE - 1, _LONGEST // max(*lengths, 1))
    starts, odd, at, end = array("I"), array("I"), 0, len(data)
    add = starts.append  # some 100,000 names: what is looked up once is not looked up for each
    for number, marker in enumerate(markers[: -(-count // GROUP)]):
        if at != marker:
            return None
        for _ in range(min(GROUP, count - number * GROUP)):
            if at >= end:
                return None
            add(at)
            length = data[at]
            at += 1
            if not HEAD <= length <= usual:
                if length < HEAD or length & WIDE:
                    odd.append(len(starts) - 1)
                if length & WIDE:
                    length, at = length & ~WIDE | int.from_bytes(data[at : at + 1], "little") << 7, at + 1
                if not 0 < length <= _LONGEST or sum(data[at : at + length].translate(lengths)) > _LONGEST:
                    return None
            at += length
        budget.spend((at - marker) * _OF_NAMES)
    add(at)
    if at > end or (at * max(lengths) > _TEXT and sum(data[:at].translate(lengths)) > _TEXT):
        return None
    return CompressedNames(data[:at], starts, odd, tokens)
