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
        self._text: str = safe(text)
        self._shorter: str = self._text
        self._ends: tuple[str, ...] = ()

    def set_text(self, text: str, *ends: str, shorter: str | None = None) -> None:
        """Show a text, or a `shorter` one where it has no room, and at the right the first of `ends` that has room."""
        old = self._drawn()
        self._text, self._ends = safe(text), tuple(map(safe, ends))
        self._shorter = self._text if shorter is None else safe(shorter)
        changed = [at for at, (a, b) in enumerate(zip(old, self._drawn(), strict=True)) if a != b]
        if changed:
            self.refresh(Region(changed[0], 0, changed[-1] + 1 - changed[0], 1))

    def render_line(self, y: int) -> Strip:
        return Strip([Segment(self._drawn(), self.rich_style)], self.size.width)

    def _drawn(self) -> str:
        """Return the whole line as it is on the screen; an end that comes or goes changes cells after the text."""
        width = max(self.size.width - len(self.sign), 0)
        text = self._text if len(self._text) <= width else self._shorter
        text = text if len(text) <= width else text[: width - 2] + ".."
        end = next((end for end in self._ends if end and len(text) + 2 + len(end) <= width), "")
        text = text.ljust(width - len(end)) + end
        return self.sign + text[:width].ljust(width)
