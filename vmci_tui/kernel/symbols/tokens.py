"""Find the token table of kallsyms: 256 texts, of which each byte of a compressed name stands for one.

Linux scripts/kallsyms.c: a character that occurs in a name is the token of its own code, so the digits are ten
successive texts of one character. After the texts comes their index, aligned: where each begins, 256 numbers of 16
bits. It decides; keymaps and other tables look like the digits.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.common.budget import Budget
from vmci_tui.formats.elf_note import ByteOrder

COUNT: Final = 256
_DIGITS: Final = b"".join(bytes((digit, 0)) for digit in b"0123456789")
_FIRST_DIGIT: Final = 0x30
_LONGEST: Final = 512
"""The most bytes of a token: no name is longer (KSYM_NAME_LEN)."""
_TEXTS: Final = 1 << 16
"""Bytes of reading that take as much time as to look for the texts around the digits."""
_ALIGNMENTS: Final = (8, 4, 2)
INDEX_LENGTH: Final = 2 * COUNT
MOST: Final = COUNT * _LONGEST + INDEX_LENGTH
"""Bytes from the digits of the longest table to the end of its index, at most."""


class TokenTable(NamedTuple):
    """The token table; offsets count from the start of the data in which it was found."""

    start: int
    index_at: int
    """Where the index is."""
    texts: tuple[bytes, ...]


def token_tables(data: bytes, order: ByteOrder, budget: Budget, start: int = 0) -> Iterator[TokenTable]:
    """Yield the token tables in `data` whose digits are at `start` or after it. Raises Spent.

    The first byte of `data` is aligned to a page.
    """
    at = data.find(_DIGITS, start)
    while at >= 0:
        budget.spend(_TEXTS)
        found = _around(data, at, order)
        if found is not None:
            yield found
        at = data.find(_DIGITS, at + 1)


def _around(data: bytes, digits: int, order: ByteOrder) -> TokenTable | None:
    """Return the table whose digits are at this offset.

    Before the first text there is not always a NUL, so the index says where it begins.
    """
    second = digits
    for _ in range(_FIRST_DIGIT - 1):
        low = max(0, second - 1 - _LONGEST)
        second = data.rfind(b"\0", low, second - 1) + 1
        if not second:
            return None
    starts, at = [], second
    for _ in range(COUNT - 1):
        starts.append(at)
        at = data.find(b"\0", at, at + _LONGEST) + 1
        if not at:
            return None
    for align in _ALIGNMENTS:
        index = -(-at // align) * align
        if index + INDEX_LENGTH > len(data):
            return None
        places = struct.unpack_from(("<" if order == "little" else ">") + "256H", data, index)
        start = second - places[1]
        if start >= 0 and places[0] == 0 and places[1] and [start + place for place in places[1:]] == starts:
            ends = (*starts[1:], at)
            texts = (data[start : second - 1], *(data[a : b - 1] for a, b in zip(starts, ends, strict=True)))
            return TokenTable(start, index, texts)
    return None
