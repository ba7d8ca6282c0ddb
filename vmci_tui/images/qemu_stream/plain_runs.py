"""Recognise many records of plain pages by the words between them alone: the pages are not looked at.

Reading a page takes as long as skipping it, and Python is not what takes the time: two threads read.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Final

from vmci_tui.common.ahead import ahead
from vmci_tui.images.qemu_stream.records import WORD
from vmci_tui.layers.file import FileSource

RUN: Final = 256
"""Records whose words are read at a time: each takes two of the 1024 buffers that preadv() has."""
_AHEAD: Final = 2


def begins_run(data: bytes, at: int, word: int, page_size: int) -> bool:
    """Return whether half of a run seems to begin at `at`: a word in `data` where its record would be says so."""
    there = at + RUN // 2 * (WORD.size + page_size)
    return there + WORD.size <= len(data) and WORD.unpack_from(data, there)[0] == word + RUN // 2 * page_size


def plain_run(source: FileSource, at: int, end: int, word: int, page_size: int) -> Generator[int, None, None]:
    """Yield how many records of plain pages that follow each other are at `at`: RUN times n, and at last fewer, or 0.

    `word` is that of the first one; all of them end before `end`. Raises OpenError.
    """
    length = RUN * (WORD.size + page_size)
    count = min((end - at) // length, ((1 << 64) - word) // (RUN * page_size))
    with closing(ahead(_words(source, at + length, length, count // 2, page_size), _AHEAD)) as others:
        own = _words(source, at, length, count - count // 2, page_size)
        for number in range(count):
            same = _matching(next(others if number % 2 else own), word + number * RUN * page_size, page_size)
            yield same
            if same < RUN:
                return


def _words(source: FileSource, at: int, length: int, count: int, page_size: int) -> Iterator[array[int]]:
    """Yield the words of every other run."""
    words, page = memoryview(bytearray(RUN * WORD.size)), memoryview(bytearray(page_size))
    parts = [page] * (2 * RUN - 1)
    parts[::2] = [words[start : start + WORD.size] for start in range(0, len(words), WORD.size)]
    for _ in range(count):
        source.read_parts(at, parts)
        found = array("Q", words.tobytes())
        if sys.byteorder == "little":
            found.byteswap()
        yield found
        at += 2 * length


def _matching(words: array[int], word: int, page_size: int) -> int:
    """Return how many of the words are of pages that follow each other from `word` on."""
    wanted = array("Q", range(word, word + RUN * page_size, page_size))
    if words == wanted:
        return RUN
    return next(number for number, (one, other) in enumerate(zip(words, wanted, strict=True)) if one != other)
