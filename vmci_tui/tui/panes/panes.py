"""The panes: lists with the keys that make sense in them. What the keys do is in the screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult, RenderResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from vmci_tui.document.document import Document
from vmci_tui.formats.vmcoreinfo import Line
from vmci_tui.tui.edge import Guarded, Painted
from vmci_tui.tui.panes.rows import KeyRows, Target, consequence_lines, entry_rows, finding_rows, note_rows
from vmci_tui.tui.style.cells import plain
from vmci_tui.tui.widgets.hex_selection import SELECT_BINDINGS, Selecting
from vmci_tui.tui.widgets.hex_view import HexView
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from vmci_tui.findings import Finding

_WIDE_ENTRY = 100
"""Cells from which on a field and what it means fit into one line."""


def _bind(keys: str, action: str, label: str, tip: str, show: bool = True) -> Binding:
    """A key of a pane; its id names the action, so that settings can give it other keys."""
    return Binding(keys, f"screen.{action}", label, tooltip=tip, id=action, show=show)


def _moves(what: str) -> tuple[Binding, ...]:
    """The keys that move and duplicate a line or a note; none of them stands in the footer."""
    return (
        Binding(
            "K,shift+up", f"screen.move_{what}(-1)", "Up", tooltip=f"Move the {what} up", id=f"{what}.up", show=False
        ),
        Binding(
            "J,shift+down", f"screen.move_{what}(1)", "Down", tooltip=f"Move the {what} down", id=f"{what}.down",
            show=False,
        ),
        _bind("D", f"duplicate_{what}", "Twice", f"Duplicate the {what}", show=False),
    )  # fmt: skip


class EntryList(LineList):
    """The entry's fields, and the writes that made it."""

    DEFAULT_CLASSES = "pane"

    about = (
        "Entry: the 16 bytes that the guest wrote into QEMU's fw_cfg file etc/vmcoreinfo. They say where its "
        "note lies, and how long it is. Of a dump alone they are worked out from what the dump says."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        _bind("enter", "edit_entry", "Edit", "Change the field, or the write"),
        _bind("w", "add_write", "Write", "Add a write of the guest"),
        _bind("d", "delete_write", "Del", "Take the write out", show=False),
        _bind("b", "open_entry", "Blob", "Open the entry that belongs to this dump"),
        _bind("p", "paste_entry", "Paste", "Paste an entry that gdb printed, or /sys/kernel/vmcoreinfo"),
        _bind("Q", "ask_qemu", "QEMU", "Ask a real QEMU what it does with this entry and note"),
    ]
    targets: Sequence[Target] = ()

    _document: Document | None = None

    def show_document(self, document: Document) -> None:
        self._document = document
        rows = entry_rows(document, wide=self.size.width >= _WIDE_ENTRY)
        self.targets = [target for _, target in rows]
        self.set_rows([row for row, _ in rows])

    def on_resize(self) -> None:
        if self._document is not None:
            self.show_document(self._document)

    def target(self) -> Target | None:
        return self.targets[self.cursor] if self.cursor < len(self.targets) else None

    def told(self) -> str:
        """All that is known of what the cursor is on: where the pane is narrow it is folded, or cut."""
        target = self.target()
        rows = [row for row, other in zip(self.rows, self.targets, strict=True) if other == target]
        return " ".join(" ".join(text.strip() for text, _ in row) for row in rows).strip()

    def row_at(self, offset: int) -> int | None:
        """The row of the field that begins at `offset` of the entry."""
        for row, target in enumerate(self.targets):
            if target.kind == "field" and target.span is not None and target.span.offset == offset:
                return row
        return None


class NotesList(LineList):
    """All notes."""

    DEFAULT_CLASSES = "pane"

    about = (
        "Notes: the ELF notes of the dump: of each CPU, and VMCOREINFO, whose text tells debuggers about the kernel. "
        "Readers take the last whole note of that name."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        _bind("enter", "rename_note", "Name", "Change the note's name"),
        _bind("t", "retype_note", "Type", "Change the note's type"),
        _bind("d", "drop_note", "Del", "Take the note out"),
        *_moves("note"),
    ]
    targets: Sequence[Target] = ()
    _types: ClassVar[dict[int, str]] = {}
    """The names of the types of CORE notes, once they are read."""

    def show_document(self, document: Document) -> None:
        rows = note_rows(document, self._types)
        self.targets = [target for _, target in rows]
        self.set_rows([row for row, _ in rows])
        if not self._types:
            self.call_after_refresh(self._name_types, document)

    def _name_types(self, document: Document) -> None:
        """Have pyelftools name the types; not before the first paint, which it would hold up for 17 ms."""
        from elftools.elf.enums import ENUM_CORE_NOTE_N_TYPE

        self._types.update({number: name for name, number in ENUM_CORE_NOTE_N_TYPE.items() if isinstance(number, int)})
        self.show_document(document)


class KeysList(LineList):
    """The key=value lines of the text."""

    about = (
        "Keys: the text of the VMCOREINFO note, a KEY=VALUE in each line. "
        "i explains the key that the cursor is on, m shows what each reader reads."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        _bind("enter", "edit_value", "Edit", "Change the value (or the broken line)"),
        _bind("n", "add_key", "New", "Add a key at the end"),
        _bind("d", "delete_line", "Del", "Take the line out"),
        _bind("slash", "filter", "Filter", "Show only lines that hold a text"),
        _bind("f2,E", "rename_key", "Key", "Change the key; its value stays", show=False),
        *_moves("line"),
        _bind("i", "explain", "Explain", "Show what the key means, and what each reader makes of it"),
    ]
    shown: KeyRows

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, empty="no vmcoreinfo text: [R] looks for it in memory, [a] appends a note")
        self.shown = KeyRows(None)

    def show_keys(self, shown: KeyRows) -> None:
        self.shown = shown
        shown.fit(self.size.width)
        self.set_rows(shown)

    def on_resize(self) -> None:
        self.shown.fit(self.size.width)
        self.refresh()


class KeysPane(Guarded, Vertical):
    """The table of keys, and above it the filter: a field while it is typed in, else a line that tells it."""

    DEFAULT_CLASSES = "pane"

    wanted = ""

    class FilterClicked(Message):
        """The line of the filter was clicked."""

    def compose(self) -> ComposeResult:
        yield StatusLine("/ filter", id="filter-line")
        yield KeysList(id="keys")

    def open_filter(self, blink: bool) -> None:
        """Let the user type. (Made only now: a field of Textual's is 4 ms of the first paint.)"""
        if self.query("#filter"):
            self.query_one("#filter").focus()
            return
        field = Input(self.wanted, placeholder="filter", id="filter", compact=True, select_on_focus=False)
        field.cursor_blink = blink
        self.query_one("#filter-line").display = False
        self.mount(field, before=0)
        field.focus()

    def close_filter(self, wanted: str) -> None:
        """Back to the line, with what is shown from now on."""
        self.wanted = wanted
        line = self.query_one("#filter-line", StatusLine)
        line.tell(f"filter: {wanted}  (ESC clears it)" if wanted else "/ filter")
        line.display = True
        self.query("#filter").remove()
        self.query_one(KeysList).focus()

    def line(self) -> Line | None:
        """The line under the cursor."""
        keys = self.query_one(KeysList)
        return keys.shown.lines[keys.cursor] if keys.cursor < len(keys.shown.lines) else None

    def on_click(self, event: events.Click) -> None:
        if event.widget is not None and event.widget.id == "filter-line":
            self.post_message(self.FilterClicked())
        elif event.widget is self:
            self.query_one(KeysList).focus()


class FindingsList(LineList):
    """What is worth knowing."""

    about = (
        "Findings: what is wrong or worth knowing, worst first. Each has a code, the bytes that it is about, "
        "why it matters and who refuses over it; [f] marks those that a key fixes."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        _bind("enter", "show_finding", "Show", "Go to the bytes that it is about"),
        _bind("f", "fix", "Fix", "Apply the fix of this finding"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.findings: Sequence[Finding] = ()

    def show_findings(self, findings: Sequence[Finding], instead: str | None = None) -> None:
        """Other findings; `instead` says why there are none to show."""
        self.findings = findings
        self.empty = instead or "nothing to complain about"
        self.set_rows(finding_rows(findings))

    def finding(self) -> Finding | None:
        return self.findings[self.cursor] if self.cursor < len(self.findings) else None


class FindingsPane(Guarded, Vertical):
    """The findings, and below them the chosen one in full."""

    DEFAULT_CLASSES = "pane"

    def compose(self) -> ComposeResult:
        yield FindingsList(id="findings")

    def on_click(self) -> None:
        self.query_one(FindingsList).focus()

    def tell(self, finding: Finding | None) -> None:
        """Show one in full; the text for it is made when there is a first one."""
        found = self.query("#why-text")
        if finding is None:
            self.query("#why").remove()
            return
        fix = f"\nf: {finding.fix.label}" if finding.fix else ""
        who = "".join(f"\n{line}" for line in consequence_lines(finding))
        words = plain(f"{finding.message}\nwhy: {finding.why}{who}{fix}")
        if found:
            found.first(Static).update(words)
        else:
            self.mount(VerticalScroll(Static(words, id="why-text"), id="why"))


class HexPane(Selecting, HexView):
    """The hex view with its keys."""

    DEFAULT_CLASSES = "pane"

    about = (
        "Hex: the bytes of the file, coloured by what they are; the bar below says the field. "
        "Enter types over the bytes of a note or of the entry; guest memory is never edited. Shift and arrows, "
        "or the mouse, select bytes to be copied."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        _bind("enter", "overwrite", "Edit", "Type over the bytes of a note, or of the entry"),
        _bind("g", "goto", "Go to", "Go to a file offset or a guest-physical address"),
        _bind("slash", "search", "Search", "Search for text or hex bytes"),
        _bind("n", "search_next", "Next", "Search on for the same"),
        _bind("b", "bookmark", "Mark", "Set a bookmark at the cursor, or take it away"),
        _bind("apostrophe", "next_bookmark", "Next mark", "Go to the next bookmark", show=False),
        _bind("B", "bookmarks", "Marks", "List the bookmarks of this file", show=False),
        *SELECT_BINDINGS,
    ]


class PaneBar(Painted, Widget):
    """The tabs of the narrow screen: which panes there are, one of them shown."""

    class Picked(Message):
        """The user clicked a tab."""

        def __init__(self, pane: str) -> None:
            self.pane = pane
            super().__init__()

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._tabs: tuple[tuple[str, str], ...] = ()
        self._active = ""
        self.pointed = ""

    def show(self, tabs: tuple[tuple[str, str], ...], active: str) -> None:
        """Tabs as (pane, label)."""
        if (tabs, active) != (self._tabs, self._active):
            self._tabs, self._active = tabs, active
            self.refresh()

    def point(self, pane: str) -> None:
        """Mark the tab that a lesson points at."""
        if pane != self.pointed:
            self.pointed = pane
            self.refresh()

    def _style(self, pane: str) -> str:
        pointed = " underline $warning" if pane == self.pointed else ""
        return ("reverse bold" if pane == self._active else "") + pointed

    def render(self) -> RenderResult:
        from textual.content import Content

        return Content.assemble(*((f" {label} ", self._style(pane)) for pane, label in self._tabs))

    def on_click(self, event: events.Click) -> None:
        at = 0
        for pane, label in self._tabs:
            at += len(label) + 2
            if event.x < at:
                self.post_message(self.Picked(pane))
                return
