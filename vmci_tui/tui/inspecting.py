"""The data inspector: the bytes at the cursor of the hex view as numbers and text."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from vmci_tui.core.document import Document
from vmci_tui.core.inspect_bytes import HEAD, Inspected, inspect_at, inspected_lines
from vmci_tui.core.places import Place
from vmci_tui.tui.finding_way import WayActions
from vmci_tui.tui.linelist import LineList
from vmci_tui.tui.panes import HexPane
from vmci_tui.tui.statusline import StatusLine

_STYLES = {1: "key", 3: "dim"}
"""Of the lines that are no plain values."""


class Inspector(LineList):
    """Follows the cursor of the hex view; Enter goes where the number under its own cursor points."""

    about = "The bytes at the cursor of the hex view as numbers of each width and order, and as text."
    SCOPED_CSS = False
    DEFAULT_CSS = """
    #inspector { height: 13; border: round $surface-lighten-2; border-title-color: $text-muted; }
    #inspector:focus { border: round $accent; border-title-color: $accent; border-title-style: bold; }
    .-narrow #inspector { display: none; }
    .-narrow.show-hex #inspector { display: block; }
    .inspecting #findings-pane { display: none; }
    .-wide.inspecting #findings-pane { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.follow", "Follow", tooltip="Go to the paddr that this number says", id="follow"),
    ]
    inspected: Inspected | None = None

    def show(self, item: Inspected | None) -> None:
        """Show what stands at a byte; None where there is none."""
        self.inspected = item
        lines = inspected_lines(item) if item is not None else ()
        self.set_rows([((line, _STYLES.get(at, "value")),) for at, line in enumerate(lines)])

    def number(self) -> int | None:
        """The unsigned number under the cursor."""
        item, at = self.inspected, self.cursor - HEAD
        return item.numbers[at].unsigned if item is not None and 0 <= at < len(item.numbers) else None


class InspectActions(WayActions):
    """What stands under the cursor of the hex view: the status line, and the inspector."""

    def show_place(self) -> None:
        """The status line: where the cursor is, and in which field; where there is room, in which file."""
        view, line = self.query_one(HexPane), self.query_one("#status", StatusLine)
        line.tell(place_text(self.document, view.cursor, view.place()), self.file_text())
        self.inspect()

    def file_text(self) -> str:
        document = self.document
        state = "modified" if document.unsaved else "edits saved" if document.modified else "not modified"
        return f"{document.name}  {document.container}  {state}"

    def action_inspect(self) -> None:
        """Show or hide the inspector, below the hex view."""
        if shown := self.query(Inspector):
            shown.remove()
            self.remove_class("inspecting")
            self.query_one(HexPane).focus()
            return
        pane = Inspector(id="inspector", empty="no bytes")
        pane.border_title = "Inspector"
        self.query_one("#right", Vertical).mount(pane, after="#hex")
        self.add_class("inspecting")
        self.query_one(HexPane).focus()
        self.call_after_refresh(self.inspect)

    def inspect(self) -> None:
        """Show the byte under the cursor, where the inspector is shown."""
        view = self.query_one(HexPane)
        for pane in self.query(Inspector):
            pane.show(inspect_at(self.document, view.places, view.cursor) if view.places is not None else None)

    def action_follow(self) -> None:
        pane = self.query_one(Inspector)
        number = pane.number()
        if number is None:
            self.say("put the cursor on a number", "warning")
            return
        offset = self.document.layout.memory.offset_of(number)
        if offset is None:
            self.say(f"the dump holds no byte at paddr {number:#x}", "warning")
        else:
            self._arrive(offset, 1)

    @on(Inspector.Chosen, "#inspector")
    def _followed(self) -> None:
        self.action_follow()


def place_text(document: Document, at: int, place: Place | None) -> str:
    """Where a byte is: both addresses in hex and decimal, and its field."""
    if place is None:
        return "no bytes"
    paddr = document.layout.memory.paddr_of(at)
    where = f"  paddr {paddr:#x} = {paddr}" if paddr is not None else ""
    return f"offset {at:#x} = {at}{where}  {place.label} ({place.length} bytes)"
