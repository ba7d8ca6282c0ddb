"""The pane with the meaning of a key."""

from __future__ import annotations

import textwrap
from typing import Final

from textual.containers import VerticalScroll
from textual.widgets import Static

from vmci_tui.common.safe_text import visible
from vmci_tui.formats.vmcoreinfo import Line
from vmci_tui.kernel.lines.proved_line import ProvedLine
from vmci_tui.render.kernel.proof_report import line_words
from vmci_tui.render.key_report import explained
from vmci_tui.tui.style.cells import plain

_KEY_SHOWN: Final = 40
"""Characters of a key in the title."""
_INDENT: Final = 14
"""Cells in front of the text of a line: those of its label."""


class About(VerticalScroll):
    """What a key means, which readers use it, and what goes wrong without it."""

    def __init__(self) -> None:
        self._words = Static(id="about-text")
        super().__init__(self._words, id="about")
        self._lines: tuple[str, ...] = ()

    def explain(self, line: Line | None, proof: ProvedLine | None) -> None:
        """Show the meaning of the key of a line, and what memory says of the line; None for no line, or nothing."""
        lines = explained(line.key, line.value) if line is not None and line.key else ()
        lines = lines or ("Linux writes no key like this one",)
        self._lines = lines if proof is None else (*lines[:1], line_words(proof), *lines[1:])
        key = visible(line.key)[:_KEY_SHOWN] if line is not None and line.key else "a line without a key"
        self.border_title = plain(f"Explain: {key} (i or Esc closes)")
        self.on_resize()
        self.scroll_home(animate=False)

    def on_resize(self) -> None:
        """Wrap the lines below their own text."""
        width = max(self.scrollable_content_region.width, _INDENT + 1)
        wrapped = (textwrap.wrap(line, width, subsequent_indent=" " * _INDENT) or [""] for line in self._lines)
        self._words.update(plain("\n".join(line for lines in wrapped for line in lines)))
