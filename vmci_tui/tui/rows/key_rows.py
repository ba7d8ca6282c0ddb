"""The rows of the note's text: a line's number, key and value."""

from __future__ import annotations

from vmci_tui.changes.matching import Matching
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.common.span import Span
from vmci_tui.formats.vmcoreinfo import Line, Vmcoreinfo
from vmci_tui.tui.rows.change_signs import SIGN_CELLS, signs
from vmci_tui.tui.style.cells import LazyRows, Row

_LONGEST = 4096
"""Cells of a value that are built; no terminal is wider."""


class KeyRows(LazyRows):
    """The lines of the text that pass the filter."""

    title = "Note text"
    summary = "none"
    """The pane's subtitle if the note has no text."""

    def __init__(self, text: Vmcoreinfo | None, wanted: str = "", changed: Matching | None = None) -> None:
        self.text = text
        self._changed = changed
        lines = text.lines if text else ()
        needle = wanted.lower().encode("ascii", "replace")
        self.lines: tuple[Line, ...] = (
            lines if not needle else tuple(line for line in lines if needle in line.raw.lower())
        )
        self._twice = {key for key, _ in text.duplicates} if text else set()
        self._longest = max((len(line.key or b"") for line in self.lines[:2000]), default=0)
        self._digits = len(str(len(lines)))
        self._width = 40

    def fit(self, width: int) -> None:
        """Share `width` cells between keys and values; keys get three fifths at most."""
        self._width = min(self._longest, max((width - self._digits - SIGN_CELLS) * 3 // 5, 12))

    def __len__(self) -> int:
        return len(self.lines)

    def row(self, index: int) -> Row:
        line = self.lines[index]
        number = f"{line.number:>{self._digits}} "
        head = signs(self._changed, line.number - 1, len(self.text.lines) if self.text else 0)
        if line.key is None:
            return (
                *head,
                (number, "dim"),
                (visible(line.body[:_LONGEST]) or "(empty line)", "error"),
                ("  no key=value", "dim"),
            )
        style = "warning" if line.key in self._twice else "key"
        key = visible(line.key[:_LONGEST])
        if len(key) > self._width:
            key = Safe(key[: self._width - 2] + "..")
        value = visible((line.value or b"")[:_LONGEST])
        return *head, (number, "dim"), (f"{key:<{self._width}} ", style), (value, "value")

    def part(self, index: int) -> Span | None:
        """Return the bytes of the descriptor that a row is about; None for a line of the text."""
        return None

    def index_of(self, number: int) -> int | None:
        """Return the row of line `number` of the text; None if the filter hides it."""
        low, high = 0, len(self.lines)
        while low < high:
            middle = (low + high) // 2
            if self.lines[middle].number < number:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self.lines) and self.lines[low].number == number else None
