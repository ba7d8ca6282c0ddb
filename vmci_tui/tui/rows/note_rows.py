"""The rows of the table of notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vmci_tui.changes.matching import Matching
from vmci_tui.document.note_table import NoteLine
from vmci_tui.tui.rows.change_signs import SIGN_CELLS, signs
from vmci_tui.tui.style.cells import LazyRows, Row

_LONGEST: Final = 22
"""Cells of the widest name and type; longer ones are cut with a mark."""


class NoteRows(LazyRows):
    """A row for each note; the columns are as wide as the notes need."""

    def __init__(self, lines: Sequence[NoteLine], changed: Matching | None = None) -> None:
        self.lines = lines
        self._changed = changed
        self._digits = max(len(str(len(lines) - 1)), 1)
        self._name = _width([line.name for line in lines], "name")
        self._kind = _width([line.kind for line in lines], "type")

    @property
    def header(self) -> Row:
        """Return the names of the columns; () without notes."""
        if not self.lines:
            return ()
        names = f"{'#':>{self._digits}} {'name':<{self._name}} {'type':<{self._kind}} CPU  length  offset"
        return ((" " * SIGN_CELLS if self._changed else "", "dim"), (names, "title"))

    def __len__(self) -> int:
        return len(self.lines)

    def row(self, index: int) -> Row:
        line = self.lines[index]
        cpu = "" if line.cpu is None else str(line.cpu)
        return (
            *signs(self._changed, index, len(self.lines)),
            (f"{index:>{self._digits}} ", "dim"),
            (f"{_cut(line.name, self._name)} ", "good" if line.chosen else "key"),
            (f"{_cut(line.kind, self._kind)} ", "value"),
            (f"{cpu:>3} {line.length:>7}  {line.span.offset:#x}", "value"),
            (f"  {line.broken}" if line.broken else "", "error"),
        )


def _width(texts: Sequence[str], title: str) -> int:
    return min(max((len(text) for text in (*texts, title)), default=0), _LONGEST)


def _cut(text: str, width: int) -> str:
    return text.ljust(width) if len(text) <= width else f"{text[: width - 2]}.."
