"""The report of a header that only one kind of dump has."""

from __future__ import annotations

from typing import Any, NamedTuple


class HeaderReport(NamedTuple):
    """A header as JSON and as lines of text."""

    values: dict[str, Any]
    """By names that programs rely on; offsets are in the plain file, also for a flattened one."""
    editable: tuple[str, ...]
    """The fields that can be edited, one a line."""
    fixed: tuple[str, ...]
    """All other fields, one a line."""
