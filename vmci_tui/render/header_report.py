"""What is shown of a header that only one kind of dump has."""

from __future__ import annotations

from typing import Any, NamedTuple


class HeaderReport(NamedTuple):
    """The header as JSON and as lines of text."""

    values: dict[str, Any]
    """By the names that programs follow; the offsets count in the plain file, also where it is flattened."""
    editable: tuple[str, ...]
    """The fields that can be edited, one a line."""
    fixed: tuple[str, ...]
    """All the others."""
