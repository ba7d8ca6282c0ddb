"""The structure of the file: its head as a tree, and below it the hex view; each follows the other's cursor."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from vmci_tui.common.safe_text import Safe
from vmci_tui.common.span import Span
from vmci_tui.render.kernel.address_words import pointer_words
from vmci_tui.structure.head import tree_of
from vmci_tui.structure.node import Node
from vmci_tui.tui.bindings import SELECT, bind
from vmci_tui.tui.guarded import Guarded
from vmci_tui.tui.panes.copy import copy, copy_as
from vmci_tui.tui.panes.hex import SEARCH_BINDINGS, BytesPane
from vmci_tui.tui.session import Session
from vmci_tui.tui.widgets.key_footer import KeyFooter
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.status_line import StatusLine
from vmci_tui.tui.widgets.structure_list import StructureList


class StructureBytes(BytesPane):
    """The bytes of the file, which are not edited here."""

    about = "Bytes: the bytes of the file, coloured by kind; the rows above follow the cursor."
    BINDINGS: ClassVar[list[BindingType]] = [*SEARCH_BINDINGS, *SELECT]


class StructureScreen(Guarded, Screen[Span | None]):
    """Ends with the bytes to which the user went; None if the cursor is where it was."""

    SCOPED_CSS = False
    lesson_name = "structure"
    DEFAULT_CSS = """
    StructureScreen #tree { height: 2fr; border: round $surface-lighten-2; }
    StructureScreen #tree:focus { border: round $accent; border-title-color: $accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("c", "copy", "Copy", "Copy the row, or what is selected"),
        bind("C", "copy_as", "Copy as", "Copy as hex, C, Python or JSON"),
        bind("f1,question_mark", "app.toggle_keys", "Help", "Explain the structure and its keys", "structure.help"),
        bind("escape,S,q", "leave", "Back", "Stop the search, or go back to the file, at this field", "structure.back"),
    ]

    def __init__(self, session: Session, offset: int) -> None:
        """`offset` is the byte at which to begin."""
        super().__init__(classes="show-hex")  # at 80 columns only the named pane is shown
        self.document, self._kernel = session.document, session.kernel
        self._start = offset

    def compose(self) -> ComposeResult:
        yield StatusLine(f" Structure of {self.document.name}", id="title")
        yield StructureList(tree_of(self.document), self._symbol_of)
        yield StructureBytes(self.document)
        yield StatusLine("", id="status")
        yield KeyFooter()

    def _symbol_of(self, node: Node) -> Safe:
        """Return the symbol of the kernel that a register holds; empty for other rows."""
        if self._kernel is None or node.kind != "value" or node.length != self._kernel.pointer_size:
            return Safe("")
        return pointer_words(self._kernel, self.document, node.offset)

    def on_mount(self) -> None:
        listed, view = self.query_one(StructureList), self.query_one(StructureBytes)
        listed.border_title, view.border_title = "Structure", "Bytes"
        view.show_state()
        listed.focus()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """Go to the first byte once the hex view has its size."""
        self.query_one(StructureBytes).go(self._start)
        self._show_rows()

    @on(LineList.Moved, "#tree")
    def _show_bytes(self) -> None:
        """Move the hex view to the row."""
        node, view = self.query_one(StructureList).node(), self.query_one(StructureBytes)
        if node is not None:
            view.go(node.offset)
            view.set_highlight(node.offset, node.length)
        self._show_status()

    @on(BytesPane.Moved)
    @on(BytesPane.SearchEnded)
    def _show_rows(self) -> None:
        """Move the rows to the byte under the cursor, and highlight its field."""
        listed, view = self.query_one(StructureList), self.query_one(StructureBytes)
        listed.show_at(view.cursor)
        node = listed.node()
        if node is not None and node.is_leaf and node.offset <= view.cursor < node.end and not view.selected:
            view.set_highlight(node.offset, node.length)
        self._show_status()

    def _show_status(self) -> None:
        listed, view = self.query_one(StructureList), self.query_one(StructureBytes)
        node, at = listed.node(), view.cursor
        words = f"offset {at:#x} = {at}"
        if node is not None and node.offset <= at < node.end:
            words += f"  {listed.names()} ({node.length} byte{'s' * (node.length != 1)})"
        elif (place := view.place()) is not None:
            words += f"  {place.label}"
        self.query_one("#status", StatusLine).set_text(view.selected or words)

    def action_copy(self) -> None:
        copy(self)

    def action_copy_as(self) -> None:
        copy_as(self)

    def action_leave(self) -> None:
        view = self.query_one(StructureBytes)
        if view.stop_search():
            return
        start, end = view.highlight
        at = view.cursor
        span = Span(start, end - start) if start == at < end else Span(at, 1)
        self.dismiss(None if at == self._start else span)
