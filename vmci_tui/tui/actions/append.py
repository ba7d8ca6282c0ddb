"""Add a VMCOREINFO note from a file or as a new text; edit its whole text."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from vmci_tui.common.errors import EditError
from vmci_tui.common.safe_text import literal
from vmci_tui.document import edit_notes, edit_text
from vmci_tui.document.edit import Edit
from vmci_tui.document.edit_notes import FromFile
from vmci_tui.formats.vmcoreinfo import TAKEN_OUT, is_indented, unindented
from vmci_tui.tui.prompts import ask, ask_text, choose, make_edit, say

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from vmci_tui.tui.session import Session


def append(node: DOMNode, session: Session) -> None:
    """Add the VMCOREINFO note, or replace it."""
    if session.document.dump is None:
        say(node, "an entry has no notes: open a dump", "warning")
        return
    order = session.document.dump.order

    def append_file(typed: str) -> None:
        from vmci_tui.opening.note_inputs import note_or_text

        path = typed.strip()
        session.refuse_outside(path)
        note = note_or_text(path)
        # As the option of the shell command is named.
        form: Literal["note", "text"] = "text" if os.path.getsize(path) == len(note.desc) else "note"
        indented = form == "text" and is_indented(note.desc)
        if indented:
            note = edit_notes.note_around(unindented(note.desc), order)
        make_edit(node, session, Edit.of(edit_notes.append_found, FromFile(note, path, form), order))
        if indented:
            say(node, TAKEN_OUT)

    def typed_note(typed: str) -> Edit:
        text = _typed_text(typed)
        if not text:
            raise EditError("there is no text", "type lines such as PAGESIZE=4096")
        text = text if text.endswith(b"\n") else text + b"\n"
        text = unindented(text) if is_indented(text) else text  # as crash prints it
        return Edit.of(edit_notes.append_text, text, order)

    def chosen(choice: str | None) -> None:
        if choice == "file":
            ask(node, "Append the note of", append_file, "", "key=value text, a raw note, or a dump that has one")
        elif choice == "nothing":
            ask_text(node, session, b"", typed_note, "The text of the new note")

    title = "Replace the VMCOREINFO note" if session.document.state.note else "Append a VMCOREINFO note"
    choices = (
        ("file", "From a file: a text, a raw note, or another dump"),
        ("nothing", "New: type the text"),
    )
    choose(node, title, choices, chosen)


def edit_whole_text(node: DOMNode, session: Session) -> None:
    """Edit the whole text of the note."""
    text = session.document.state.vmcoreinfo
    if text is None:
        say(node, "there is no note text: press a to add a note first", "warning")
        return

    def make(typed: str) -> Edit:
        return Edit.of(edit_text.set_text, _typed_text(typed))

    ask_text(node, session, text.text, make, "The text of the note")


def _typed_text(typed: str) -> bytes:
    return b"\n".join(literal(line) for line in typed.split("\n"))
