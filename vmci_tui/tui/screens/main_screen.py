"""The main screen: the panes side by side (or one at a time), all pointing at the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Footer, Input

from vmci_tui.common.span import Span
from vmci_tui.document.byte_map import Place
from vmci_tui.document.document import Document
from vmci_tui.render.dump_report import kind_of
from vmci_tui.tui.actions.bookmark_actions import MarkActions
from vmci_tui.tui.actions.copy_actions import CopyActions
from vmci_tui.tui.actions.inspect_actions import InspectActions
from vmci_tui.tui.actions.line_actions import ArrangeActions
from vmci_tui.tui.actions.save_actions import KeepActions
from vmci_tui.tui.actions.shell_actions import TellActions
from vmci_tui.tui.edge import Guarded
from vmci_tui.tui.panes.panes import (
    EntryList,
    FindingsList,
    FindingsPane,
    HexPane,
    KeysList,
    KeysPane,
    NotesList,
    PaneBar,
)
from vmci_tui.tui.panes.rows import key_rows
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.status_line import StatusLine
from vmci_tui.tui.widgets.verdict_strip import TitleBar

if TYPE_CHECKING:
    from vmci_tui.findings import Finding

PROVED = {True: "proved", False: "DISPROVED", None: "not provable"}
"""What memory says of the text, in a word."""
_ON_ENTER = {
    "entry": "edit_entry",
    "notes": "rename_note",
    "keys": "edit_value",
    "findings": "show_finding",
    "inspector": "follow",
}
_LONG = 40
"""Letters of a path from which on it is shortened."""
PANES = ("entry", "notes", "keys", "findings", "hex")


class MainScreen(
    KeepActions, ArrangeActions, InspectActions, MarkActions, CopyActions, TellActions, Guarded, Screen[None]
):
    """One document. Every edit goes through `edit`, and everything shown is computed anew after it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s,ctrl+s", "save", "Save", tooltip="Save a copy; the plan is shown first", id="save"),
        Binding("R", "repair", "Repair", tooltip="Apply all safe fixes in one go; they are shown first", id="repair"),
        Binding("v", "readers", "Readers", tooltip="What every reader says of the file, and why", id="readers"),
        Binding("question_mark,f1", "app.toggle_keys", "Keys", tooltip="What this pane is, and all keys", id="help"),
        Binding("q", "leave", "Quit", tooltip="Quit; unsaved edits are asked about", id="quit"),
        Binding("F", "find", "Find", tooltip="Find the note in guest memory", id="find"),
        Binding("a", "append", "Append", tooltip="Add or replace the VMCOREINFO note", id="append"),
        Binding("u,ctrl+z", "undo", "Undo", tooltip="Take the last edit back", id="undo"),
        Binding("o", "open", "Open", tooltip="Open another file", id="open"),
        Binding("e", "edit_text", "Text", tooltip="Edit the whole text of the note", id="edit_text", show=False),
        Binding("r,ctrl+y", "redo", "Redo", tooltip="Do it again", id="redo", show=False),
        Binding("c", "copy", "Copy", tooltip="Copy what is selected", id="copy", show=False),
        Binding("C", "copy_as", "Copy as", tooltip="Copy as hex, C, Python or JSON", id="copy_as", show=False),
        Binding(
            "dollar_sign",
            "commands",
            "Commands",
            tooltip="What was done so far, as commands for the shell",
            id="commands",
            show=False,
        ),
        Binding("x", "strip", "Strip", tooltip="Take the VMCOREINFO note out", id="strip", show=False),
        Binding("U", "take_back", "Take back", tooltip="Take back the last save in place", id="take_back", show=False),
        Binding("m", "matrix", "Matrix", tooltip="The value that each reader reads", id="matrix", show=False),
        Binding("M", "memory", "Memory", tooltip="Guest memory by paddr", id="memory", show=False),
        Binding("H", "header", "Header", tooltip="The header of a kdump file", id="header", show=False),
        Binding("I", "inspect", "Inspect", tooltip="The bytes at the cursor as numbers", id="inspect", show=False),
        Binding("N", "next", "What now?", tooltip="The commands to go on with", id="next", show=False),
        *(
            Binding(
                str(number),
                f"pane('{name}')",
                name.capitalize(),
                tooltip=f"Go to the pane {name}",
                id=f"pane.{name}",
                show=False,
            )
            for number, name in enumerate(PANES, 1)
        ),
    ]

    about = "The file: the entry, the notes, the text, the findings and the bytes, all pointing at the same place."
    AUTO_FOCUS = ", ".join(f".show-{pane} #{pane}" for pane in PANES)

    def __init__(self, document: Document, width_class: str) -> None:
        keys = document.state.vmcoreinfo or key_rows(document.state)
        self._active = "entry" if document.dump is None else "keys" if keys else "findings"
        # Classes and focus from the start: each change of them later styles every widget anew, 10 ms each.
        alone = " entry-only" if document.dump is None else ""
        super().__init__(classes=f"show-{self._active} {width_class}{alone}")
        self.document = document

    def compose(self) -> ComposeResult:
        yield TitleBar(id="title")
        yield PaneBar(id="tabs")
        with Horizontal(id="panes"):
            with Vertical(id="left"):
                yield EntryList(id="entry")
                yield NotesList(id="notes", empty="no notes: [a] appends one")
                yield KeysPane(id="keys-pane")
            with Vertical(id="right"):
                yield HexPane(id="hex")
                yield FindingsPane(id="findings-pane")
        yield StatusLine(id="status")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        titles = ("#entry", "1 Entry"), ("#notes", "2 Notes"), ("#findings-pane", "4 Findings"), ("#hex", "5 Hex")
        for pane, title in titles:
            self.query_one(pane).border_title = title
        self._show_bytes()
        self.show_tabs()
        self.call_after_refresh(self.judge_first)
        if self.document.state.vmcoreinfo is not None and self.document.state.vmcoreinfo.lines:
            self.point_at_line(1)

    def on_unmount(self) -> None:
        self.stop_judging()

    # What is shown

    def show_state(self) -> None:
        """Compute and show everything of the document's state."""
        self._show_bytes()
        self.show_findings()

    def _show_bytes(self) -> None:
        document = self.document
        self.query_one(EntryList).show_document(document)
        self.query_one(NotesList).show_document(document)
        self._show_keys()
        self.query_one(HexPane).show_document(document)
        self.query_one(TitleBar).tell(self._title())
        self.show_place()

    def _show_keys(self) -> None:
        wanted = self.query_one(KeysPane).wanted
        self.query_one(KeysList).show_keys(key_rows(self.document.state, wanted))
        self.tell_lines()

    def tell_lines(self) -> None:
        """How many lines are shown, and what memory says of them."""
        shown, text = self.query_one(KeysList).shown, self.document.state.vmcoreinfo
        said = self.judgement.proof if self.judgement is not None else None
        proof = f", {PROVED[said.proved]}" if said and text else ""
        pane = self.query_one(KeysPane)
        pane.border_title = f"3 {shown.title}"
        pane.border_subtitle = f"{len(shown)} of {len(text.lines)} lines{proof}" if text else shown.told

    def _title(self) -> str:
        document = self.document
        dump = document.dump
        kind = "entry" if dump is None else f"{kind_of(dump)} {dump.bits} bit {dump.order}-endian {dump.machine}"
        blob = f" + {_short(document.blob_name)}" if document.blob_name else ""
        marks = ("  READ-ONLY" if document.read_only else "") + ("  MODIFIED" if document.unsaved else "")
        return f"vmci{marks}  {_short(document.name)}{blob}  {kind}"

    def show_tabs(self) -> None:
        count = _counted(self.found) if self.judgement is not None else self.not_judged
        labels = {
            "entry": "1 Entry", "notes": "2 Notes", "keys": "3 Keys",
            "findings": f"4 Findings ({count})", "hex": "5 Hex",
        }  # fmt: skip
        panes = ("entry", "findings", "hex") if self.document.dump is None else PANES
        self.query_one(PaneBar).show(tuple((pane, labels[pane]) for pane in panes), self._active)
        self.query_one(FindingsPane).border_subtitle = count

    # Which pane

    def action_pane(self, name: str) -> None:
        if self.document.dump is None and name in ("notes", "keys"):
            return
        self._active = name
        self._show_pane(name)
        self.show_tabs()
        # Not before the pane is shown: what is not displayed takes no focus.
        self.call_after_refresh(self.query_one(f"#{name}").focus)

    def _show_pane(self, name: str) -> None:
        self.update_classes({f"show-{pane}": pane == name for pane in PANES})

    @on(PaneBar.Picked)
    def _picked(self, event: PaneBar.Picked) -> None:
        self.action_pane(event.pane)

    def on_descendant_focus(self) -> None:
        focused = self.focused
        if focused is not None and focused.id in PANES and focused.id != self._active:
            self._active = focused.id
            self._show_pane(focused.id)
            self.show_tabs()

    # Moving in one pane moves the others

    @on(LineList.Moved, "#keys")
    def _key_moved(self, event: LineList.Moved) -> None:
        shown = self.query_one(KeysList).shown
        if (part := shown.part(event.index)) is not None:
            self._point_in_note(part.offset, part.length)
        else:
            self.point_at_line(shown.lines[event.index].number)

    def point_at_line(self, number: int) -> None:
        text = self.document.state.vmcoreinfo
        if text is not None:
            line = text.lines[number - 1]
            self.explain_soon(line)
            self._point_in_note(line.offset, len(line.raw))

    def _point_in_note(self, offset: int, length: int) -> None:
        """To bytes of the descriptor of the note that counts."""
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
        self.query_one("#status", StatusLine).tell(self.query_one(EntryList).told())

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
        self.tell_finding()
        finding = self.query_one(FindingsList).finding()
        if finding is None or finding.span is None:
            return
        if finding.span.of == "entry":
            entry = self.query_one(EntryList)
            entry.select(entry.row_at(finding.span.offset) or 0)
            if self.document.dump is None:
                self._point_at(finding.span)
            return
        self._point_at(finding.span)
        self._follow(self.query_one(HexPane).place())

    @on(LineList.Chosen)
    async def _chosen(self, event: LineList.Chosen) -> None:
        """A double click does what Enter does."""
        if action := _ON_ENTER.get(event.sender.id or ""):
            await self.run_action(action)

    def _point_at(self, span: Span) -> None:
        """Mark bytes in the hex view and go there."""
        view = self.query_one(HexPane)
        view.set_mark(span.offset, span.length)
        view.go(span.offset)
        self.show_place()

    @on(HexPane.Moved)
    def follow_cursor(self) -> None:
        """The lists and the status line go where the cursor of the hex view is."""
        self._follow(self.query_one(HexPane).place())
        self.show_place()

    def _follow(self, place: Place | None) -> None:
        """The lists go where the hex view is."""
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

    # The filter

    @on(Input.Changed, "#filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        self.query_one(KeysPane).wanted = event.value
        self._show_keys()
        keys = self.query_one(KeysList)
        if event.value and keys.shown.lines:
            self.point_at_line(keys.shown.lines[keys.cursor].number)

    @on(Input.Submitted, "#filter")
    def _filter_done(self, event: Input.Submitted) -> None:
        self.query_one(KeysPane).close_filter(event.value)

    @on(KeysPane.FilterClicked)
    def action_filter(self) -> None:
        self.query_one(KeysPane).open_filter(self.vmci.settings.blink)

    def key_escape(self) -> None:
        """Stop a search; else clear the filter and leave it."""
        pane = self.query_one(KeysPane)
        if self.stop_search() or not (pane.wanted or pane.query("#filter")):
            return
        pane.close_filter("")
        self._show_keys()


def _short(name: str) -> str:
    """The last part of a long path: the title has room for no more, and the status line has it whole."""
    return name if len(name) <= _LONG else f".../{name.rsplit('/', 1)[-1]}"


def _counted(found: tuple[Finding, ...]) -> str:
    """How many findings there are, in a word or two."""
    errors = sum(item.severity == "error" for item in found)
    if not errors:
        return f"{len(found)} to know" if found else "none"
    word = "error" if errors == 1 else "errors"
    return f"{errors} {word}" + (f" of {len(found)}" if len(found) > errors else "")
