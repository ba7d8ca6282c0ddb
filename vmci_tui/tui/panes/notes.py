"""The pane of the notes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from vmci_tui.common.safe_text import Safe, literal, visible
from vmci_tui.document import edit_notes
from vmci_tui.document.derived_entry import derived_words
from vmci_tui.document.edit import Edit
from vmci_tui.document.note_table import note_lines
from vmci_tui.formats.fw_cfg_entry import parse_number
from vmci_tui.tui.bindings import EXPLAIN, OPEN_ENTRY, bind, moves
from vmci_tui.tui.panes.copy import file_bytes
from vmci_tui.tui.prompts import ask_edit, say, try_edit
from vmci_tui.tui.rows.note_rows import NoteRows
from vmci_tui.tui.session import Session
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.useful_actions import is_refused, is_useful

if TYPE_CHECKING:
    from vmci_tui.changes.matching import Matching
    from vmci_tui.render.copy_formats import CopiedBytes


class NotesList(LineList):
    """The notes of the dump."""

    DEFAULT_CLASSES = "pane"
    enter_action = "rename_note"

    about = (
        "Notes: the ELF notes of the dump: one or more for each CPU, and VMCOREINFO, whose text describes the kernel "
        "to debuggers. Readers use the last whole note of that name."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "rename_note", "Rename", "Change the note's name"),
        EXPLAIN,
        bind("t", "retype_note", "Retype", "Change the note's type"),
        bind("d", "drop_note", "Delete", "Remove the note"),
        *OPEN_ENTRY,
        *moves("note"),
    ]

    def is_useful(self, action: str) -> bool:
        """Return whether an action would do something: most need a note."""
        if not is_useful(action, self.session) or is_refused(action, self.session):
            return False
        return bool(self.session.document.state.notes) or action == "screen.open_entry"

    def __init__(self, session: Session) -> None:
        super().__init__(id="notes", empty="no notes: [a] adds one")
        self.session = session
        self.shown = NoteRows(())
        self.changed: Matching | None = None
        """How the notes differ from those of a file; None if nothing is unsaved."""
        self._types: dict[int, str] = {}
        """The names of the types of CORE notes; empty until they are loaded."""

    def show_state(self) -> None:
        """Show the state of the session's document."""
        self.shown = NoteRows(note_lines(self.session.document, self._types), self.changed)
        self.header = self.shown.header
        state, dump = self.session.document.state, self.session.document.dump
        self.border_subtitle = "" if dump is None or state.entry is not None else derived_words(state, dump.machine)
        self.set_rows(self.shown)

    def show_judgement(self) -> None:
        """Get the types' names from pyelftools after the verdict is painted: the import would delay it by 17 ms."""
        if not self._types and self.session.judgement is not None:
            self.call_after_refresh(self._name_types)

    def _name_types(self) -> None:
        from elftools.elf.enums import ENUM_CORE_NOTE_N_TYPE

        self._types = {number: name for name, number in ENUM_CORE_NOTE_N_TYPE.items() if isinstance(number, int)}
        self.show_state()

    def _chosen(self) -> int | None:
        if self.cursor < len(self.session.document.state.notes):
            return self.cursor
        say(self, "no note is selected", "warning")
        return None

    def selection_reader(self) -> Callable[[], CopiedBytes | None]:
        """Return what reads the bytes of the note under the cursor."""
        layout = self.session.document.layout
        if self.cursor >= len(layout.notes):
            return lambda: None
        at, note = layout.note_offsets[self.cursor], layout.notes[self.cursor]
        return partial(file_bytes, self.session.document, at, len(note.raw), Safe(f"note {self.cursor}"))

    def action_rename_note(self) -> None:
        index = self._chosen()
        if index is None:
            return

        def make(typed: str) -> Edit:
            return Edit.of(edit_notes.rename_note, index, literal(typed))

        shown = visible(self.session.document.state.notes[index].name)
        ask_edit(self, self.session, f"Name of note {index}", make, shown, r"with its final NUL, typed as \x00")

    def action_retype_note(self) -> None:
        index = self._chosen()
        if index is None:
            return

        def make(typed: str) -> Edit:
            return Edit.of(edit_notes.retype_note, index, parse_number(typed))

        value = f"{self.session.document.state.notes[index].type:#x}"
        hint = "0 for VMCOREINFO; decimal, or hex with 0x"
        ask_edit(self, self.session, f"Type of note {index}", make, value, hint)

    def action_drop_note(self) -> None:
        index = self._chosen()
        if index is not None:
            try_edit(self, self.session, Edit.of(edit_notes.drop_note, index))

    def action_move_note(self, by: int) -> None:
        index = self._chosen()
        if index is not None and try_edit(self, self.session, Edit.of(edit_notes.move_note, index, by)):
            self.action_move(by)

    def action_duplicate_note(self) -> None:
        index = self._chosen()
        if index is not None and try_edit(self, self.session, Edit.of(edit_notes.duplicate_note, index)):
            self.action_move(1)
