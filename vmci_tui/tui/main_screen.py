"""The main screen: title, panes, status line and footer, and the keys that work in every pane."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from vmci_tui.document import edit_notes
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.layers.file import FileSource
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.disk.disk_watch import DiskWatch
from vmci_tui.tui.guarded import Guarded, stands
from vmci_tui.tui.host import host
from vmci_tui.tui.panes.copy import copy, copy_as
from vmci_tui.tui.panes.entry import EntryList
from vmci_tui.tui.panes.findings import FindingsList, FindingsPane, finding_count
from vmci_tui.tui.panes.hex import HexPane
from vmci_tui.tui.panes.keys import KeysList, KeysPane
from vmci_tui.tui.panes.pane_table import NAMES, PANE_BINDINGS, PANES, tabs
from vmci_tui.tui.panes.panes import Panes
from vmci_tui.tui.panes.readers import ReadersPane
from vmci_tui.tui.prompts import is_judged, say, try_edit
from vmci_tui.tui.session import Session, SessionEvent
from vmci_tui.tui.widgets.key_footer import KeyFooter
from vmci_tui.tui.widgets.pane_bar import PaneBar
from vmci_tui.tui.widgets.status_line import StatusLine
from vmci_tui.tui.widgets.title_words import file_words, kernel_words
from vmci_tui.tui.widgets.useful_actions import is_useful
from vmci_tui.tui.widgets.verdict_strip import TitleBar

if TYPE_CHECKING:
    from vmci_tui.common.budget import Budget
    from vmci_tui.findings import Finding
    from vmci_tui.tui.background import Background
    from vmci_tui.tui.main_actions import MainActions
    from vmci_tui.tui.verdict.ahead import Ahead


class MainScreen(Guarded, Screen[None]):
    """Shows one document and every change of its session."""

    lesson_name = "main"

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("s,ctrl+s", "save", "Save", "Save a copy; the plan is shown first"),
        bind("u,ctrl+z", "undo", "Undo", "Undo the last edit; then the last save in place"),
        bind("R", "repair", "Repair", "Apply all safe fixes in one go; those of a dump are shown first"),
        bind("f5,ctrl+l", "refresh", "Ask again", "Ask the running VM again: its entry, its note and its memory"),
        bind("v", "readers", "Readers", "Show every reader's verdict, and why"),
        bind("F", "find", "Find note", "Find the note in guest memory"),
        bind("a", "append", "Add note", "Add or replace the VMCOREINFO note"),
        bind("W", "next", "What next", "Show the next commands to run"),
        bind("o", "open", "Open", "Open another file"),
        bind("O", "start", "Start", "Show the start screen: recent files, lessons, samples", "start", show=False),
        bind("c", "copy", "Copy", "Copy what is selected"),
        bind("ctrl+r,ctrl+y", "redo", "Redo", "Redo the edit that was undone last"),
        bind("q", "leave", "Quit", "Quit; asks first if there are unsaved edits", "quit"),
        bind("f1,question_mark", "app.toggle_keys", "Help", "Explain this pane and its keys", "help"),
        bind("m", "matrix", "Values", "Show each reader's value for each key"),
        bind("S", "structure", "Structure", "Show headers, notes and registers as a tree"),
        bind("M", "memory", "Memory", "Show guest memory by paddr"),
        bind("e", "edit_text", "Edit text", "Edit the whole text of the note", show=False),
        bind("C", "copy_as", "Copy as", "Copy as hex, C, Python or JSON", show=False),
        bind("dollar_sign", "commands", "Commands", "Show the edits so far as shell commands", show=False),
        bind("ctrl+x", "strip", "Remove note", "Remove the VMCOREINFO note", "strip", show=False),
        bind("U", "undo_save", "Undo save", "Undo the last save in place", "take_back", show=False),
        bind("P", "log", "Log", "Show the kernel's log, as dmesg prints it"),
        bind("full_stop", "next_change(1)", "Next change", "Go to the next change that is not saved", "change.next"),
        bind("comma", "next_change(-1)", "Previous", "Go to the previous change", "change.previous", show=False),
        bind("H", "header", "Header", "Show the header of a kdump file", show=False),
        bind("I", "inspect", "Inspect", "Show the bytes at the cursor as numbers", show=False),
        *PANE_BINDINGS,
    ]

    about = "The file: its entry, notes, text, findings and bytes; the panes follow each other's cursor."
    AUTO_FOCUS = ", ".join(f".show-{name} #{name}" for name in NAMES)

    def __init__(self, session: Session, width_class: str) -> None:
        document = session.document
        keys = document.state.vmcoreinfo or any(note.is_windows for note in document.state.notes)
        self._active = "entry" if document.dump is None else "keys" if keys else "findings"
        # Classes and focus are set here: each later change styles every widget again, 10 ms each.
        alone = " entry-only" if document.dump is None else ""
        super().__init__(classes=f"show-{self._active} {width_class}{alone}")
        self.session = session
        self._opened_at: int | None = None
        """Keys and clicks before this dump was shown, until it is judged."""
        self._loader: Background[type[Ahead]] | None = None
        self._disk: DiskWatch | None = None

    @property
    def document(self) -> Document:
        """Return the document that is shown."""
        return self.session.document

    def compose(self) -> ComposeResult:
        yield TitleBar(id="title")
        yield PaneBar(id="tabs")
        yield Panes(self.session)
        yield StatusLine(id="status")
        yield KeyFooter()

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Let Textual style the widgets again, but not at the first paint: they were styled when they were mounted."""
        event.refresh_styles = event.refresh_styles and self.stack_updates > 0

    def on_mount(self) -> None:
        self._disk = DiskWatch(self, self.document, self._show_state)
        if self.document.dump is not None:
            self._opened_at = host(self).presses
        self._show_state()
        self._show_tabs()
        self.session.changed.append(self._changed)
        self.call_after_refresh(self.session.judge)
        if self.document.state.vmcoreinfo is not None and self.document.state.vmcoreinfo.lines:
            self.query_one(Panes).point_at_line(1)
        if self.document.read_only:
            self.call_after_refresh(self._say_read_only)

    def _say_read_only(self) -> None:
        """Say why the file cannot be changed, and what can be done."""
        from vmci_tui.tui.disk.save_session import holder_text

        source = self.document.source
        holder = holder_text(source) if isinstance(source, FileSource) else ""
        say(self, f"READ-ONLY: the file is open in another vmci{holder}; s saves a copy", "warning")

    def on_resize(self) -> None:
        self.query_one(Panes).open_companions()

    def on_unmount(self) -> None:
        self.session.call_no_more(self._changed)
        self.session.stop()
        if self.session.ahead is not None:
            self.session.ahead.stop()

    # What is shown

    def _changed(self, event: SessionEvent) -> None:
        if not stands(self):
            return
        if event == "judged":
            self._show_judgement()
        elif event == "tried":
            self._show_verdict()
            self.query_one(Panes).show_outlook()
            self.refresh_bindings()
        else:
            self._show_state()
            if event == "edited":
                self.query_one(Panes).show_command()

    def _show_state(self) -> None:
        """Show the document's state; the judgement comes later."""
        self.query_one(Panes).show_state()
        self._show_title()
        self.refresh_bindings()

    def _show_judgement(self) -> None:
        judgement = self.session.judgement
        self.query_one(TitleBar).show(None if judgement is None else judgement.both, self.session.not_judged)
        self._show_title()
        self._show_verdict()
        self.query_one(Panes).show_judgement()
        self._show_tabs()
        self.refresh_bindings()
        if judgement is not None:
            host(self).show_mishaps()
        self._open_on_error()
        self.call_after_refresh(self._look_ahead)

    def _look_ahead(self) -> None:
        """Try in the background how the judged state can be repaired."""
        judgement, ahead = self.session.judgement, self.session.ahead
        if ahead is not None:
            ahead.judged(judgement)
            self._show_verdict()
        elif judgement is not None and self._loader is None:
            self._loader = host(self).background()
            self._loader.ask(_ahead_class, self._begin_ahead, host(self).failed, 0)

    def _begin_ahead(self, made: type[Ahead]) -> None:
        if stands(self):
            self.session.ahead = made(host(self), self.session)
            self._look_ahead()
            host(self).load_rest()

    def _show_verdict(self) -> None:
        """Show who can use the file, and the keys that help."""
        from vmci_tui.tui.verdict.offered_keys import offered_keys, verdict_of

        self.query_one(TitleBar).show_verdict(verdict_of(self.session), offered_keys(self))

    def _show_title(self) -> None:
        document, mark = self.document, self._disk.mark if self._disk is not None else ""
        words, few = (file_words(document, mark, narrow) for narrow in (False, True))
        self.query_one(TitleBar).set_text(words, *kernel_words(document, self.session.judgement), shorter=few)

    def _show_tabs(self) -> None:
        count = finding_count(self.session.found) if self.session.judgement is not None else self.session.not_judged
        self.query_one(PaneBar).show(tabs(self.document, count), self._active)
        self.query_one(FindingsPane).border_subtitle = count

    # Which pane

    def _open_on_error(self) -> None:
        """Show the findings once it is known that there is an error; a user who pressed a key already stays here."""
        judgement, before = self.session.judgement, self._opened_at
        if judgement is None or before is None:
            return
        self._opened_at = None
        error = any(finding.severity == "error" for finding in judgement.found)
        if error and host(self).presses == before and self.is_current and host(self).lesson is None:
            self.action_pane("findings")

    def _show_note(self) -> None:
        """Go to the first line of the note's text."""
        text = self.document.state.vmcoreinfo
        if text is not None and text.lines:
            self.query_one(Panes).point_at_line(1)
            self.action_pane("keys")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide the keys of panes that this document does not have; an entry alone has keys of its own."""
        if action in ("pane", "pane_alone"):
            pane = PANES[NAMES.index(str(parameters[0]))]
            return (action == "pane_alone") == (self.document.dump is None) and pane.fits(self.document)
        return super().check_action(action, parameters)

    def is_useful(self, action: str) -> bool:
        """Return whether an action would do something to this file now."""
        return is_useful(action, self.session)

    def action_pane(self, name: str) -> None:
        if not PANES[NAMES.index(name)].fits(self.document) or not self.query(f"#{name}"):
            return
        self._active = name
        self._show_pane(name)
        self._show_tabs()
        # Once the pane is shown: a hidden widget takes no focus.
        self.call_after_refresh(self.query_one(f"#{name}").focus)

    action_pane_alone = action_pane

    def _show_pane(self, name: str) -> None:
        self.update_classes({f"show-{pane}": pane == name for pane in NAMES})

    @on(PaneBar.Picked)
    def _picked(self, event: PaneBar.Picked) -> None:
        self.action_pane(event.pane)

    def on_descendant_focus(self) -> None:
        focused = self.focused
        if focused is not None and focused.id in NAMES and focused.id != self._active:
            self._active = focused.id
            self._show_pane(focused.id)
            self._show_tabs()

    def key_escape(self) -> None:
        """Stop the search if one runs, else clear the filter, else close the meaning of a key or the inspector."""
        if not self.query_one(HexPane).stop_search() and not self.query_one(KeysPane).clear_filter():
            self.query_one(Panes).close_companion()

    def on_paste(self, event: events.Paste) -> None:
        """Take a pasted entry as `p` does, and the path of a file as `o` does."""
        event.stop()
        self._do.take_paste(event.text, self.query_one(EntryList).action_paste_entry)

    # Actions

    @cached_property
    def _do(self) -> MainActions:
        from vmci_tui.tui.main_actions import MainActions

        return MainActions(self, self.session, self._show_note)

    def action_explain(self) -> None:
        self.query_one(Panes).toggle_about()

    def action_inspect(self) -> None:
        self.query_one(Panes).toggle_inspector()

    def action_refresh(self) -> None:
        self._do.refresh()

    def action_save(self) -> None:
        self._do.save()

    def action_undo_save(self) -> None:
        self._do.undo_save()

    def action_open(self) -> None:
        self._do.confirm_unsaved(host(self).ask_open)

    def action_start(self) -> None:
        self._do.confirm_unsaved(host(self).show_start)

    def action_leave(self) -> None:
        self._do.confirm_unsaved(self.app.exit)

    def action_undo(self) -> None:
        edit = self.session.undo()
        if edit:
            say(self, f"undone: {edit.label}")
        else:
            self._do.undo_save("nothing to undo")

    def action_redo(self) -> None:
        edit = self.session.redo()
        say(self, f"redone: {edit.label}" if edit else "nothing to redo")

    def action_append(self) -> None:
        self._do.append()

    def action_edit_text(self) -> None:
        self._do.edit_text()

    def action_open_entry(self) -> None:
        self.query_one(EntryList).action_open_entry()

    def action_paste_entry(self) -> None:
        self.query_one(EntryList).action_paste_entry()

    def action_next_change(self, by: int) -> None:
        self.query_one(Panes).next_change(by)

    def action_strip(self) -> None:
        try_edit(self, self.session, Edit.of(edit_notes.strip))

    def action_find(self) -> None:
        self._do.find()

    def action_repair(self) -> None:
        self._do.repair()

    def action_copy(self) -> None:
        copy(self)

    def action_copy_as(self) -> None:
        copy_as(self)

    def action_commands(self) -> None:
        line = self.query_one(KeysList).line()
        self._do.commands(self.query_one(HexPane).cursor, line.key if line is not None else None)

    def action_matrix(self) -> None:
        from vmci_tui.tui.screens.matrix_screen import show_matrix

        show_matrix(self, self.session)

    def action_memory(self) -> None:
        from vmci_tui.tui.screens.memory_screen import show_memory

        show_memory(self, self.session, self.query_one(HexPane).cursor)

    def action_structure(self) -> None:
        self._do.structure(self.query_one(HexPane).cursor, self.query_one(Panes).go_to)

    def action_log(self) -> None:
        self._do.log()

    def action_header(self) -> None:
        self._do.header()

    def action_next(self) -> None:
        self._do.next_commands()

    def action_readers(self) -> None:
        """Show the readers, with the cursor on the one that is chosen in the strip or the pane."""
        if not is_judged(self, self.session):
            return
        from vmci_tui.tui.screens.readers_screen import ReadersScreen

        chosen = self.focused.reader if isinstance(self.focused, (TitleBar, ReadersPane)) else None
        screen = ReadersScreen(self.session, chosen)
        self.app.push_screen(screen, self._after_readers)

    def _after_readers(self, wanted: Finding | Literal["repair"] | None) -> None:
        """Go to what the user chose there: the repair, or a finding."""
        if wanted == "repair":
            self.action_repair()
        elif wanted is not None and wanted in self.session.found:
            self.query_one(FindingsList).select(self.session.found.index(wanted))
            self.action_pane("findings")
            if wanted.span is not None:
                self.query_one(Panes).show_finding(wanted)


def _ahead_class(_budget: Budget) -> type[Ahead]:
    """Import what tries repairs, in a thread: that takes as long as several keystrokes."""
    from vmci_tui.tui.verdict.ahead import Ahead

    return Ahead
