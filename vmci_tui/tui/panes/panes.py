"""The table of the panes, and all of them, side by side or one at a time; they follow each other's cursor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from vmci_tui.common.span import Span
from vmci_tui.document.byte_map import Place
from vmci_tui.document.document import Document
from vmci_tui.tui.guarded import Guarded
from vmci_tui.tui.panes.entry import EntryList
from vmci_tui.tui.panes.findings import FindingsList, FindingsPane
from vmci_tui.tui.panes.hex import HexPane
from vmci_tui.tui.panes.keys import KeysList, KeysPane
from vmci_tui.tui.panes.notes import NotesList
from vmci_tui.tui.panes.pane_bar import PaneBar
from vmci_tui.tui.prompts import say
from vmci_tui.tui.session import Session
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from vmci_tui.findings import Finding
    from vmci_tui.tui.panes.inspector import Inspector
    from vmci_tui.tui.panes.qemu import QemuPane


class Pane(NamedTuple):
    """A pane of the main screen."""

    name: str
    """Also the id of its widget that takes the focus."""
    title: str
    box: Callable[[Session], Widget]
    """Makes the widget with the border, which may also be the one that takes the focus."""
    box_id: str
    of_entry: bool = True
    """Whether it is shown for an entry without a dump."""
    of_dump: bool = True
    """Whether it is shown for a dump."""

    def fits(self, document: Document) -> bool:
        """Return whether it is shown for this document."""
        return self.of_entry if document.dump is None else self.of_dump


def _qemu_pane(session: Session) -> Widget:
    from vmci_tui.tui.panes.qemu import QemuPane

    return QemuPane(session)


PANES: Final = (
    Pane("entry", "1 Entry", EntryList, "entry"),
    Pane("notes", "2 Notes", NotesList, "notes", of_entry=False),
    Pane("keys", "3 Keys", KeysPane, "keys-pane", of_entry=False),
    Pane("findings", "4 Findings", FindingsPane, "findings-pane"),
    Pane("hex", "5 Hex", HexPane, "hex"),
    Pane("qemu", "6 What QEMU will do", _qemu_pane, "qemu", of_dump=False),
)
NAMES: Final = tuple(pane.name for pane in PANES)
COLUMNS: Final = {"left": (*PANES[:3], PANES[5]), "right": (PANES[4], PANES[3])}
"""The panes of each column, from the top."""


class Panes(Guarded, Horizontal):
    """All panes; a move in one of them moves the others, and the status line shows the place."""

    def __init__(self, session: Session) -> None:
        super().__init__(id="panes")
        self.session = session
        self._inspector: Inspector | None = None

    @property
    def document(self) -> Document:
        """Return the document that is shown."""
        return self.session.document

    def compose(self) -> ComposeResult:
        for side, panes in COLUMNS.items():
            with Vertical(id=side):
                yield from (pane.box(self.session) for pane in panes if pane.of_dump or pane.fits(self.document))

    def on_mount(self) -> None:
        for pane in PANES:
            for box in self.query(f"#{pane.box_id}"):
                box.border_title = pane.title

    def show_state(self) -> None:
        """Show the document's state; the judgement comes later."""
        self.query_one(EntryList).show_state()
        if self.document.dump is None:
            self.qemu.show_state()
        self.query_one(NotesList).show_state()
        self.query_one(KeysPane).show_state()
        self.query_one(HexPane).show_state()
        self._show_place()

    @property
    def qemu(self) -> QemuPane:
        """The pane of QEMU; only for an entry alone."""
        from vmci_tui.tui.panes.qemu import QemuPane

        return self.query_one(QemuPane)

    def show_judgement(self) -> None:
        """Show the findings, and whether memory proves the text."""
        self.query_one(FindingsPane).show_judgement()
        self.query_one(KeysPane).show_title()

    # The status line

    def _show_status(self, words: str) -> None:
        """Show words in the status line until the cursor moves, and the file where there is room."""
        document = self.document
        state = "modified" if document.unsaved else "edits saved" if document.modified else "not modified"
        self.screen.query_one("#status", StatusLine).set_text(words, f"{document.name}  {document.container}  {state}")

    @on(HexPane.SearchEnded)
    def _show_place(self) -> None:
        """Show the offset and field at the cursor of the hex view, and its byte in the inspector."""
        view = self.query_one(HexPane)
        self._show_status(view.selected or place_text(self.document, view.cursor, view.place()))
        if self._inspector is not None:
            self._inspector.show_place()

    def show_command(self) -> None:
        """Show the shell command for the last edit."""
        command = self.session.last_command()
        if command is not None:
            self._show_status(f"$ {command}")

    # Moving in one pane moves the others

    @on(LineList.Moved, "#keys")
    def _key_moved(self, event: LineList.Moved) -> None:
        shown = self.query_one(KeysList).shown
        if (part := shown.part(event.index)) is not None:
            self._point_in_note(part.offset, part.length)
        else:
            self.point_at_line(shown.lines[event.index].number)

    @on(KeysPane.Filtered)
    def _keys_filtered(self) -> None:
        line = self.query_one(KeysList).line()
        if line is not None:
            self.point_at_line(line.number)

    @on(KeysList.Rearranged)
    def _line_rearranged(self, event: KeysList.Rearranged) -> None:
        self.point_at_line(event.number)
        self.show_command()

    def point_at_line(self, number: int) -> None:
        text = self.document.state.vmcoreinfo
        if text is not None:
            line = text.lines[number - 1]
            self.query_one(KeysPane).explain_soon(line)
            self._point_in_note(line.offset, len(line.raw))

    def _point_in_note(self, offset: int, length: int) -> None:
        """Go to bytes in the descriptor of the note that readers use."""
        layout, index = self.document.layout, self.document.state.index
        if index is not None:
            start = layout.note_offsets[index] + layout.notes[index].desc_start
            self._point_at(Span(start + offset, length))
            self.query_one(NotesList).select(index)

    @on(LineList.Moved, "#notes")
    def _note_moved(self, event: LineList.Moved) -> None:
        span = self.query_one(NotesList).targets[event.index].span
        if span is not None:
            self._point_at(span)

    @on(LineList.Moved, "#entry")
    def _entry_moved(self) -> None:
        target = self.query_one(EntryList).target()
        if target is None:
            return
        if self.document.dump is None and target.span is not None:
            self._point_at(target.span)
        elif self.document.state.entry is not None and target.key in ("paddr", "size"):
            self._point_at_region()
        self.screen.query_one("#status", StatusLine).set_text(self.query_one(EntryList).described())

    @on(EntryList.Answered)
    def _qemu_answered(self, event: EntryList.Answered) -> None:
        if self.document.dump is None:
            self.qemu.show_answer(event.state, event.answer)

    def _point_at_region(self) -> None:
        history = self.document.state.entry
        memory = self.document.layout.memory
        if history is None or (offset := memory.offset_of(history.entry.paddr)) is None:
            return
        item = memory.range_at(history.entry.paddr)
        room = item.end - history.entry.paddr if item else 0
        self._point_at(Span(offset, min(history.entry.size, room)))

    @on(LineList.Moved, "#findings")
    def _finding_moved(self) -> None:
        self.query_one(FindingsPane).show_chosen()
        finding = self.query_one(FindingsList).finding()
        if finding is not None and finding.span is not None:
            self._point_at_finding(finding.span)

    def _point_at_finding(self, span: Span) -> None:
        if span.of == "entry":
            entry = self.query_one(EntryList)
            entry.select(entry.row_at(span.offset) or 0)
            if self.document.dump is None:
                self._point_at(span)
            return
        self._point_at(span)
        self._follow(self.query_one(HexPane).place())

    @on(FindingsList.ShowWanted)
    def _finding_wanted(self, event: FindingsList.ShowWanted) -> None:
        self.show_finding(event.finding)

    def show_finding(self, finding: Finding) -> None:
        """Go to the pane with the bytes of the finding."""
        if finding.span is None and finding.wants_memory:
            self.screen.call_later(self.screen.run_action, "repair")
            return
        if finding.span is None:
            say(self, "this finding concerns the whole file", "warning")
            return
        self.query_one(FindingsPane).show_chosen()
        self._point_at_finding(finding.span)
        if finding.span.of == "entry":
            name = "entry"
        else:
            places = self.query_one(HexPane).places
            at = places.at(finding.span.offset) if places is not None else None
            in_text = at is not None and at.line is not None and at.note == self.document.state.index
            name = "keys" if in_text else "hex"
        self.post_message(PaneBar.Picked(name))

    def _point_at(self, span: Span) -> None:
        """Highlight bytes in the hex view and go there."""
        view = self.query_one(HexPane)
        view.set_highlight(span.offset, span.length)
        view.go(span.offset)
        self._show_place()

    def go_to(self, span: Span | None) -> None:
        """Go to bytes of the file in the hex view, and show it; None for staying where the cursor is."""
        if span is not None:
            self._point_at(span)
            self._follow(self.query_one(HexPane).place())
            self.post_message(PaneBar.Picked("hex"))

    @on(HexPane.Moved)
    def _follow_cursor(self) -> None:
        """Move the lists and the status line to the cursor of the hex view."""
        self._follow(self.query_one(HexPane).place())
        self._show_place()

    @on(HexPane.Written)
    def _byte_written(self) -> None:
        self._follow_cursor()
        self.show_command()

    def _follow(self, place: Place | None) -> None:
        """Move the cursors of the lists to a place of the hex view."""
        if place is None:
            return
        if place.note is not None:
            self.query_one(NotesList).select(place.note)
        if place.line is not None and place.note == self.document.state.index:
            keys = self.query_one(KeysList)
            if (row := keys.shown.index_of(place.line)) is not None:
                keys.select(row)
        if place.kind == "entry":
            entry = self.query_one(EntryList)
            if (row := entry.row_at(place.offset)) is not None:
                entry.select(row)

    # The inspector

    async def toggle_inspector(self) -> None:
        """Show or hide the inspector, below the hex view."""
        view = self.query_one(HexPane)
        if self._inspector is not None:
            if self._inspector.has_focus:
                view.focus()
            gone, self._inspector = self._inspector, None
            await gone.remove()  # a new one has the same id, which must be free
            self.screen.remove_class("inspecting")
            return
        from vmci_tui.tui.panes.inspector import Inspector

        self._inspector = Inspector(view)
        self.query_one("#right").mount(self._inspector, after="#hex")
        self.screen.add_class("inspecting")
        if self.screen.has_class("-narrow"):
            self.post_message(PaneBar.Picked("hex"))
        self.call_after_refresh(self._inspect_first)

    def _inspect_first(self) -> None:
        """Fill the inspector once it has its place; the hex view shrank, and Textual sends it no resize."""
        self.query_one(HexPane).on_resize()
        if self._inspector is not None:
            self._inspector.show_place()


def place_text(document: Document, at: int, place: Place | None) -> str:
    """Return the file offset, the paddr and the field of a byte; addresses are in hex and decimal."""
    if place is None:
        return "no bytes"
    paddr = document.layout.memory.paddr_of(at)
    where = f"  paddr {paddr:#x} = {paddr}" if paddr is not None else ""
    return f"offset {at:#x} = {at}{where}  {place.label} ({place.length} bytes)"
