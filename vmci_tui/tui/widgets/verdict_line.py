"""The verdicts of all readers as one line, for dialogs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.strip import Strip

from vmci_tui.tui.style.cell_styles import line_styles
from vmci_tui.tui.style.cells import Row, strip_of
from vmci_tui.tui.widgets.status_line import StatusLine
from vmci_tui.tui.widgets.verdict_strip import strip_cells

if TYPE_CHECKING:
    from vmci_tui.readers.verdicts import VerdictPair


class VerdictLine(StatusLine):
    """Every reader's verdict on the typed text."""

    _row: Row = ()

    def show(self, both: VerdictPair | None, instead: str = "") -> None:
        """Show verdicts, or a word if there are none."""
        row: Row = ((instead, "dim"),) if instead else ()
        if both is not None:
            row = tuple(cell for _, cells in strip_cells(both, self.size.width) for cell in cells)
        if row != self._row:
            self._row = row
            self.refresh()

    def render_line(self, y: int) -> Strip:
        return strip_of(self._row, self.size.width, line_styles(self.app), self.rich_style)
