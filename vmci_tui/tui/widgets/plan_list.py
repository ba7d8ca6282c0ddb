"""Lines of a plan that can be scrolled, wrapped to the width there is; it has no cursor."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from vmci_tui.render.plans.plan_lines import Kind, PlanLine, wrapped
from vmci_tui.tui.style.cells import safe

_STYLES: dict[Kind, str] = {
    "title": "bold",
    "value": "",
    "good": "$text-success",
    "error": "$text-error",
    "warning": "$text-warning",
    "dim": "$text-muted",
}


class PlanText(Static):
    """The lines of a plan, in as many rows as they need."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._lines: Sequence[PlanLine] = ()

    def show(self, lines: Sequence[PlanLine]) -> None:
        """Show other lines."""
        self._lines = lines
        self._wrap()

    def on_resize(self) -> None:
        self._wrap()

    def _wrap(self) -> None:
        width = self.scrollable_content_region.width
        if width:
            shown = [(safe(line.text), _STYLES[line.kind]) for line in wrapped(self._lines, width)]
            self.update(Content.assemble(*(part for line in shown for part in (line, "\n"))).rstrip())

    @property
    def text(self) -> str:
        """Return the lines as they are before they are wrapped."""
        return "\n".join(line.text for line in self._lines)


class PlanList(VerticalScroll):
    """The lines of a plan, which can be scrolled."""

    def __init__(self, *, id: str, text_id: str) -> None:
        super().__init__(id=id)
        self._text = PlanText(id=text_id)

    def compose(self) -> ComposeResult:
        yield self._text

    def show(self, lines: Sequence[PlanLine]) -> None:
        """Show other lines."""
        self._text.show(lines)
