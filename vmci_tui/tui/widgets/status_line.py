"""One line of text that changes at each key; only changed cells are painted.

A `Static` would lay out the screen again at each update and paint all 200 cells.
"""

from __future__ import annotations

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip

from vmci_tui.tui.guarded import GuardedWidget
from vmci_tui.tui.style.cells import safe


class StatusLine(GuardedWidget):
    """A line of text, cut at its end if it is too long."""

    sign = ""
    """Prefix drawn before the text."""

    def __init__(self, text: str = "", *, id: str) -> None:
        super().__init__(id=id)
        self._text = safe(text)
        self._end = ""

    def set_text(self, text: str, end: str = "") -> None:
        """Show a text, and `end` at the right if there is room for both."""
        if end != self._end:
            self._end = end
            self.refresh()
        old, new = self._text, safe(text)
        self._text = new
        same = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        if same < max(len(old), len(new)):
            self.refresh(Region(len(self.sign) + same, 0, max(len(old), len(new)) - same, 1))

    def render_line(self, y: int) -> Strip:
        width = self.size.width - len(self.sign)
        text = self._text if len(self._text) <= width else self._text[: width - 2] + ".."
        end = safe(self._end)
        if end and len(text) + 2 + len(end) <= width:
            text = text.ljust(width - len(end)) + end
        return Strip([Segment(self.sign + text.ljust(width), self.rich_style)], self.size.width)
