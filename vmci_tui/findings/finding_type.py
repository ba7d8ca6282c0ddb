"""What the catalogue says of one kind of finding."""

from __future__ import annotations

from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "info"]


class Kind(NamedTuple):
    """One kind of finding."""

    severity: Severity
    """As a rule; a check may know better."""
    what: str
    why: str
    example: str
    cure: str
