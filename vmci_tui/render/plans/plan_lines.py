"""Lines of a plan, each with its kind, wrapped to the width of the screen."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from vmci_tui.common.safe_text import safe

Kind = Literal["title", "value", "good", "error", "warning", "dim"]


class PlanLine(NamedTuple):
    """A line of text; if it is wrapped, its next lines begin below column `hang`."""

    text: str
    kind: Kind = "value"
    hang: int = 0


EMPTY = PlanLine("")


def wrapped(lines: Iterable[PlanLine], width: int) -> Iterator[PlanLine]:
    """Yield the lines in at most `width` cells each; nothing is cut."""
    for line in lines:
        parts = textwrap.wrap(
            safe(line.text),
            max(width, line.hang + 8),
            subsequent_indent=" " * line.hang,
            drop_whitespace=True,
            break_on_hyphens=False,
        )
        for part in parts or [""]:
            yield line._replace(text=part)
