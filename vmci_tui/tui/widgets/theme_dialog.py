"""The list of themes: the one under the cursor is shown at once, Enter keeps it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from vmci_tui.tui.bindings import bind
from vmci_tui.tui.widgets.dialogs import Dialog, title_line
from vmci_tui.tui.widgets.line_list import LineList


class ThemeDialog(Dialog[None]):
    """Ends with the chosen theme in use, or with the one before."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    ThemeDialog { background: transparent; }
    ThemeDialog .dialog { width: 34; }
    ThemeDialog #themes { height: auto; max-height: 16; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "keep", "Keep", "Use this theme, also at the next start", "theme.keep"),
        bind("escape,q", "cancel", "Cancel", "Go back to the theme before", "theme.cancel"),
    ]

    def __init__(self, keep: Callable[[], None]) -> None:
        """`keep` stores the theme that is shown."""
        super().__init__()
        self._keep = keep
        self._before = self.app.theme
        self._names = sorted(self.app.available_themes)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield title_line("Themes")
            yield LineList(id="themes")

    def on_mount(self) -> None:
        listed = self.query_one("#themes", LineList)
        marks = (("* " if name == self._before else "  ", name) for name in self._names)
        listed.set_rows([((mark, "good"), (name, "value")) for mark, name in marks])
        listed.select(self._names.index(self._before))
        listed.focus()

    @on(LineList.Moved, "#themes")
    def _show(self, event: LineList.Moved) -> None:
        self.app.theme = self._names[event.index]

    @on(LineList.Chosen, "#themes")
    def action_keep(self) -> None:
        self._keep()
        self.dismiss()

    def action_cancel(self) -> None:
        self.app.theme = self._before
        self.dismiss()
