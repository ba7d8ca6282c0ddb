"""Moving, duplicating and renaming keys and notes, and typing over bytes in the hex view."""

from __future__ import annotations

from typing import NamedTuple

from vmci_tui.common.errors import EditError, VmciError
from vmci_tui.common.safe_text import literal, visible
from vmci_tui.document import edit_entry, edit_notes, edit_text
from vmci_tui.document.edit import Edit
from vmci_tui.document.state import State
from vmci_tui.formats.vmcoreinfo import Line
from vmci_tui.tui.actions.edit_actions import EditActions
from vmci_tui.tui.panes.panes import HexPane, KeysList, NotesList


class _Run(NamedTuple):
    """Bytes that were typed one after the other: one step of undo."""

    note: int | None
    """None for the entry."""
    at: int
    data: bytes
    state: State | None
    """What they led to."""


class ArrangeActions(EditActions):
    """Edits of whole lines and notes, and of single bytes."""

    _run: _Run | None = None

    # Lines

    def _line(self) -> Line | None:
        keys = self.query_one(KeysList)
        if keys.cursor < len(keys.shown.lines):
            return keys.shown.lines[keys.cursor]
        self.say("a Windows header is left alone" if keys.rows else "no line is selected", "warning")
        return None

    def _select_line(self, number: int) -> None:
        keys = self.query_one(KeysList)
        if (row := keys.shown.index_of(number)) is not None:
            keys.select(row)
        self.point_at_line(number)

    def action_move_line(self, by: int) -> None:
        line = self._line()
        if line is None:
            return
        if self.try_edit(Edit.of(edit_text.move_line, line.number, by)):
            self._select_line(line.number + by)
            self.tell_command()

    def action_duplicate_line(self) -> None:
        line = self._line()
        if line is not None and self.try_edit(Edit.of(edit_text.duplicate_line, line.number)):
            self._select_line(line.number + 1)
            self.tell_command()

    def action_rename_key(self) -> None:
        line = self._line()
        if line is None:
            return
        if line.key is None:
            self.say("this line has no key: Enter edits it", "warning")
            return

        def make(typed: str) -> Edit:
            return Edit.of(edit_text.rename_key, line.number, literal(typed))

        self._ask_edit(f"The key of line {line.number}", make, visible(line.key), "its value stays")

    # Notes

    def action_move_note(self, by: int) -> None:
        index = self._note_index()
        if index is not None and self.try_edit(Edit.of(edit_notes.move_note, index, by)):
            self.query_one(NotesList).action_move(by)

    def action_duplicate_note(self) -> None:
        index = self._note_index()
        if index is not None and self.try_edit(Edit.of(edit_notes.duplicate_note, index)):
            self.query_one(NotesList).action_move(1)

    # Bytes

    def action_overwrite(self) -> None:
        """Type over the bytes of a note, or of the entry, in the hex view; ESC ends it."""
        view = self.query_one(HexPane)
        if view.writing:
            view.write(False)
            return
        try:
            self._target()
        except EditError as error:
            self.say(str(error), "warning")
            return
        self._run = None
        view.write(True)

    def _target(self) -> tuple[int | None, int]:
        """The note (None: the entry) under the cursor, and the byte of it. Raises EditError for all else."""
        view = self.query_one(HexPane)
        place = view.place()
        if place is None:
            raise EditError("there is no byte here")
        if place.kind == "entry" or (self.document.dump is None and self.document.state.entry is not None):
            return None, view.cursor
        if place.note is not None:
            return place.note, view.cursor - self.document.layout.note_offsets[place.note]
        if place.kind == "memory":
            raise EditError("guest memory is never edited", "only the bytes of notes and of an entry are")
        raise EditError("these bytes are made anew by each save", "only the bytes of notes and of an entry are edited")

    def on_hex_view_typed(self, event: HexPane.Typed) -> None:
        try:
            note, at = self._target()
            self._write_byte(note, at, event.byte)
        except VmciError as error:
            self.say(str(error), "error")
            return
        view = self.query_one(HexPane)
        start = 0 if note is None else self.document.layout.note_offsets[note]
        view.go(start + at + 1)
        view.mark_place()
        self.follow_cursor()
        self.tell_command()

    def _write_byte(self, note: int | None, at: int, byte: bytes) -> None:
        """One more byte of a run, or the first of a new one."""
        document, run = self.document, self._run
        goes_on = run is not None and run.state is document.state and (run.note, run.at + len(run.data)) == (note, at)
        if goes_on and run is not None:
            start, data = run.at, run.data + byte
            document.undo()
        else:
            start, data = at, byte
        where = "the entry" if note is None else f"note {note}"
        shown = data.hex(" ") if len(data) <= 8 else f"{len(data)} bytes"
        try:
            changed = document.edit(self._written(note, start, data).named(f"write {shown} at byte {start} of {where}"))
        except VmciError:
            if goes_on:
                document.redo()
            raise
        self._run = _Run(note, start, data, document.state) if changed else None
        if changed:
            self.show_state()

    def _written(self, note: int | None, at: int, data: bytes) -> Edit:
        document = self.document
        if note is None:
            return Edit.of(edit_entry.overwrite_entry, at, data)
        assert document.dump is not None
        raw = document.layout.notes[note].raw
        typed = raw[:at] + data + raw[at + len(data) :]
        return Edit.of(edit_notes.overwrite_note, note, typed, document.dump.order)
