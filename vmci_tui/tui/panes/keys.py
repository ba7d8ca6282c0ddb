"""The keys pane: the lines of the text, a filter above them, and the meaning of a key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from vmci_tui.common.errors import EditError
from vmci_tui.common.safe_text import Safe, literal, visible
from vmci_tui.document import edit_text
from vmci_tui.document.edit import Edit
from vmci_tui.formats.vmcoreinfo import Line
from vmci_tui.tui.bindings import EXPLAIN, bind, moves
from vmci_tui.tui.guarded import Guarded, stands
from vmci_tui.tui.host import host
from vmci_tui.tui.prompts import ask_edit, say, try_edit
from vmci_tui.tui.rows.key_rows import KeyRows, Known
from vmci_tui.tui.rows.rows_of_note import key_rows, loaded, proof_words
from vmci_tui.tui.session import Session
from vmci_tui.tui.space.arrangement import THREE_COLUMNS
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.status_line import StatusLine
from vmci_tui.tui.widgets.useful_actions import is_refused

if TYPE_CHECKING:
    from vmci_tui.changes.matching import Matching
    from vmci_tui.kernel.lines.proved_line import ProvedLine, ProvedLines
    from vmci_tui.render.copy_formats import CopiedBytes
    from vmci_tui.verdict.offered_text import OfferedText

_NO_TEXT: Final = "no note text: [R] searches memory and restores it, [a] adds a note"
_NONE_OF_VM: Final = "no note text: [F] follows the kernel's pointers, [W] `vmci convert`"


class KeysList(LineList):
    """The key=value lines of the text."""

    enter_action = "edit_value"

    about = (
        "Note text: the text of the VMCOREINFO note, one KEY=VALUE in each line. "
        "i explains the key, m shows what each reader reads."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "edit_value", "Edit", "Change the value (or the broken line)"),
        EXPLAIN,
        bind("plus", "add_key", "New key", "Add a key at the end"),
        bind("slash", "filter", "Filter", "Show only lines that contain a text"),
        bind("d", "delete_line", "Delete", "Remove the line"),
        bind("f", "set_right", "Fix", "Set the value that memory has, where it contradicts the line"),
        bind("f2,r", "rename_key", "Rename", "Change the key, not its value", show=False),
        *moves("line"),
    ]

    def is_useful(self, action: str) -> bool:
        """Return whether an action would do something: most need a line, or at least a text."""
        if is_refused(action, self.session):
            return False
        if action in ("edit_value", "delete_line"):
            return self.line() is not None
        if action == "set_right":
            return self.wrong() is not None
        return action not in ("add_key", "filter") or self.session.document.state.vmcoreinfo is not None

    class FilterWanted(Message):
        """The user wants to filter the lines."""

    class Rearranged(Message):
        """A line was moved or duplicated; the cursor followed it to line `number`."""

        def __init__(self, number: int) -> None:
            self.number = number
            super().__init__()

    def __init__(self, session: Session) -> None:
        super().__init__(id="keys", empty=_none(session))
        self.session = session
        self.shown = KeyRows(None)
        self._known: Known | None = None
        """What is known about keys; None until it is loaded."""

    def show_keys(self, shown: KeyRows) -> None:
        """Show other lines."""
        self.shown = shown
        self._fit()
        self.set_rows(shown)

    def show_proof(self, proved: ProvedLines | None) -> None:
        """Show what the kernel's tables in memory say of each line; None: that is not known."""
        if self.shown.proved is not proved and stands(self):
            self.shown.proved = proved
            self.on_resize()

    def know(self, known: Known) -> None:
        """Show who reads each key, and what it is, where there is room."""
        self._known = known
        if stands(self):  # a thread that read the catalogue may answer after the file was closed
            self.on_resize()

    def on_resize(self) -> None:
        self._fit()
        super().on_resize()
        self.refresh()

    def _fit(self) -> None:
        wide = self.screen.size.width >= THREE_COLUMNS
        self.shown.fit(self.size.width, self._known if wide else None)
        self.header = self.shown.header

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        if self.has_focus and (self.shown.line(old) is None) != (self.shown.line(new) is None):
            self.screen.refresh_bindings()  # a removed line has no keys

    def line(self) -> Line | None:
        """Return the line under the cursor."""
        return self.shown.line(self.cursor)

    def proof(self) -> ProvedLine | None:
        """Return what the kernel's tables in memory say of the line under the cursor; None if that is not known."""
        line = self.line()
        return None if line is None else self.shown.proof(line)

    def wrong(self) -> ProvedLine | None:
        """Return what memory says of the line under the cursor if it contradicts it; else None."""
        proof = self.proof()
        return proof if proof is not None and proof.verdict == "contradicted" else None

    def _chosen(self) -> Line | None:
        line = self.line()
        if line is None:
            say(self, self.shown.locked(self.cursor), "warning")
        return line

    def selected_text(self) -> str:
        """Return the line under the cursor without its number."""
        line = self.line()
        return visible(line.body) if line is not None else super().selected_text()

    def selection_reader(self) -> Callable[[], CopiedBytes | None]:
        """Return what reads the bytes of the line under the cursor."""
        from vmci_tui.render.copy_formats import CopiedBytes

        line, document = self.line(), self.session.document
        if line is None:
            return lambda: None
        index = document.state.index
        assert index is not None
        start = document.layout.note_offsets[index] + document.layout.notes[index].desc_start
        return partial(CopiedBytes, line.body, Safe(visible(line.key or b"a line")[:40]), start + line.offset)

    def action_filter(self) -> None:
        self.post_message(self.FilterWanted())

    def action_edit_value(self) -> None:
        line = self._chosen()
        if line is None:
            return

        def make(typed: str) -> Edit:
            body = literal(typed) if line.key is None else line.key + b"=" + literal(typed)
            return Edit.of(edit_text.set_line, line.number, body)

        if line.key is None:
            title, shown, hint = f"Line {line.number} has no key=value", visible(line.body), "write KEY=VALUE"
        else:
            title, shown, hint = visible(line.key), visible(line.value or b""), r"\xNN stands for any byte"
        ask_edit(self, self.session, title, make, shown, hint)

    def action_add_key(self) -> None:
        if self.session.document.state.vmcoreinfo is None:
            say(self, "there is no note text: press a to add a note first", "warning")
            return

        def make(typed: str) -> Edit:
            key, equals, value = typed.partition("=")
            if not equals:
                raise EditError("that has no '='", "write KEY=VALUE, for example PAGESIZE=4096")
            return Edit.of(edit_text.add_key, literal(key), literal(value))

        ask_edit(self, self.session, "New key", make, "", "KEY=VALUE; it becomes the last line")

    def action_delete_line(self) -> None:
        line = self._chosen()
        if line is not None and try_edit(self, self.session, Edit.of(edit_text.delete_line, line.number)):
            text = self.session.document.state.vmcoreinfo
            if text is not None and text.lines:
                self._go_to_line(min(line.number, len(text.lines)))

    def action_rename_key(self) -> None:
        line = self._chosen()
        if line is None:
            return
        if line.key is None:
            say(self, "this line has no key: press Enter to edit it", "warning")
            return

        def make(typed: str) -> Edit:
            return Edit.of(edit_text.rename_key, line.number, literal(typed))

        title = f"The key of line {line.number}"
        ask_edit(self, self.session, title, make, visible(line.key), "the value does not change")

    def action_set_right(self) -> None:
        """Set the value that memory has."""
        proof = self.wrong()
        if proof is None or proof.found is None:
            say(self, "memory does not contradict this line: there is nothing to fix")
        else:
            try_edit(self, self.session, Edit.of(edit_text.set_line, proof.line, proof.key + b"=" + proof.found))

    def action_move_line(self, by: int) -> None:
        line = self._chosen()
        if line is not None and try_edit(self, self.session, Edit.of(edit_text.move_line, line.number, by)):
            self._go_to_line(line.number + by)

    def action_duplicate_line(self) -> None:
        line = self._chosen()
        if line is not None and try_edit(self, self.session, Edit.of(edit_text.duplicate_line, line.number)):
            self._go_to_line(line.number + 1)

    def _go_to_line(self, number: int) -> None:
        if (row := self.shown.index_of(number)) is not None:
            self.select(row)
        self.post_message(self.Rearranged(number))


class KeysPane(Guarded, Vertical):
    """The list of keys, and above it the filter: an input field while the user types, else a line."""

    DEFAULT_CLASSES = "pane"

    class Filtered(Message):
        """The filter changed."""

    def __init__(self, session: Session) -> None:
        super().__init__(id="keys-pane")
        self.session = session
        self.changed: Matching | None = None
        """How the lines differ from those of a file; None if nothing is unsaved."""
        self._proved: ProvedLines | None = None
        """What the kernel's tables in memory say of the lines of the last judged state."""
        self.old: Sequence[Line] = ()
        """The lines that a file has, if anything is unsaved."""
        self._knows = False
        """Whether what is known about keys is loaded, or being loaded: after the first judgement."""
        self._wanted = ""

    def compose(self) -> ComposeResult:
        yield StatusLine("/ filter", id="filter-line")
        yield KeysList(self.session)

    def show_state(self) -> None:
        """Show the lines of the session's document that pass the filter."""
        state = self.session.document.state
        rows = key_rows(state, self._wanted, self.changed, self.old)
        rows.proved = self._proved
        offered = self._offered() if state.note is None and not self.old else None
        if offered is not None:
            from vmci_tui.tui.rows.offered_rows import OfferedRows

            rows = OfferedRows(offered, self._wanted)
        listed = self.query_one(KeysList)
        listed.empty = "" if offered is not None and offered.words else _none(self.session)
        listed.show_keys(rows)
        self.set_class(not rows and not self._wanted, "bare")
        self._show_filter(offered.words if offered is not None else "")
        self.show_title()

    def show_outlook(self) -> None:
        """Show what is known by now of the text that the dump lacks."""
        if self.session.document.state.note is None and not self.old:
            self.show_state()

    def _offered(self) -> OfferedText | None:
        """Return the text that the dump lacks; None as long as nobody looks for it."""
        ahead = self.session.ahead
        if ahead is None or self.session.document.dump is None:
            return None
        from vmci_tui.verdict.offered_text import offered_text

        return offered_text(ahead.outlook)

    def _show_filter(self, offered: str = "") -> None:
        """Show the filter, or without one what a text that the dump lacks is."""
        shown = f"filter: {self._wanted}  (Esc clears it)" if self._wanted else offered or "/ filter"
        self.query_one("#filter-line", StatusLine).set_text(shown)

    def show_judgement(self) -> None:
        """Show what memory says of the lines; while a state is being judged, what it said of those that stayed."""
        keys, judgement = self.query_one(KeysList), self.session.judgement
        if judgement is not None:
            self._proved = judgement.lines
            keys.show_proof(self._proved)
        self.show_title()

    def show_title(self) -> None:
        """Show the number of lines, and whether memory proves them."""
        shown, text = self.query_one(KeysList).shown, self.session.document.state.vmcoreinfo
        proof = self.session.judgement.proof if self.session.judgement is not None else None
        if self.session.judgement is not None and not self._knows:
            self._knows = True
            self.call_after_refresh(self._load)  # the verdict, which takes the processor too, is painted first
        self.border_title = f"4 {shown.title}"
        count = f"{len(shown.lines)} of {len(text.lines)}" if text else ""
        self.border_subtitle = f"{count} lines{proof_words(proof, self._proved)}" if text else shown.summary

    def _load(self) -> None:
        host(self).background().ask(loaded, self.query_one(KeysList).know, host(self).failed, 0)

    # The filter

    @on(KeysList.FilterWanted)
    def _open_filter(self) -> None:
        """Show the input field; it is made only now, because it would cost 4 ms of the first paint."""
        if self.query("#filter"):
            self.query_one("#filter").focus()
            return
        field = Input(self._wanted, placeholder="filter", id="filter", compact=True, select_on_focus=False)
        field.cursor_blink = host(self).settings.blink
        self.query_one("#filter-line").display = False
        self.mount(field, before=0)
        field.focus()

    @on(Input.Changed, "#filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        self._wanted = event.value
        self.show_state()
        if event.value:
            self.post_message(self.Filtered())

    @on(Input.Submitted, "#filter")
    def _close_filter(self) -> None:
        """Replace the input field by the line."""
        self._show_filter()
        self.query_one("#filter-line").display = True
        self.query("#filter").remove()
        self.query_one(KeysList).focus()

    def clear_filter(self) -> bool:
        """Remove the filter and show all lines; return False if there is none."""
        if not self._wanted and not self.query("#filter"):
            return False
        self._wanted = ""
        self._close_filter()
        self.show_state()
        return True

    def on_click(self, event: events.Click) -> None:
        if event.widget is not None and event.widget.id == "filter-line":
            self._open_filter()
        elif event.widget is self:
            self.query_one(KeysList).focus()


def _none(session: Session) -> str:
    """Return what stands in place of the text of a file without one."""
    return _NONE_OF_VM if session.document.runs else _NO_TEXT
