"""All panes, side by side or one at a time; they follow each other's cursor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widget import Widget

from vmci_tui.changes.changed_bytes import ChangedBytes
from vmci_tui.changes.stops import stops
from vmci_tui.changes.unsaved import Unsaved, unsaved
from vmci_tui.common.span import Span
from vmci_tui.document.byte_map import Place
from vmci_tui.document.document import Document
from vmci_tui.tui.bindings import EXPLAIN
from vmci_tui.tui.guarded import Guarded, stands
from vmci_tui.tui.host import host
from vmci_tui.tui.panes.entry import EntryList
from vmci_tui.tui.panes.findings import FindingsList, FindingsPane
from vmci_tui.tui.panes.hex import HexPane, place_text
from vmci_tui.tui.panes.keys import KeysList, KeysPane
from vmci_tui.tui.panes.notes import NotesList
from vmci_tui.tui.panes.pane_table import NAMES, PANES, Pane
from vmci_tui.tui.panes.readers import ReadersPane
from vmci_tui.tui.prompts import say
from vmci_tui.tui.session import Session
from vmci_tui.tui.space.companions import companions
from vmci_tui.tui.space.pane_layout import PaneLayout
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.pane_bar import PaneBar
from vmci_tui.tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from vmci_tui.common.budget import Budget
    from vmci_tui.findings import Finding
    from vmci_tui.tui.companions.companions import Companions
    from vmci_tui.tui.companions.inspector import Inspector
    from vmci_tui.tui.panes.qemu import QemuPane

MakeCompanions = Callable[[Widget, HexPane, Session], "Companions"]


class Panes(Guarded, Widget):
    """All panes; a move in one of them moves the others, and the status line shows the place."""

    BINDINGS: ClassVar[list[BindingType]] = [EXPLAIN]

    def __init__(self, session: Session) -> None:
        super().__init__(id="panes")
        self.session = session
        self._companions: Companions | None = None
        """The panes that follow the others, once the first of them is wanted or has room."""
        self._loading = False
        self._unsaved: Unsaved | None = None
        self._stop = 0
        """The index of the change that was visited last."""
        self._arranged = PaneLayout()

    @property
    def layout(self) -> PaneLayout:
        """Return the layout: where each pane is follows from the room."""
        return self._arranged

    @property
    def document(self) -> Document:
        """Return the document that is shown."""
        return self.session.document

    def compose(self) -> ComposeResult:
        for pane in sorted(PANES, key=lambda pane: pane.key(self.document)):
            late = pane.name == "qemu" and self.document.dump is not None  # after the first paint, if at all
            if (pane.number or pane.fits(self.document)) and not late:
                yield self._box(pane)

    def _box(self, pane: Pane) -> Widget:
        box = pane.box(self.session)
        box.border_title = pane.title(self.document)
        box.set_class(not pane.fits(self.document), "absent")
        return box

    def show_state(self) -> None:
        """Show the document's state; the judgement comes later."""
        self._compare()
        entry = self.query_one(EntryList)
        entry.set_class(not PANES[NAMES.index("entry")].fits(self.document), "absent")
        entry.show_state()
        self._show_qemu()
        self.query_one(NotesList).show_state()
        self.query_one(KeysPane).show_state()
        self.query_one(HexPane).show_state()
        if self._companions is not None:
            self._companions.show_state()
        self._show_place()

    def _compare(self) -> None:
        """Find what is not saved yet, for the signs in the panes."""
        found = self._unsaved = unsaved(self.document)
        self.query_one(NotesList).changed = None if found is None else found.notes
        keys = self.query_one(KeysPane)
        keys.changed, keys.old = (None, ()) if found is None else (found.lines, found.old_lines)
        self.query_one(HexPane).changed = ChangedBytes() if found is None else found.bytes

    def next_change(self, by: int) -> None:
        """Go to the next or previous change that is not saved yet, and say what it is."""
        found = stops(self._unsaved) if self._unsaved is not None else ()
        if not found:
            say(self, "there is nothing unsaved")
            return
        cursor = self.query_one(HexPane).cursor
        if self._stop < len(found) and found[self._stop].span.offset == cursor:
            at = self._stop + by
        elif by > 0:
            at = next((number for number, stop in enumerate(found) if stop.span.offset > cursor), 0)
        else:
            at = next((number for number in range(len(found) - 1, -1, -1) if found[number].span.offset < cursor), -1)
        self._stop = at % len(found)
        stop = found[self._stop]
        self._point_at(stop.span)
        self._follow(self.query_one(HexPane).place())
        say(self, f"change {self._stop + 1} of {len(found)}, not saved yet: {stop.words}")
        self.post_message(PaneBar.Picked("keys" if stop.in_text else "hex"))

    def _show_qemu(self) -> None:
        """Show what QEMU will do with the entry, if one is open."""
        pane = PANES[NAMES.index("qemu")]
        for box in self.query("#qemu"):
            box.set_class(not pane.fits(self.document), "absent")
            cast("QemuPane", box).show_state()

    def open_qemu(self) -> None:
        """Make the pane of what QEMU will do with the entry of a dump, once there is one."""
        pane = PANES[NAMES.index("qemu")]
        if stands(self) and pane.fits(self.document) and not self.query("#qemu"):
            self.mount(self._box(pane), before="#entry")

    def show_judgement(self) -> None:
        """Show the findings, and whether memory proves the text."""
        self.query_one(FindingsPane).show_judgement()
        self.query_one(ReadersPane).show_judgement()
        self.query_one(KeysPane).show_judgement()
        self.on_line_list_moved()
        self.query_one(NotesList).show_judgement()
        self.call_after_refresh(self.open_companions)
        if self.session.judgement is not None:
            self.call_after_refresh(self.open_qemu)

    def show_outlook(self) -> None:
        """Show what is known by now of a repair: the text that it would put back, and the verdicts after it."""
        self.query_one(KeysPane).show_outlook()
        self.query_one(ReadersPane).show_judgement()

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
        self._show_status(view.selected or place_text(self.document, self.session.kernel, view.cursor, view.place()))
        self.on_line_list_moved()

    def show_command(self) -> None:
        """Show the shell command for the last edit."""
        command = self.session.last_command()
        if command is not None:
            self._show_status(command)

    # Moving in one pane moves the others

    @on(LineList.Moved, "#keys")
    def _key_moved(self, event: LineList.Moved) -> None:
        shown = self.query_one(KeysList).shown
        if (place := shown.place(event.index)) is not None:
            self._point_at(place)
        elif (part := shown.part(event.index)) is not None:
            self._point_in_note(part.offset, part.length)
        elif (line := shown.line(event.index)) is not None:
            self.point_at_line(line.number)

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
        self._point_at(self.query_one(NotesList).shown.lines[event.index].span)

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
        for box in self.query("#qemu"):
            cast("QemuPane", box).show_answer(event.state, event.answer)

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

    # What follows the cursor

    def open_companions(self) -> None:
        """Open what has room beside the panes of a judged dump; not in a lesson, which says what to open."""
        if self.session.judgement is None or self.document.dump is None or host(self).lesson is not None:
            return
        state = self.document.state
        fitting = companions(*self.screen.size, state.vmcoreinfo is not None, state.entry is not None)
        if self._companions is not None:
            self._companions.fit(fitting)
        elif fitting and not self._loading:
            self._loading = True
            host(self).background().ask(_companions, self._begin, host(self).failed, 0)

    def _begin(self, make: MakeCompanions) -> None:
        """Begin with what was imported in a thread, unless a key began with it before."""
        if stands(self) and self._companions is None:
            self._companions = make(self, self.query_one(HexPane), self.session)
        self.open_companions()

    @property
    def companions(self) -> Companions:
        """The panes that follow the cursor of the others."""
        if self._companions is None:
            self._begin(_companions())
        assert self._companions is not None
        return self._companions

    def is_open(self, name: str) -> bool:
        """Return whether a pane that follows the others is shown."""
        return self._companions is not None and self._companions.is_open(name)

    def toggle_about(self) -> None:
        """Show or hide the explanation of what is under the cursor, at 80 columns in place of the inspector."""
        if self.screen.has_class("-narrow"):
            self.companions.close("inspector")
        self.companions.toggle("about")

    def on_line_list_moved(self) -> None:
        """Explain what is under the cursor, also a row without bytes, as that of a reader."""
        if self._companions is not None:
            self._companions.moved()

    on_descendant_focus = on_line_list_moved

    def toggle_inspector(self) -> None:
        """Show or hide the inspector, below the hex view; where it has no room beside an explanation, that closes."""
        if not self.screen.has_class("-wide"):
            self.companions.close("about")
        if self.companions.toggle("inspector") and self.screen.has_class("-narrow"):
            self.post_message(PaneBar.Picked("hex"))

    def on_inspector_followed(self, event: Inspector.Followed) -> None:
        self.query_one(HexPane).arrive(event.offset)

    def close_companion(self) -> None:
        """Close the explanation, or the inspector; from the bytes the inspector first."""
        bytes_first = getattr(self.screen.focused, "id", "") in ("hex", "inspector", "tree")
        names = ("inspector", "about") if bytes_first else ("about", "inspector")
        if open_names := list(filter(self.is_open, names)):
            self.companions.close(open_names[0])

    @on(LineList.Moved, "#tree")
    def _node_moved(self) -> None:
        if (node := self.companions.node()) is not None:
            self._point_at(Span(node.offset, node.length))
            self._follow(self.query_one(HexPane).place())

    @on(LineList.Moved, "#map")
    def _part_moved(self, event: LineList.Moved) -> None:
        self.companions.go_to_part(event.index)


def _companions(_budget: Budget | None = None) -> MakeCompanions:
    """Import what follows the cursor, in a thread where nobody waits for it."""
    from vmci_tui.tui.panes.subjects import make_companions

    return make_companions
