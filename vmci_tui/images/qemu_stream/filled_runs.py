"""Recognise many records of filled pages at once: most pages of most guests are zeros, one after the other."""

from __future__ import annotations

import sys
from array import array
from typing import Final

RECORD: Final = 9
"""Bytes of a record of a filled page, of the same block as the one before: a word, and the byte."""
RUN: Final = 512
"""Records that are compared at a time."""


def is_filled_run(data: bytes, at: int, word: int, page_size: int) -> bool:
    """Return whether RUN records from `at` on are of pages that follow each other, all filled with the same byte.

    `word` is that of the first record. As fast as 6 records one by one.
    """
    end = at + RUN * RECORD
    if end > len(data) or word + RUN * page_size >= 1 << 64:
        return False
    if data[end - RECORD : end - 1] != (word + (RUN - 1) * page_size).to_bytes(8, "big"):
        return False
    words = array("Q", range(word, word + RUN * page_size, page_size))
    if sys.byteorder == "little":
        words.byteswap()
    columns, found = words.tobytes(), data[at:end]
    return found[8::RECORD] == found[8:9] * RUN and all(found[n::RECORD] == columns[n::8] for n in range(8))
