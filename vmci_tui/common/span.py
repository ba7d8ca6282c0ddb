"""The bytes that something is about."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Span(NamedTuple):
    """Offset and length in the dump, or in the entry."""

    offset: int
    length: int
    of: Literal["file", "entry"] = "file"

    def through(self, last: Span) -> Span:
        """Return all bytes from the first of this one through those of another one behind it."""
        return self._replace(length=last.offset + last.length - self.offset)
