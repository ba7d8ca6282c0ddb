"""The tabs of the narrow screen."""

from __future__ import annotations

from textual import events
from textual.app import RenderResult
from textual.content import Content
from textual.message import Message

from vmci_tui.tui.guarded import GuardedWidget


class PaneBar(GuardedWidget):
    """One tab for each pane; the active one is reversed."""

    class Picked(Message):
        """The user clicked a tab."""

        def __init__(self, pane: str) -> None:
            self.pane = pane
            super().__init__()

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._tabs: tuple[tuple[str, str], ...] = ()
        self._active = ""
        self.pointed = ""

    def show(self, tabs: tuple[tuple[str, str], ...], active: str) -> None:
        """Show tabs, each as (pane, label)."""
        if (tabs, active) != (self._tabs, self._active):
            self._tabs, self._active = tabs, active
            self.refresh()

    def point(self, pane: str) -> None:
        """Underline the tab that a lesson points at."""
        if pane != self.pointed:
            self.pointed = pane
            self.refresh()

    def _style(self, pane: str) -> str:
        pointed = " underline $warning" if pane == self.pointed else ""
        return ("reverse bold" if pane == self._active else "") + pointed

    def render(self) -> RenderResult:
        gap = self._gap
        return Content.assemble(*((f" {label}{gap}", self._style(pane)) for pane, label in self._tabs))

    @property
    def _gap(self) -> str:
        """Return what is between two tabs; nothing where there is no room for it."""
        return " " if sum(len(label) + 2 for _, label in self._tabs) <= self.size.width else ""

    def on_click(self, event: events.Click) -> None:
        at = 0
        for pane, label in self._tabs:
            at += len(label) + 1 + len(self._gap)
            if event.x < at:
                self.post_message(self.Picked(pane))
                return
