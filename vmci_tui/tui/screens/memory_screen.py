"""Guest-physical memory in a hex view, and a list of places in it; also of compressed pages of a kdump file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.screen import Screen

from vmci_tui.common.errors import EditError
from vmci_tui.containers.guest import guest_of
from vmci_tui.document.memory_document import memory_document
from vmci_tui.formats.fw_cfg_entry import parse_number
from vmci_tui.proof.landmarks import Landmark, landmarks
from vmci_tui.render.kernel.address_words import place_words
from vmci_tui.render.tables.memory_places import Known, MemoryPlace, memory_places
from vmci_tui.tui.bindings import SELECT, bind
from vmci_tui.tui.guarded import Guarded, stands
from vmci_tui.tui.host import host
from vmci_tui.tui.panes.copy import copy, copy_as
from vmci_tui.tui.panes.hex import SEARCH_BINDINGS, BytesPane
from vmci_tui.tui.prompts import say
from vmci_tui.tui.style.cells import Row
from vmci_tui.tui.widgets.key_footer import KeyFooter
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from vmci_tui.adoption.kernel_facts import KernelFound
    from vmci_tui.common.budget import Budget
    from vmci_tui.document.document import Document
    from vmci_tui.tui.session import Session

_DOUBLE: Final = 186
"""Cells of a screen with room for 32 bytes in a row beside the list of places."""
_PATIENCE: Final = 0.05
"""Seconds that opening the screen waits for the places that memory must prove first."""
_DETAILED: Final = 160
"""Cells of a screen on which the list of places has room for what else is known of each."""


class MemoryPane(BytesPane):
    """Memory by paddr, which cannot be edited."""

    most_per_row = 32
    goto_hint = "a guest-physical address (0x1958000)"
    BINDINGS: ClassVar[list[BindingType]] = [*SEARCH_BINDINGS, *SELECT]

    def offset_of(self, typed: str) -> int:
        paddr = parse_number(typed.strip().lower().removeprefix("p").removeprefix("addr").strip(" ="))
        if self.document.layout.memory.range_at(paddr) is None:
            raise EditError(f"paddr {paddr:#x} is not in this dump", "use + and - to go from range to range")
        return paddr


class MemoryScreen(Guarded, Screen[None]):
    """Shows the guest memory of a dump."""

    SCOPED_CSS = False
    lesson_name = "memory"
    DEFAULT_CSS = """
    MemoryScreen #hex { width: 1fr; height: 1fr; border: round $surface-lighten-2; }
    MemoryScreen #places { width: 40; height: 1fr; border: round $surface-lighten-2; }
    MemoryScreen #hex:focus, MemoryScreen #places:focus { border: round $accent; border-title-color: $accent; }
    MemoryScreen.-wide #places { width: 1fr; }
    MemoryScreen.-wide #hex { width: 80; }
    MemoryScreen.-wide.double #hex { width: 146; }
    MemoryScreen.-narrow #places { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("plus", "range(1)", "Next range", "Go to the next range of memory", "memory.next"),
        bind("minus", "range(-1)", "Previous", "Go to the previous range of memory", "memory.previous"),
        bind("c", "copy", "Copy", "Copy what is selected, or the row"),
        bind("C", "copy_as", "Copy as", "Copy as hex, C, Python or JSON"),
        bind("escape,M,q", "leave_memory", "Back", "Stop the search, or go back", "memory.back"),
    ]

    def __init__(self, document: Document, known: Known, paddr: int | None, kernel: KernelFound | None) -> None:
        """`document` comes from `memory_document`; `paddr` is where to begin, None: at the first of the places.

        `kernel`: its symbols, if they are known.
        """
        super().__init__(classes="show-hex")  # at 80 columns only the named pane is shown
        self.document = document
        self._known, self._paddr, self._kernel = known, paddr, kernel
        self._places: Sequence[MemoryPlace] = ()
        self.know(())

    def know(self, found: Sequence[Landmark]) -> None:
        """Show where in memory the kernel has what the text names."""
        self._places = memory_places(self._known, found)
        if self.is_mounted and stands(self):
            self._show_places()

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
        self.query_one("#places", LineList).border_title = "Places (Tab)"
        self._show_places()
        view.focus()
        start = next((place.paddr for place in self._places), 0) if self._paddr is None else self._paddr
        self.call_after_refresh(view.arrive, start)

    def on_resize(self) -> None:
        self.set_class(self.size.width >= _DOUBLE, "double")
        self._show_places()

    def _show_places(self) -> None:
        detailed = self.size.width >= _DETAILED
        address = max((len(f"{place.paddr:x}") for place in self._places), default=0)
        name = max((len(place.name) for place in self._places), default=0)
        rows = [_row(place, address, name if detailed else 0) for place in self._places]
        self.query_one("#places", LineList).set_rows(rows)

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
        symbols = place_words(self._kernel, self.document, at, at) if item else ""
        self.query_one("#status", StatusLine).set_text(view.selected or f"paddr {at:#x} = {at}{symbols}  {where}")

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


def show_memory(node: DOMNode, session: Session, cursor: int) -> None:
    """Show guest memory at the cursor of the hex view, else at the first place worth a visit: the note in it.

    Where the kernel has what the note's text names is found out in the background: memory must prove it.
    """
    document, ahead = session.document, session.ahead
    dump, history = document.dump, document.state.entry
    if dump is None or not dump.guest_memory.size:
        say(node, "there is no guest memory in this file", "warning")
        return
    candidates = session.candidates or (ahead.candidates if ahead is not None else ())
    memory = document.layout.memory
    bookmarks = session.bookmarks.places(session.document.layout)
    marked = [paddr for offset, _ in bookmarks if (paddr := memory.paddr_of(offset)) is not None]
    known = Known(dump.guest_memory, None if history is None else history.entry, candidates, marked)
    screen = MemoryScreen(memory_document(dump, document.name), known, memory.paddr_of(cursor), session.kernel)
    text = document.state.vmcoreinfo or (candidates[0].candidate.vmcoreinfo if candidates else None)
    if text is not None:

        def find(budget: Budget) -> tuple[Landmark, ...]:
            return landmarks(text, guest_of(dump)._replace(budget=budget))

        host(node).background().ask(find, screen.know, host(node).failed, _PATIENCE)
    node.app.push_screen(screen)


def _row(place: MemoryPlace, address: int, name: int) -> Row:
    """Return the cells of a place; `address` and `name` are the cells of these columns, 0: no detail after the name."""
    cells = (f"{place.paddr:#{address + 2}x}  ", "key"), (place.name.ljust(name), "dim" if place.range else "good")
    return (*cells, (f"  {place.detail}", "dim")) if name and place.detail else cells
