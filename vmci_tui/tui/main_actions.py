"""What the keys of the main screen do to the file, and the screens that they open; loaded at the first such key."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal

from vmci_tui.adoption.choose import adopted
from vmci_tui.common.errors import EditError, SaveError, VmciError
from vmci_tui.common.safe_text import literal, typed_path, visible
from vmci_tui.document import edit_headers, edit_notes, edit_text
from vmci_tui.document.edit import Edit
from vmci_tui.document.edit_notes import FromFile
from vmci_tui.formats.entry_from_text import is_entry_text
from vmci_tui.formats.fw_cfg_entry import parse_number
from vmci_tui.formats.vmcoreinfo import TAKEN_OUT, is_indented, unindented
from vmci_tui.opening.folder_listing import pasted_path
from vmci_tui.opening.note_inputs import note_or_text
from vmci_tui.render.dump_report import header_report
from vmci_tui.render.shell_script import look_commands
from vmci_tui.repair.next_commands import copy_of, next_commands
from vmci_tui.tui.disk.save_session import SaveOutcome, SaveSession, UndoableSave, overwritten_lines, undoable_saves
from vmci_tui.tui.host import host
from vmci_tui.tui.live.vm_actions import VmActions, refuses_repair
from vmci_tui.tui.prompts import ask, ask_edit, ask_text, choose, is_judged, make_edit, refuses_edit, say, try_edit
from vmci_tui.tui.session import Session
from vmci_tui.verdict.closing import closing

if TYPE_CHECKING:
    from textual.screen import Screen

    from vmci_tui.common.span import Span
    from vmci_tui.findings.judgement import Judgement
    from vmci_tui.search.candidate import RankedCandidate
    from vmci_tui.tui.screens.repair_screen import RepairResult

_SHOWN = 8
"""Lines of bytes that a question shows at most."""


class MainActions:
    """The actions of one main screen."""

    def __init__(self, screen: Screen[None], session: Session, show_note: Callable[[], None]) -> None:
        """`show_note` goes to the note, after it was put into the dump."""
        self._screen, self.session, self._show_note = screen, session, show_note
        self._vm = VmActions(screen, session)

    def _say(self, words: str, severity: Literal["information", "warning", "error"] = "warning") -> None:
        say(self._screen, words, severity)

    def refresh(self) -> None:
        """Ask a running VM again; what is open stays if it does not answer."""
        self._vm.refresh()

    # The note and its text

    def append(self) -> None:
        """Add the VMCOREINFO note, or replace it: by that of a file, or by a typed text."""
        if self.session.document.dump is None:
            self._say("an entry has no notes: open a dump")
            return
        if refuses_edit(self._screen, self.session):
            return

        def chosen(choice: str | None) -> None:
            if choice == "file":
                hint = "key=value text, a raw note, or a dump that has one"
                ask(self._screen, "Append the note of", self._append_file, "", hint)
            elif choice == "nothing":
                ask_text(self._screen, self.session, b"", self._typed_note, "The text of the new note")

        title = "Replace the VMCOREINFO note" if self.session.document.state.note else "Append a VMCOREINFO note"
        choices = (("file", "From a file: a text, a raw note, or another dump"), ("nothing", "New: type the text"))
        choose(self._screen, title, choices, chosen)

    def _append_file(self, typed: str) -> None:
        path = typed_path(typed)
        self.session.refuse_outside(path)
        note, order = note_or_text(path), self.session.order
        # As the option of the shell command is named.
        form: Literal["note", "text"] = "text" if os.path.getsize(path) == len(note.desc) else "note"
        indented = form == "text" and is_indented(note.desc)
        if indented:
            note = edit_notes.note_around(unindented(note.desc), order)
        edit = Edit.of(edit_notes.append_found, FromFile(note, path, form), order)
        make_edit(self._screen, self.session, edit)
        if indented:
            self._say(TAKEN_OUT, "information")

    def _typed_note(self, typed: str) -> Edit:
        text = _typed_text(typed)
        if not text:
            raise EditError("there is no text", "type lines such as PAGESIZE=4096")
        text = text if text.endswith(b"\n") else text + b"\n"
        text = unindented(text) if is_indented(text) else text  # as crash prints it
        return Edit.of(edit_notes.append_text, text, self.session.order)

    def edit_text(self) -> None:
        """Edit the whole text of the note."""
        text = self.session.document.state.vmcoreinfo
        if text is None:
            self._say("there is no note text: press a to add a note first")
            return

        def make(typed: str) -> Edit:
            return Edit.of(edit_text.set_text, _typed_text(typed))

        ask_text(self._screen, self.session, text.text, make, "The text of the note")

    # Memory and repair

    def find(self) -> None:
        """Show the candidates in guest memory, and adopt the chosen one."""
        from vmci_tui.tui.screens.candidates_screen import CandidatesScreen

        if self.session.document.dump is None:
            self._say("an entry has no memory: open a dump")
            return

        def chosen(candidate: RankedCandidate | None) -> None:
            if candidate is not None:
                self._adopt(candidate)

        def show() -> None:
            self._screen.app.push_screen(CandidatesScreen(self.session), chosen)

        if not self._vm.finds(show):
            show()

    def _adopt(self, candidate: RankedCandidate) -> None:
        if try_edit(self._screen, self.session, adopted(candidate.candidate, self.session.order)):
            self._show_note()

    def repair(self) -> None:
        """Try every safe fix and show the result; each applied fix is one step of undo."""
        from vmci_tui.render.plans.repair_plan import fixes_text
        from vmci_tui.tui.screens.repair_screen import AcceptedRepair, RepairScreen

        if self.session.document.dump is None:
            self._fix_entry()
            return
        if refuses_repair(self._screen, self.session):
            return

        def done(result: RepairResult | None) -> None:
            if isinstance(result, AcceptedRepair):
                before = self.session.document.state.note
                self.session.apply_repair(result.repair, result.keep_segments)
                if self.session.document.state.note != before:
                    self._show_note()
                if result.saves:
                    self._save(entry=False)
                else:
                    fixes = fixes_text(result.repair)
                    self._say(f"{fixes} applied. s saves a copy, u undoes each", "information")
            elif result is not None:
                self._adopt(result)

        self._screen.app.push_screen(RepairScreen(self.session), done)

    def _fix_entry(self) -> None:
        """Apply the fixes for what keeps QEMU from using the entry."""
        from vmci_tui.repair.entry_repair import repair_entry

        done = repair_entry(self.session.document.snapshot(), readers=self.session.readers)
        if done.steps:
            self.session.apply_repair(done, keep_segments=False)
            self._say(f"done: {'; '.join(step.edit.label for step in done.steps)}; u takes it back", "information")
        elif done.left:
            self._say(f"no fix is safe here: {done.left[0]}")
        else:
            self._say("there is nothing to repair in this entry", "information")

    # Saving

    def save(self) -> None:
        """Save a copy of the dump, or of its entry, whichever was edited; ask if both were."""
        if self._vm.refuses_save():
            return
        document = self.session.document
        if not (document.dump is not None and document.entry_unsaved and document.dump_unsaved):
            self._save(entry=document.dump is None or document.entry_unsaved)
            return

        def chosen(choice: str | None) -> None:
            if choice:
                self._save(entry=choice == "entry")

        choices = (("dump", "Save a copy of the dump"), ("entry", "Save the entry, 16 bytes"))
        choose(self._screen, "The dump and its entry are two files, and both were edited", choices, chosen)

    def _save(self, entry: bool) -> None:
        from vmci_tui.tui.screens.save_screen import SaveScreen

        session, document = self.session, self.session.document
        saved = document.entry_alone() if entry and document.dump is not None else document

        def done(outcome: SaveOutcome | None) -> None:
            if outcome is None:
                return
            judgement = session.judgement or session.settled()
            if outcome.in_place:
                session.mark_saved(entry, None)
                host(self._screen).reopen(document)
            else:
                session.saved(entry, outcome.path)
            if entry or outcome.path is None or judgement is None or host(self._screen).lesson is not None:
                self._say(outcome.words, "information")
            else:
                self._close(judgement, outcome.words, outcome.path)

        try:
            saving = SaveSession(saved, session.refuse_outside, session.readers)
        except SaveError as error:
            self._say(str(error), "error")
        else:
            self._screen.app.push_screen(SaveScreen(saving), done)

    def _close(self, judgement: Judgement, words: str, path: str) -> None:
        """Show what the saved copy is worth, and what can be done with it."""
        from vmci_tui.tui.screens.saved_screen import SavedScreen

        def chosen(choice: str | None) -> None:
            if choice == "open":
                self.confirm_unsaved(lambda: host(self._screen).open(path))
            elif choice == "next":
                self.next_commands()

        steps = next_commands(judgement, path)
        self._screen.app.push_screen(SavedScreen(words, closing(judgement), steps), chosen)

    def undo_save(self, none: str = "there is no save in place to undo") -> None:
        """Undo the last save in place of a file, after a question with its name; say `none` if there is none."""
        document = self.session.document
        try:
            saves = undoable_saves(document)
        except VmciError as error:
            self._say(str(error), "error")
            return
        if not saves:
            self._say(none)
            return

        def chosen(choice: str | None) -> None:
            if choice and choice != "stay":
                save = saves[int(choice)]
                if save.forced:
                    self._overwrite_and_undo(save)
                else:
                    host(self._screen).undo_last_save(document, save.path)

        words = [f"Undo it in {s.name}{', which another program changed since' if s.forced else ''}" for s in saves]
        choices = (("stay", "Leave it unchanged"), *((str(number), item) for number, item in enumerate(words)))
        hint = "Unsaved edits will be lost." if document.unsaved else ""
        choose(self._screen, "Undo the last save in place?", choices, chosen, hint)

    def _overwrite_and_undo(self, save: UndoableSave) -> None:
        """Show the bytes that another program wrote since, and ask again."""
        try:
            shown = overwritten_lines(save.path, _SHOWN)
        except VmciError as error:
            self._say(str(error), "error")
            return

        def chosen(choice: str | None) -> None:
            if choice == "over":
                host(self._screen).undo_last_save(self.session.document, save.path, force=True)

        choices = (("stay", "Leave it unchanged"), ("over", "Overwrite these bytes and undo the save"))
        title = "Another program changed the file since: its bytes now (-) and before the save (+)"
        choose(self._screen, title, choices, chosen, "\n".join(shown))

    def confirm_unsaved(self, proceed: Callable[[], object]) -> None:
        """Call `proceed`; ask first if there are unsaved edits."""
        document = self.session.document
        if not document.unsaved:
            proceed()
            return

        def chosen(choice: str | None) -> None:
            if choice == "leave":
                proceed()
            elif choice == "save":
                self._screen.call_later(self.save)

        choices = (("stay", "Stay"), ("save", "Save a copy first"), ("leave", "Leave and lose the edits"))
        choose(self._screen, "There are unsaved edits", choices, chosen, "; ".join(document.labels[-3:]))

    def take_paste(self, text: str, show_entry: Callable[[str], object]) -> None:
        """Show a pasted entry in its box, or ask whether to open the pasted path; say what else can be pasted where."""
        path = os.path.expanduser(pasted_path(text))
        if is_entry_text(text.encode("utf-8", "backslashreplace")):
            show_entry(text)
        elif os.path.exists(path):
            self.confirm_unsaved(partial(host(self._screen).ask_open, path))
        else:
            words = (
                "this is neither an entry, as gdb prints it, nor a file: e edits the text of the note, o opens a file"
            )
            self._say(words)

    # More of the file

    def next_commands(self) -> None:
        """Show the next commands for the open file, or for the copy that was or would be saved."""
        from vmci_tui.tui.screens.next_commands_screen import NextCommandsScreen

        session, document = self.session, self.session.document
        if document.dump is None:
            self._say("only QEMU reads an entry without a dump: Q asks it")
        elif is_judged(self._screen, session):
            if document.dump_unsaved and not document.runs:
                path = copy_of(document) if session.path is not None else None
                title = f"Next steps, once it is saved (s){f' as {visible(path)}' if path else ''}"
            else:
                path = session.saved_copy
                title = f"Next steps for {document.name if path is None else visible(path)}"
            self._screen.app.push_screen(NextCommandsScreen(title, session.next_commands(path)))

    def header(self) -> None:
        """Show the header of a kdump file, and edit the field that the user chooses."""
        from vmci_tui.tui.screens.header_screen import HeaderScreen

        fields, dump = self.session.document.state.header, self.session.document.dump
        report = header_report(dump) if dump is not None else None
        if fields is None or report is None:
            self._say("only a kdump file has such a header: see the fields of this file in the hex view")
            return

        def chosen(name: str | None) -> None:
            if name:
                self._ask_header(name)

        self._screen.app.push_screen(HeaderScreen(fields, report.fixed), chosen)

    def _ask_header(self, name: str) -> None:
        from vmci_tui.tui.screens.header_screen import PHYS_BASE, shown_value

        fields = self.session.document.state.header
        assert fields is not None

        def make(typed: str) -> Edit:
            if name == PHYS_BASE:
                edit = Edit.of(edit_headers.set_phys_base, parse_number(typed))
            else:
                edit = Edit.of(edit_headers.set_header, name, literal(typed))
            return edit.named(f"set header.{name}={visible(typed)}")

        hint = "decimal, may be negative, or hex with 0x" if name == PHYS_BASE else "at most 64 bytes"
        ask_edit(self._screen, self.session, f"{name} in the header", make, shown_value(fields, name), hint)

    def log(self) -> None:
        """Show the kernel's log."""
        from vmci_tui.tui.screens.log_screen import LogScreen

        if self.session.document.dump is None:
            self._say("an entry has no memory, and so no log: open a dump")
            return
        self._screen.app.push_screen(LogScreen(self.session))

    def structure(self, cursor: int, show: Callable[[Span | None], None]) -> None:
        """Show the tree of the file's head at `cursor`, then `show` where the user went in it."""
        from vmci_tui.tui.screens.structure_screen import StructureScreen

        if not self.session.document.layout.image.size:
            self._say("there is no byte in this file")
            return
        self._screen.app.push_screen(StructureScreen(self.session, cursor), show)

    def commands(self, cursor: int, key: bytes | None) -> None:
        """Show the edits so far as shell commands, and those that show the bytes at `cursor` and the `key`."""
        from vmci_tui.tui.screens.script_screen import CommandsScreen

        looks = look_commands(self.session.document, cursor, key)
        self._screen.app.push_screen(CommandsScreen(self.session.commands_so_far(), tuple(looks)))


def _typed_text(typed: str) -> bytes:
    return b"\n".join(literal(line) for line in typed.split("\n"))
