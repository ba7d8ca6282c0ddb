"""The pane that explains what is under the cursor of the pane with the focus."""

from __future__ import annotations

import textwrap
from typing import Final

from textual.containers import VerticalScroll
from textual.widgets import Static

from vmci_tui.render.explained.explanation import LABEL, Explanation
from vmci_tui.tui.style.cells import plain

_INDENT: Final = LABEL + 2
"""Cells in front of the text of a line: those of its label."""


class About(VerticalScroll):
    """What a key, a finding, a reader, a note, a field or a byte is, and what goes wrong without it."""

    def __init__(self) -> None:
        self._words = Static(id="about-text")
        super().__init__(self._words, id="about")
        self._shown = Explanation("", ())

    def explain(self, what: Explanation) -> None:
        """Show an explanation, from its top unless it is shown already."""
        if what != self._shown:
            self._shown = what
            self.border_title = plain(f"Explain: {what.title} (i or Esc closes)")
            self.on_resize()
            self.scroll_home(animate=False)

    def on_resize(self) -> None:
        """Wrap the lines below their own text."""
        width = max(self.scrollable_content_region.width, _INDENT + 1)
        wrapped = (textwrap.wrap(line, width, subsequent_indent=_indent(line)) or [""] for line in self._shown.lines)
        self._words.update(plain("\n".join(line for lines in wrapped for line in lines)))


def _indent(line: str) -> str:
    return " " * _INDENT * line.startswith(" ")
