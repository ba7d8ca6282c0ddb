"""A line of the text, as a reader takes it apart."""

from __future__ import annotations

from typing import NamedTuple


class TextLine(NamedTuple):
    """A line that a reader uses."""

    key: bytes
    value: bytes
    """As far as the reader takes it."""
    offset: int
    """In the text."""
    length: int
    """Of the whole line without its newline."""
