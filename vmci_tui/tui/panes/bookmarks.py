"""The list of bookmarks."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Button

from vmci_tui.document.byte_map import Places
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.session import Session
from vmci_tui.tui.widgets.dialogs import Dialog, buttons, title_line
from vmci_tui.tui.widgets.line_list import LineList


class BookmarkList(Dialog[int | None]):
    """Ends with the offset to go to, or None."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    BookmarkList #bookmarks { height: auto; min-height: 3; max-height: 14; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "go", "Go there", "Go to this place", "bookmarks.go"),
        bind("d", "drop", "Delete", "Remove this bookmark", "bookmarks.drop"),
        Binding("escape,B,q", "cancel", "Close", id="dialog.cancel"),
    ]

    def __init__(self, session: Session, places: Places | None) -> None:
        """`places` have the label of each bookmark's place."""
        super().__init__()
        self.session, self._places, self._rows = session, places, session.bookmarks.places(session.document.layout)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield title_line("Bookmarks of this file")
            yield LineList(id="bookmarks", empty="no bookmarks: press b in the hex view to set one at the cursor")
            yield buttons(("ok", "Go there"), ("drop", "Delete"), ("cancel", "Close"))

    def on_mount(self) -> None:
        super().on_mount()
        self._show()
        self.query_one("#bookmarks").focus()

    def _show(self) -> None:
        places = self._places
        rows = [
            ((f"{bookmark:<20} ", "key"), (places.at(offset).label if places else "", "value"))
            for offset, bookmark in self._rows
        ]
        self.query_one("#bookmarks", LineList).set_rows(rows)

    @on(LineList.Chosen, "#bookmarks")
    @on(Button.Pressed, "#ok")
    def action_go(self) -> None:
        at = self.query_one("#bookmarks", LineList).cursor
        if at < len(self._rows):
            self.dismiss(self._rows[at][0])

    @on(Button.Pressed, "#drop")
    def action_drop(self) -> None:
        at = self.query_one("#bookmarks", LineList).cursor
        if at < len(self._rows):
            self.session.bookmarks.remove(self._rows.pop(at)[1])
            self._show()
