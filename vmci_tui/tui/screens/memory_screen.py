"""Guest-physical memory in a hex view, of an ELF dump or of a kdump file with its compressed pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.screen import Screen

from vmci_tui.common.errors import EditError
from vmci_tui.document.document import Document
from vmci_tui.formats.fw_cfg_entry import parse_number
from vmci_tui.render.tables.memory_places import MemoryPlace
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.guarded import Guarded
from vmci_tui.tui.panes.copy import copy, copy_as
from vmci_tui.tui.panes.hex import SEARCH_BINDINGS, BytesPane
from vmci_tui.tui.prompts import say
from vmci_tui.tui.style.cells import Row
from vmci_tui.tui.widgets.hex_view import SELECT_BINDINGS
from vmci_tui.tui.widgets.key_footer import KeyFooter
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.status_line import StatusLine


class MemoryPane(BytesPane):
    """Memory by paddr, which cannot be edited."""

    most_per_row = 32
    goto_hint = "a guest-physical address (0x1958000)"
    BINDINGS: ClassVar[list[BindingType]] = [*SEARCH_BINDINGS, *SELECT_BINDINGS]

    def offset_of(self, typed: str) -> int:
        paddr = parse_number(typed.strip().lower().removeprefix("p").removeprefix("addr").strip(" ="))
        if self.document.layout.memory.range_at(paddr) is None:
            raise EditError(f"paddr {paddr:#x} is not in this dump", "use + and - to go from range to range")
        return paddr


class MemoryScreen(Guarded, Screen[None]):
    """Shows the guest memory of a dump."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    MemoryScreen #hex { height: 1fr; border: round $surface-lighten-2; }
    MemoryScreen #places { width: 40; height: 1fr; border: round $surface-lighten-2; }
    MemoryScreen #hex:focus, MemoryScreen #places:focus { border: round $accent; border-title-color: $accent; }
    MemoryScreen.-narrow #places { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("plus", "range(1)", "Next range", "Go to the next range of memory", "memory.next"),
        bind("minus", "range(-1)", "Previous", "Go to the previous range of memory", "memory.previous"),
        bind("c", "copy", "Copy", "Copy what is selected, or the row"),
        bind("C", "copy_as", "Copy as", "Copy as hex, C, Python or JSON"),
        bind("escape,M,q", "leave_memory", "Back", "Stop the search, or go back", "memory.back"),
    ]

    def __init__(self, document: Document, places: Sequence[MemoryPlace], paddr: int | None) -> None:
        """`document` comes from `memory_document`; `paddr` is where to begin, None: at the first of the places."""
        super().__init__(classes="show-hex")  # at 80 columns only the named pane is shown
        self.document, self._places = document, places
        self._start = next((place.paddr for place in places), 0) if paddr is None else paddr

    def compose(self) -> ComposeResult:
        yield StatusLine(f" Guest memory of {self.document.name}, by paddr", id="title")
        with Horizontal():
            yield LineList(id="places")
            yield MemoryPane(self.document)
        yield StatusLine("", id="status")
        yield KeyFooter()

    def on_mount(self) -> None:
        view = self.query_one(MemoryPane)
        view.border_title = "Memory"
        view.show_state()
        listed = self.query_one("#places", LineList)
        listed.border_title = "Places (Tab)"
        listed.set_rows([_row(place) for place in self._places])
        view.focus()
        self.call_after_refresh(view.arrive, self._start)

    @on(LineList.Moved, "#places")
    @on(LineList.Chosen, "#places")
    def _go_to_place(self, event: LineList.Moved) -> None:
        """Show the place under the cursor."""
        place = self._places[event.index]
        self.query_one(MemoryPane).arrive(place.paddr, 1 if place.range else max(place.length, 1))

    @on(BytesPane.Moved)
    @on(BytesPane.SearchEnded)
    def _show_place(self) -> None:
        """Show the address and its range in the status line."""
        view = self.query_one(MemoryPane)
        at = view.cursor
        item = self.document.layout.memory.range_at(at)
        where = f"in {item.paddr:#x} to {item.end:#x}" if item else "not in the dump: shown as zeros"
        self.query_one("#status", StatusLine).set_text(view.selected or f"paddr {at:#x} = {at}  {where}")

    def action_copy(self) -> None:
        copy(self)

    def action_copy_as(self) -> None:
        copy_as(self)

    def action_range(self, by: int) -> None:
        """Go to the start of the next or previous range of memory."""
        ranges, view = self.document.layout.memory.ranges, self.query_one(MemoryPane)
        starts = [item.paddr for item in ranges]
        further = [start for start in starts if (start > view.cursor if by > 0 else start < view.cursor)]
        wanted = (min(further) if by > 0 else max(further)) if further else None
        if wanted is None:
            say(self, f"there is no {'next' if by > 0 else 'previous'} range")
        else:
            view.arrive(wanted)

    def action_leave_memory(self) -> None:
        if not self.query_one(MemoryPane).stop_search():
            self.dismiss()


def _row(place: MemoryPlace) -> Row:
    return (f"{place.paddr:#014x}  ", "key"), (place.name, "dim" if place.range else "good")
