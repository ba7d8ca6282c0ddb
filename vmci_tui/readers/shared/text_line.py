"""A line of the text, as a reader splits it."""

from __future__ import annotations

from typing import NamedTuple


class TextLine(NamedTuple):
    """A line that a reader uses."""

    key: bytes
    value: bytes
    """The part of the value that the reader reads."""
    offset: int
    """The line's offset in the text."""
    length: int
    """The length of the whole line without its newline."""
