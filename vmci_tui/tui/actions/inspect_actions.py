"""What stands under the cursor of the hex view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical

from vmci_tui.document.byte_map import Place
from vmci_tui.document.document import Document
from vmci_tui.tui.actions.navigate_actions import WayActions
from vmci_tui.tui.panes.panes import HexPane
from vmci_tui.tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from vmci_tui.tui.panes.inspector import Inspector


class InspectActions(WayActions):
    """What stands under the cursor of the hex view: the status line, and the inspector."""

    _inspector: Inspector | None = None

    def show_place(self) -> None:
        """The status line: where the cursor is, and in which field; where there is room, in which file."""
        view, line = self.query_one(HexPane), self.query_one("#status", StatusLine)
        line.tell(view.selected or place_text(self.document, view.cursor, view.place()), self.file_text())
        self.inspect()

    async def action_inspect(self) -> None:
        """Show or hide the inspector, below the hex view."""
        if self._inspector is not None:
            if self._inspector.has_focus:
                self.query_one(HexPane).focus()
            gone, self._inspector = self._inspector, None
            await gone.remove()  # or a new one, of the same name, would meet it
            self.remove_class("inspecting")
            return
        from vmci_tui.tui.panes.inspector import Inspector

        self._inspector = pane = Inspector(id="inspector", empty="no bytes")
        pane.border_title = "Inspector"
        self.query_one("#right", Vertical).mount(pane, after="#hex")
        self.add_class("inspecting")
        if self.has_class("-narrow"):
            self.action_pane("hex")
        self.call_after_refresh(self._inspect_first)

    def _inspect_first(self) -> None:
        """Once the inspector has its place; Textual tells the hex view nothing of its own that is smaller now."""
        self.query_one(HexPane).on_resize()
        self.inspect()

    def inspect(self) -> None:
        """Show the byte under the cursor, where the inspector is shown."""
        if self._inspector is None:
            return
        from vmci_tui.document.inspected_bytes import inspect_at

        view = self.query_one(HexPane)
        found = inspect_at(self.document, view.places, view.cursor) if view.places is not None else None
        self._inspector.show(found)

    def action_follow(self) -> None:
        number = self._inspector.number() if self._inspector is not None else None
        if number is None:
            self.say("put the cursor on a number", "warning")
            return
        offset = self.document.layout.memory.offset_of(number)
        if offset is None:
            self.say(f"the dump holds no byte at paddr {number:#x}", "warning")
        else:
            self._arrive(offset, 1)


def place_text(document: Document, at: int, place: Place | None) -> str:
    """Where a byte is: both addresses in hex and decimal, and its field."""
    if place is None:
        return "no bytes"
    paddr = document.layout.memory.paddr_of(at)
    where = f"  paddr {paddr:#x} = {paddr}" if paddr is not None else ""
    return f"offset {at:#x} = {at}{where}  {place.label} ({place.length} bytes)"
