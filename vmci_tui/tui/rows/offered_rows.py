"""The rows of the keys pane for a text that the dump does not have yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmci_tui.changes.matching import Kind, Matching
from vmci_tui.common.span import Span
from vmci_tui.formats.vmcoreinfo import Line
from vmci_tui.tui.rows.key_rows import KeyRows, Known
from vmci_tui.tui.style.cells import Row

if TYPE_CHECKING:
    from vmci_tui.verdict.offered_text import OfferedText


class OfferedRows(KeyRows):
    """The lines of the text, each marked as new; none of them can be edited."""

    def __init__(self, offered: OfferedText, wanted: str = "") -> None:
        super().__init__(None)
        self._start = offered.start
        count = len(offered.text.lines) if offered.text is not None else 0
        kinds: dict[int, Kind] = dict.fromkeys(range(count), "added")
        self._new = KeyRows(offered.text, wanted, Matching(kinds, {}, {}))
        self.summary = f"{count} lines, not in the file yet" if count else "none"

    def fit(self, width: int, known: Known | None = None) -> None:
        self._new.fit(width, known)

    @property
    def header(self) -> Row:
        return self._new.header

    def __len__(self) -> int:
        return len(self._new)

    def row(self, index: int) -> Row:
        return self._new.row(index)

    def locked(self, index: int) -> str:
        return "these lines are not in the file yet: R puts them back"

    def shown_line(self, index: int) -> Line | None:
        return self._new.line(index)

    def place(self, index: int) -> Span | None:
        line = self._new.lines[index]
        return None if self._start is None else Span(self._start + line.offset, len(line.raw))
