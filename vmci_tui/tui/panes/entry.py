"""The pane of the fw_cfg entry: its fields and the guest's writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.message import Message

from vmci_tui.common.errors import EditError, VmciError
from vmci_tui.common.safe_text import typed_path, visible
from vmci_tui.document import edit_entry
from vmci_tui.document.edit import Edit
from vmci_tui.formats.elf_note import NAME, build
from vmci_tui.formats.fw_cfg_entry import GDB_COMMAND, LENGTH, Write, parse_number
from vmci_tui.tui.bindings import OPEN_ENTRY, TRIES, bind
from vmci_tui.tui.panes.copy import entry_bytes
from vmci_tui.tui.panes.rows import RowTarget, entry_rows
from vmci_tui.tui.prompts import ask, ask_text, refuses_edit, say, try_edit
from vmci_tui.tui.session import Session
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.useful_actions import is_refused, is_useful

if TYPE_CHECKING:
    from vmci_tui.document.entry_templates import EntryTemplate
    from vmci_tui.document.state import State
    from vmci_tui.qemu.ask import Answer
    from vmci_tui.render.copy_formats import CopiedBytes
    from vmci_tui.tui.widgets.dialogs import TextDialog

_WIDE = 100
"""Cells of the narrowest pane where a field and its meaning fit into one line."""
_WIDTHS = {"host_format": 16, "guest_format": 16, "size": 32, "paddr": 64}
"""Bits of each field."""
_NO_ENTRY = "no entry is open: press E to open the entry of this dump"


class EntryList(LineList):
    """The entry's fields and the guest's writes."""

    class Answered(Message):
        """A real QEMU was asked about a state."""

        def __init__(self, state: State, answer: Answer) -> None:
            self.state, self.answer = state, answer
            super().__init__()

    DEFAULT_CLASSES = "pane"
    enter_action = "edit_entry"

    about = (
        "Entry: the 16 bytes that the guest wrote into QEMU's fw_cfg file etc/vmcoreinfo: the address and size "
        "of its note. A dump does not have them; without an entry they are derived from the dump's note."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "edit_entry", "Edit", "Change the field or the write"),
        *TRIES,
        bind("d", "delete_write", "Delete", "Remove the write"),
        *OPEN_ENTRY,
        bind("Y", "export", "qtest", "Write the guest's writes as C for a qtest of QEMU", show=False),
    ]

    def is_useful(self, action: str) -> bool:
        """Return whether an action would do something with the row under the cursor, or the file."""
        target, document = self.target(), self.session.document
        match action:
            case _ if is_refused(action, self.session):
                return False
            case "edit_entry":
                return document.state.entry is not None and target is not None and target.kind in ("field", "write")
            case "delete_write":
                return target is not None and target.kind == "write"
            case "ask_qemu":
                return document.state.entry is not None
            case _:
                return is_useful(action, self.session)

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        if self.has_focus:
            self.screen.refresh_bindings()  # which keys are useful depends on the row

    def __init__(self, session: Session) -> None:
        super().__init__(id="entry")
        self.session = session
        self.targets: Sequence[RowTarget] = ()

    def show_state(self) -> None:
        """Show the state of the session's document."""
        rows = entry_rows(self.session.document, wide=self.size.width >= _WIDE)
        self.targets = [target for _, target in rows]
        folded = (at for at in range(1, len(rows)) if self.targets[at] == self.targets[at - 1])
        self.set_rows([row for row, _ in rows], tuple(folded))

    def on_resize(self) -> None:
        self.show_state()

    def target(self) -> RowTarget | None:
        """Return what the row under the cursor is about."""
        return self.targets[self.cursor] if self.cursor < len(self.targets) else None

    def described(self) -> str:
        """Return all text about the field or write under the cursor; the rows may be folded or cut."""
        target = self.target()
        rows = [row for row, other in zip(self.rows, self.targets, strict=True) if other == target]
        return " ".join(" ".join(text.strip() for text, _ in row) for row in rows).strip()

    def row_at(self, offset: int) -> int | None:
        """Return the row of the field that begins at `offset` of the entry."""
        for row, target in enumerate(self.targets):
            if target.kind == "field" and target.span is not None and target.span.offset == offset:
                return row
        return None

    def selection_reader(self) -> Callable[[], CopiedBytes | None]:
        """Return what reads the field under the cursor, else the whole entry."""
        target = self.target()
        return partial(entry_bytes, self.session.document, target.span if target is not None else None)

    def action_edit_entry(self) -> None:
        target, history = self.target(), self.session.document.state.entry
        if history is None:
            say(self, _NO_ENTRY, "warning")
        elif target is not None and target.kind == "field":
            self._ask_field(target.key, history.entry._asdict()[target.key])
        elif target is not None and target.kind == "write":
            self._ask_write(f"Write {target.number + 1}", history.writes[target.number], target.number)
        else:
            say(self, "to change a field or a write, put the cursor on it", "warning")

    def _ask_field(self, name: str, value: int) -> None:
        if refuses_edit(self, self.session):
            return

        def make(typed: str) -> Edit:
            return Edit.of(edit_entry.set_field, name, parse_number(typed))

        from vmci_tui.tui.panes.entry_dialog import EntryDialog, EntryField

        hint = f"decimal, or hex with 0x; 0 to {(1 << _WIDTHS[name]) - 1:#x}"
        title = f"{name} = {value} = {value:#x}"
        self.app.push_screen(EntryDialog(self.session, title, [EntryField(name, f"{value:#x}")], make, hint))

    def action_add_write(self) -> None:
        history = self.session.document.state.entry
        if history is None:
            say(self, _NO_ENTRY, "warning")
        else:
            self._ask_write("A write of the guest", Write(0, LENGTH, history.entry.pack()), None)

    def _ask_write(self, title: str, shown: Write, index: int | None) -> None:
        if refuses_edit(self, self.session):
            return
        from vmci_tui.tui.panes.entry_dialog import EntryDialog, EntryField, Preset

        def make(typed: str) -> Edit:
            write = _write_of(typed)
            if index is None:
                return Edit.of(edit_entry.add_write, write)
            return Edit.of(edit_entry.change_write, index, write)

        history = self.session.document.state.entry
        assert history is not None
        data, half = history.entry.pack().hex(), LENGTH
        presets = (
            Preset("all 16", ("0", data)),
            Preset("first 8", ("0", data[:half])),
            Preset("last 8", ("8", data[half:])),
        )
        fields = (
            EntryField("offset", str(shown.offset)),
            EntryField("bytes", "" if shown.data is None else shown.data.hex()),
        )
        hint = "bytes as hex digits; only 16 bytes at offset 0 make the note present"
        self.app.push_screen(EntryDialog(self.session, title, fields, make, hint, presets))

    def action_templates(self) -> None:
        """Add writes by a template."""
        from vmci_tui.tui.panes.templates_dialog import TemplatesDialog, template_edit

        history = self.session.document.state.entry
        if history is None:
            say(self, _NO_ENTRY, "warning")
            return
        if refuses_edit(self, self.session):
            return

        def chosen(template: EntryTemplate | None) -> None:
            if template is not None:
                try_edit(self, self.session, template_edit(template, history))

        self.app.push_screen(TemplatesDialog(self.session.document), chosen)

    def action_open_entry(self) -> None:
        """Open the entry that belongs to the dump."""
        document = self.session.document
        if document.dump is None or document.modified:
            words = "an entry has no other entry" if document.dump is None else "save or undo the edits first"
            say(self, words, "warning")
            return

        def accept(path: str) -> None:
            self.session.attach_entry(typed_path(path))

        ask(self, "The entry of this dump", accept, "", "a blob of 16 bytes, or NAME.write.json")

    def action_paste_entry(self, pasted: str = "") -> None:
        """Set the entry from text: gdb's output about QEMU, or the address and size in /sys/kernel/vmcoreinfo."""
        from vmci_tui.formats.entry_from_text import from_text

        def make(typed: str) -> Edit:
            return Edit.of(edit_entry.set_entry, from_text(typed.encode()))

        title = f"Paste the output of gdb on a running QEMU (or the guest's /sys/kernel/vmcoreinfo):\n{GDB_COMMAND}"
        ask_text(self, self.session, pasted.encode("utf-8", "backslashreplace"), make, title)

    def action_export(self) -> None:
        """Write the guest's writes to a new file, as C for a qtest."""
        history = self.session.document.state.entry
        if history is None:
            say(self, _NO_ENTRY, "warning")
            return

        def accept(typed: str) -> None:
            from vmci_tui.render.qtest_snippet import qtest_lines
            from vmci_tui.saving.new_file import write_new

            path = typed_path(typed)
            self.session.refuse_outside(path)
            write_new(path, "".join(f"{line}\n" for line in qtest_lines(history)).encode("ascii"))
            say(self, f"written: {visible(path)}")

        hint = "a new file, for a test under tests/qtest/ of QEMU; vmci show FILE --qtest prints the same"
        ask(self, "Write the guest's writes as C to", accept, "vmcoreinfo-writes.c", hint)

    def action_delete_write(self) -> None:
        target = self.target()
        if target is None or target.kind != "write":
            say(self, "to remove a write, put the cursor on it", "warning")
        else:
            try_edit(self, self.session, Edit.of(edit_entry.delete_write, target.number))

    def action_ask_qemu(self) -> None:
        """Ask the installed QEMU what it does with this entry and note; it takes a second, in a thread."""
        if self.session.document.state.entry is None:
            say(self, "QEMU can only be asked about an entry: press E to open the entry of this dump", "warning")
            return
        say(self, "asking QEMU")
        self.run_worker(self._ask_qemu, thread=True, exclusive=True, group="ask")

    def _ask_qemu(self) -> None:
        """Ask QEMU, in a thread: only read the document, touch no widget."""
        document, state = self.session.document, self.session.document.state
        history, note = state.entry, state.note
        assert history is not None
        raw = note.raw if note is not None else build(NAME, 0, b"OSRELEASE=6.1.0\n", "little").raw
        machine = document.dump.machine if document.dump else None
        from vmci_tui.tui.widgets.dialogs import TextDialog

        try:
            from vmci_tui.qemu.answer_report import answer_text
            from vmci_tui.qemu.ask import ask as ask_qemu
            from vmci_tui.qemu.targets import TARGETS

            target = machine if machine is not None and machine in TARGETS else "x86_64"
            answer = ask_qemu(history, raw, target)
        except VmciError as error:
            self.app.call_from_thread(say, self, str(error), "error")
            return
        self.post_message(self.Answered(state, answer))
        which = "note" if note is not None else "a note of ours, as no dump is open"
        dialog = TextDialog(f"What a real QEMU does with this entry and {which}", tuple(answer_text(answer)))
        self.app.call_from_thread(self._show_answer, dialog)

    def _show_answer(self, dialog: TextDialog) -> None:
        self.app.clear_notifications()  # "asking QEMU"
        self.app.push_screen(dialog)


def _write_of(typed: str) -> Write:
    """Parse a guest's write from its offset, a blank and hex digits. Raises EditError."""
    from vmci_tui.formats.hex_dump import read_pasted

    offset, _, digits = typed.strip().partition(" ")
    if not digits.strip():
        raise EditError("a write needs at least one byte", "type hex digits")
    data = read_pasted(digits)
    write = Write(parse_number(offset), len(data), data)
    if not 0 <= write.offset < 1 << 32:
        raise EditError("the offset of a write must be 0 to 2^32-1", "type 0 for a full write")
    return write
