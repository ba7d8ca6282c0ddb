"""The list of bookmarks."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static

from vmci_tui.document.byte_map import Places
from vmci_tui.tui.session import Session
from vmci_tui.tui.style.cells import plain
from vmci_tui.tui.widgets.dialogs import Dialog
from vmci_tui.tui.widgets.line_list import LineList


class BookmarkList(Dialog[int | None]):
    """Ends with the offset to go to, or None."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    BookmarkList #bookmarks { height: auto; min-height: 3; max-height: 14; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go", "Go there", tooltip="Go to this place", id="bookmarks.go"),
        Binding("d", "drop", "Delete", tooltip="Remove this bookmark", id="bookmarks.drop"),
        Binding("escape,B,q", "dismiss(None)", "Back", id="dialog.cancel"),
    ]

    def __init__(self, session: Session, places: Places | None) -> None:
        """`places` have the label of each bookmark's place."""
        super().__init__()
        self.session, self._places, self._rows = session, places, session.bookmarked_places()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(plain("Bookmarks of this file"), classes="title")
            yield LineList(id="bookmarks", empty="no bookmarks: press b in the hex view to set one at the cursor")
            yield Static(plain("Enter goes there, d deletes, ESC cancels"), classes="hint", id="hint")
            with Horizontal(classes="buttons"):
                yield Button("Go there", id="ok", variant="primary", compact=True)
                yield Button("Delete", id="drop", compact=True)
                yield Button("Close", id="cancel", compact=True)

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
            self.session.remove_bookmark(self._rows.pop(at)[1])
            self._show()

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)
