"""The edits of the main screen: each asks for a value and makes one step of the document."""

from __future__ import annotations

import os
from typing import Literal

from vmci_tui.common.errors import EditError, VmciError
from vmci_tui.common.safe_text import literal, visible
from vmci_tui.document import edit_entry, edit_notes, edit_text
from vmci_tui.document.edit import Edit
from vmci_tui.document.edit_notes import FromFile
from vmci_tui.formats.fw_cfg_entry import GDB_COMMAND, Write, parse_number
from vmci_tui.formats.indented_text import TAKEN_OUT, is_indented, unindented
from vmci_tui.opening.open_file import attach_entry
from vmci_tui.tui.actions.explain_actions import ExplainActions
from vmci_tui.tui.actions.judge_actions import Make
from vmci_tui.tui.panes.panes import EntryList, FindingsList, KeysList, NotesList


class EditActions(ExplainActions):
    """Actions that change the state."""

    def edit(self, edit: Edit) -> bool:
        """Make one undoable step, and show it. Raises VmciError where it cannot be made, or not be saved."""
        if not self.document.edit(edit):
            self.say("that changes nothing")
            return False
        self.show_state()
        self.tell_command()
        return True

    def try_edit(self, edit: Edit) -> bool:
        """An edit that is asked for by a key: what goes wrong is said, not raised. Whether anything changed."""
        try:
            return self.edit(edit)
        except VmciError as error:
            self.say(str(error), "error")
            return False

    def point_at_line(self, number: int) -> None:
        raise NotImplementedError

    def _ask_edit(self, title: str, make: Make, value: str = "", hint: str = "") -> None:
        """Ask for what makes an edit; while it is typed the dialog shows what every reader would say."""
        self.ask(title, lambda typed: self._make(make, typed), value, hint, self.judge_typed(make))

    def _ask_text(self, text: bytes, make: Make, title: str) -> None:
        """The same for a whole text."""
        from vmci_tui.tui.widgets.dialogs import EditText

        self.app.push_screen(EditText(text, lambda typed: self._make(make, typed), title, self.judge_typed(make)))

    def _make(self, make: Make, typed: str) -> None:
        self.edit(make(typed))

    def action_undo(self) -> None:
        edit = self.document.undo()
        if edit is not None:
            self.show_state()
        self.say(f"undone: {edit.label}" if edit else "nothing to undo")

    def action_redo(self) -> None:
        edit = self.document.redo()
        if edit is not None:
            self.show_state()
        self.say(f"done again: {edit.label}" if edit else "nothing to redo")

    # The entry

    def action_edit_entry(self) -> None:
        target = self.query_one(EntryList).target()
        history = self.document.state.entry
        if history is None:
            self.say("no entry is open: b opens the one that belongs to this dump", "warning")
        elif target is not None and target.kind == "field":
            self._ask_field(target.key, history.entry._asdict()[target.key])
        elif target is not None and target.kind == "write":
            write = history.writes[target.number]
            shown = f"{write.offset} {'' if write.data is None else write.data.hex()}"
            self._ask_write(f"Write {target.number + 1}", shown, target.number)
        else:
            self.say("put the cursor on a field, or on a write, to change it", "warning")

    def _ask_field(self, name: str, value: int) -> None:
        width = {"host_format": 16, "guest_format": 16, "size": 32, "paddr": 64}[name]
        hint = f"decimal, or hex with 0x; 0 to {(1 << width) - 1:#x}"

        def make(typed: str) -> Edit:
            return Edit.of(edit_entry.set_field, name, parse_number(typed))

        self._ask_edit(f"{name} = {value} = {value:#x}", make, f"{value:#x}", hint)

    def action_add_write(self) -> None:
        if self.document.state.entry is None:
            self.say("no entry is open: b opens the one that belongs to this dump", "warning")
            return
        self._ask_write("A write of the guest", f"0 {self.document.state.entry.entry.pack().hex()}", None)

    def _ask_write(self, title: str, value: str, index: int | None) -> None:
        def make(typed: str) -> Edit:
            from vmci_tui.formats.hex_dump import read_pasted

            offset, _, digits = typed.strip().partition(" ")
            if not digits.strip():
                raise EditError("a write of no bytes changes nothing", "OFFSET HEXBYTES")
            data = read_pasted(digits)
            write = Write(parse_number(offset), len(data), data)
            if not 0 <= write.offset < 1 << 32:
                raise EditError("the offset of a write is from 0 to 2^32-1", "0 for a full write")
            if index is None:
                return Edit.of(edit_entry.add_write, write)
            return Edit.of(edit_entry.change_write, index, write)

        self._ask_edit(title, make, value, "OFFSET HEXBYTES; only 16 bytes at offset 0 make the note present")

    def action_open_entry(self) -> None:
        """Open the entry that belongs to the dump."""
        document = self.document
        if document.dump is None or document.modified:
            words = "this is an entry already" if document.dump is None else "save or undo the edits first"
            self.say(words, "warning")
            return

        def accept(path: str) -> None:
            self.vmci.refuse_outside(path.strip())
            attach_entry(document, path.strip())
            self.show_state()

        self.ask("The entry of this dump", accept, "", "a blob of 16 bytes, or NAME.write.json")

    def action_paste_entry(self) -> None:
        """The entry as text: what gdb prints of QEMU's own state, or the pair in /sys/kernel/vmcoreinfo."""
        from vmci_tui.formats.entry_from_text import from_text

        def make(typed: str) -> Edit:
            return Edit.of(edit_entry.set_entry, from_text(typed.encode()))

        title = f"Paste what gdb prints of a running QEMU (or the guest's /sys/kernel/vmcoreinfo):\n{GDB_COMMAND}"
        self._ask_text(b"", make, title)

    def action_delete_write(self) -> None:
        target = self.query_one(EntryList).target()
        if target is None or target.kind != "write":
            self.say("put the cursor on a write to take it out", "warning")
            return
        self.try_edit(Edit.of(edit_entry.delete_write, target.number))

    # Notes

    def action_rename_note(self) -> None:
        index = self._note_index()
        if index is None:
            return
        shown = visible(self.document.state.notes[index].name)

        def make(typed: str) -> Edit:
            return Edit.of(edit_notes.rename_note, index, literal(typed))

        self._ask_edit(f"Name of note {index}", make, shown, r"with its NUL, which is written \x00")

    def action_retype_note(self) -> None:
        index = self._note_index()
        if index is None:
            return

        def make(typed: str) -> Edit:
            return Edit.of(edit_notes.retype_note, index, parse_number(typed))

        value = f"{self.document.state.notes[index].type:#x}"
        self._ask_edit(f"Type of note {index}", make, value, "0 for VMCOREINFO; decimal, or hex with 0x")

    def action_drop_note(self) -> None:
        index = self._note_index()
        if index is not None:
            self.try_edit(Edit.of(edit_notes.drop_note, index))

    def _note_index(self) -> int | None:
        cursor = self.query_one(NotesList).cursor
        if cursor >= len(self.document.state.notes):
            self.say("no note is selected", "warning")
            return None
        return cursor

    def action_strip(self) -> None:
        self.try_edit(Edit.of(edit_notes.strip))

    # Keys and text

    def action_edit_value(self) -> None:
        keys = self.query_one(KeysList)
        if keys.cursor >= len(keys.shown.lines):
            self.say("a Windows header is left alone" if keys.rows else "no line is selected", "warning")
            return
        line = keys.shown.lines[keys.cursor]

        def make(typed: str) -> Edit:
            body = literal(typed) if line.key is None else line.key + b"=" + literal(typed)
            return Edit.of(edit_text.set_line, line.number, body)

        if line.key is None:
            self._ask_edit(f"Line {line.number} has no key=value", make, visible(line.body), "write KEY=VALUE")
        else:
            self._ask_edit(visible(line.key), make, visible(line.value or b""), r"\xNN stands for any byte")

    def action_add_key(self) -> None:
        if self.document.state.vmcoreinfo is None:
            self.say("there is no text to add a key to: [a] appends a note", "warning")
            return

        def make(typed: str) -> Edit:
            key, equals, value = typed.partition("=")
            if not equals:
                raise EditError("that has no '='", "write KEY=VALUE, for example PAGESIZE=4096")
            return Edit.of(edit_text.add_key, literal(key), literal(value))

        self._ask_edit("New key", make, "", "KEY=VALUE; it is added as the last line")

    def action_delete_line(self) -> None:
        keys = self.query_one(KeysList)
        if keys.cursor >= len(keys.shown.lines):
            self.say("a Windows header is left alone" if keys.rows else "no line is selected", "warning")
            return
        line = keys.shown.lines[keys.cursor]
        self.try_edit(Edit.of(edit_text.delete_line, line.number))

    def action_edit_text(self) -> None:
        text = self.document.state.vmcoreinfo
        if text is None:
            self.say("there is no text to edit: [a] appends a note", "warning")
            return

        def make(typed: str) -> Edit:
            return Edit.of(edit_text.set_text, _typed_text(typed))

        self._ask_text(text.text, make, "The text of the note")

    # Appending

    def action_append(self) -> None:
        if self.document.dump is None:
            self.say("this is an entry, it has no notes: open a dump", "warning")
            return
        choices = (
            ("file", "From a file: a text, a raw note, or another dump"),
            ("nothing", "From nothing: type the text"),
        )

        def chosen(choice: str | None) -> None:
            if choice == "file":
                hint = "key=value text, a raw note, or a dump that has one"
                self.ask("Append the note of", self._append_file, "", hint)
            elif choice == "nothing":
                self._ask_text(b"", self._typed_note, "A new note: its text")

        title = "Replace the VMCOREINFO note" if self.document.state.note else "Append a VMCOREINFO note"
        self.choose(title, choices, chosen)

    def _append_file(self, path: str) -> None:
        from vmci_tui.opening.note_inputs import note_or_text

        assert self.document.dump is not None
        order = self.document.dump.order
        self.vmci.refuse_outside(path.strip())
        note = note_or_text(path.strip())
        # As the shell's option says it.
        form: Literal["note", "text"] = "text" if os.path.getsize(path.strip()) == len(note.desc) else "note"
        indented = form == "text" and is_indented(note.desc)
        if indented:
            note = edit_notes.note_around(unindented(note.desc), order)
        self.edit(Edit.of(edit_notes.append_found, FromFile(note, path.strip(), form), order))
        if indented:
            self.say(TAKEN_OUT)

    def _typed_note(self, typed: str) -> Edit:
        assert self.document.dump is not None
        order = self.document.dump.order
        text = _typed_text(typed)
        if not text:
            raise EditError("there is no text", "type lines such as PAGESIZE=4096")
        text = text if text.endswith(b"\n") else text + b"\n"
        text = unindented(text) if is_indented(text) else text  # as somebody pastes it out of crash
        return Edit.of(edit_notes.append_text, text, order)

    def action_fix(self) -> None:
        finding = self.query_one(FindingsList).finding()
        if finding is None:
            self.say("there is nothing to fix")
        elif finding.fix is None:
            self.say("this finding has no one-key fix: it tells why", "warning")
        else:
            self.try_edit(finding.fix)


def _typed_text(typed: str) -> bytes:
    return b"\n".join(literal(line) for line in typed.split("\n"))
