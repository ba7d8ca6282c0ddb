"""The bytes that something is about."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Span(NamedTuple):
    """Offset and length in the dump, or in the entry."""

    offset: int
    length: int
    of: Literal["file", "entry"] = "file"
