"""A range of bytes in the dump or in the entry."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Span(NamedTuple):
    """Offset and length in the dump, or in the entry."""

    offset: int
    length: int
    of: Literal["file", "entry"] = "file"

    def through(self, last: Span) -> Span:
        """Return the span from the start of this one to the end of a later one."""
        return self._replace(length=last.offset + last.length - self.offset)
