"""What the user works on: the document that is open, what is said of it, and what was done so far. No screen here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol

from vmci_tui.common.errors import EditError, VmciError
from vmci_tui.document import edit_entry, edit_notes
from vmci_tui.document.addresses import offset_of
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.document.state import State
from vmci_tui.layers.file import FileSource
from vmci_tui.opening.open_file import attach_entry, open_document
from vmci_tui.settings import settings

if TYPE_CHECKING:
    from vmci_tui.common.budget import Budget
    from vmci_tui.common.safe_text import Safe
    from vmci_tui.findings import Finding
    from vmci_tui.findings.judgement import Judgement
    from vmci_tui.readers.verdicts import VerdictPair, Verdicts
    from vmci_tui.render.shell_script import EditGroup, ShellStep
    from vmci_tui.repair.fix_for_reader import ReaderFixes
    from vmci_tui.repair.next_commands import NextCommand
    from vmci_tui.repair.safe_fixes import Repair
    from vmci_tui.search.candidate import RankedCandidate
    from vmci_tui.tui.background import Background

BEING_JUDGED = "being judged"
NOT_JUDGED = "not judged"
Make = Callable[[str], Edit]
"""From what was typed to the edit; raises VmciError for what cannot be taken."""
Shown = Callable[["VerdictPair | None"], None]
Preview = Callable[[str | None, Shown, float], bool]
"""Shows what every reader would say if this were typed, beside the keys; None where it cannot be taken.

Gives whether that was done within so many seconds. None stops what is under way.
"""
News = Literal["edited", "state", "judged"]
"""What changed: an edit was made; the state became another one without a new edit; a judgement began or came."""


class SessionHost(Protocol):
    """What a session needs of the app around it."""

    allowed: str | None
    """The only folder whose files may be opened and saved; None for all."""

    def background(self) -> Background[Any]:
        """Return what runs judgements beside the keys."""

    def failed(self, error: BaseException) -> None:
        """Say what went wrong in a judgement."""


class _TypedRun(NamedTuple):
    """Bytes that were typed one after the other: one step of undo."""

    note: int | None
    """None for the entry."""
    at: int
    data: bytes
    state: State
    """What they led to."""


class Session:
    """One open document; `changed` are called after everything that makes it another one, on the app's thread."""

    patience: ClassVar[float] = 0.05
    """Seconds that an edit waits for its judgement: what is quicker is shown with it, and nothing flickers."""

    def __init__(self, document: Document, around: SessionHost) -> None:
        self.document = document
        self.changed: list[Callable[[News], None]] = []
        self.judgement: Judgement | None = None
        """Of the state now; None while it is being judged, and where it cannot be."""
        self.not_judged = BEING_JUDGED
        """Why there is no judgement."""
        self.candidates: tuple[RankedCandidate, ...] = ()
        """What a search in memory found; memory does not change."""
        self.saved_path: str | None = None
        """Where the last copy of the dump was saved."""
        self._around = around
        self._judge: Background[Judgement] | None = None
        self._known: Verdicts | None = None
        """Of the file on disk, which stays."""
        self._bookmarks: tuple[str, ...] | None = None
        self._groups: dict[State, EditGroup] = {}
        self._run: _TypedRun | None = None

    @classmethod
    def open(cls, path: str, blob: str | None, around: SessionHost) -> Session:
        """Open a file and the entry beside it. Raises VmciError where it may not be, or cannot be opened."""
        refuse_outside(path, around)
        return cls(open_document(path, blob), around)

    @property
    def path(self) -> str | None:
        """The file that is open; None for an entry from nothing."""
        source = self.document.source
        return source.path if isinstance(source, FileSource) else None

    def _announce(self, news: News) -> None:
        for call in tuple(self.changed):
            call(news)

    # The judgement

    @property
    def found(self) -> tuple[Finding, ...]:
        """The findings; none while the state is being judged."""
        return () if self.judgement is None else self.judgement.found

    def judge(self, patience: float = 0) -> None:
        """Judge the state beside the keys, and say so: at once where it takes less than `patience` seconds."""
        self._judge = self._judge or self._around.background()
        document, known = self.document.snapshot(), self._known

        def job(budget: Budget) -> Judgement:
            from vmci_tui.findings.judgement import Judgement

            return Judgement(document, known, budget).complete()

        self.not_judged, self.judgement = BEING_JUDGED, None
        if not self._judge.ask(job, self._judged, self._failed, patience):
            self._announce("judged")

    def _judged(self, judgement: Judgement) -> None:
        self.judgement, self._known = judgement, judgement.now
        self._announce("judged")

    def _failed(self, error: Exception) -> None:
        self.not_judged = NOT_JUDGED
        self._announce("judged")
        self._around.failed(error)

    def settled(self) -> Judgement | None:
        """Wait for the judgement that is under way; None where it failed."""
        if self._judge is not None:
            self._judge.finish()
        return self.judgement

    def stop(self) -> None:
        """Stop judging: what is shown is being closed."""
        if self._judge is not None:
            self._judge.stop()

    def preview(self, make: Make) -> Preview:
        """A preview for a dialog: what every reader would say if what is typed were taken over."""
        judge: Background[VerdictPair] = self._around.background()

        def preview(typed: str | None, shown: Shown, patience: float) -> bool:
            judge.stop()
            if typed is None:
                return True
            try:
                tentative, known = self.document.with_edit(make(typed)), self._known
            except VmciError:
                shown(None)
                return True

            def failed(error: Exception) -> None:
                shown(None)
                self._around.failed(error)

            def job(budget: Budget) -> VerdictPair:
                from vmci_tui.findings.judgement import Judgement

                return Judgement(tentative, known, budget).both

            return judge.ask(job, shown, failed, patience)

        return preview

    def next_commands(self, path: str | None = None) -> tuple[NextCommand, ...]:
        """The commands for a copy of what is shown, at `path`; None for the file that is open."""
        from vmci_tui.repair.next_commands import next_commands

        assert self.judgement is not None
        return next_commands(self.judgement, path)

    # Edits

    def _show(self, news: Literal["edited", "state"]) -> None:
        """The state is another one."""
        self._announce(news)
        self.judge(self.patience)

    def edit(self, edit: Edit) -> bool:
        """Make one undoable step; False where it changes nothing.

        Raises VmciError where it cannot be made, or no file can hold the state that it gives.
        """
        if not self.document.edit(edit):
            return False
        self._show("edited")
        return True

    def undo(self) -> Edit | None:
        """Take the last edit back; None where there is none."""
        edit = self.document.undo()
        if edit is not None:
            self._show("state")
        return edit

    def redo(self) -> Edit | None:
        """Make the edit again that was taken back last; None where there is none."""
        edit = self.document.redo()
        if edit is not None:
            self._show("state")
        return edit

    def type_byte(self, note: int | None, at: int, byte: bytes) -> None:
        """Write over byte `at` of a note, or of the entry (None); bytes typed one after the other are one step.

        Raises VmciError.
        """
        document, run = self.document, self._run
        goes_on = run is not None and run.state is document.state and (run.note, run.at + len(run.data)) == (note, at)
        start, data = (run.at, run.data + byte) if run is not None and goes_on else (at, byte)
        if goes_on:
            document.undo()
        where = "the entry" if note is None else f"note {note}"
        shown = data.hex(" ") if len(data) <= 8 else f"{len(data)} bytes"
        try:
            changed = document.edit(self._written(note, start, data).named(f"write {shown} at byte {start} of {where}"))
        except VmciError:
            if goes_on:
                document.redo()
            raise
        self._run = _TypedRun(note, start, data, document.state) if changed else None
        if changed:
            self._show("edited")

    def end_typing(self) -> None:
        """The next byte that is typed begins a step of its own."""
        self._run = None

    def _written(self, note: int | None, at: int, data: bytes) -> Edit:
        if note is None:
            return Edit.of(edit_entry.overwrite_entry, at, data)
        assert self.document.dump is not None
        raw = self.document.layout.notes[note].raw
        written = raw[:at] + data + raw[at + len(data) :]
        return Edit.of(edit_notes.overwrite_note, note, written, self.document.dump.order)

    def fix_for(self, reader: str) -> ReaderFixes:
        """Apply every fix that helps this reader to accept."""
        from vmci_tui.repair.fix_for_reader import fix_for_reader

        done = fix_for_reader(self.document, reader)
        if done.labels:
            self._show("edited")
        return done

    def apply_repair(self, repair: Repair, keep_segments: bool) -> None:
        """Make the fixes of a repair that was tried; each is one step of undo, all are one command."""
        from vmci_tui.render.shell_script import EditGroup

        before = self.document.state
        for step in repair.steps:
            self.document.edit(step.edit)
        self._groups[before] = EditGroup(self.document.state, f"repair FILE{' --keep-segments' * keep_segments}")
        self._show("edited")

    # Files

    def refuse_outside(self, path: str) -> None:
        """Raise UsageError for a file that this session may not touch."""
        refuse_outside(path, self._around)

    def attach_entry(self, path: str) -> None:
        """Open the entry that belongs to the dump. Raises VmciError."""
        self.refuse_outside(path)
        attach_entry(self.document, path)
        self._show("state")

    def saved(self, entry: bool, path: str | None) -> None:
        """The dump, or its entry, was saved as a copy at `path`."""
        self.mark_saved(entry, path)
        self._show("state")

    def mark_saved(self, entry: bool, path: str | None) -> None:
        """Note that the dump, or its entry, was saved; `path` is None where that was in place."""
        self.document.mark_saved(entry)
        self.saved_path = self.saved_path if entry else path

    @property
    def saved_copy(self) -> str | None:
        """Where the state that is shown was saved last; None where that is the file that is open, or nowhere."""
        saved = self.document.saved
        return self.saved_path if saved is not None and saved.of_dump == self.document.state.of_dump else None

    # Bookmarks

    @property
    def bookmarks(self) -> tuple[str, ...]:
        """The bookmarks of this file, oldest first."""
        if self._bookmarks is None:
            self._bookmarks = settings.bookmarks(self.path) if self.path is not None else ()
        return self._bookmarks

    def add_bookmark(self, place: str) -> None:
        """Set a bookmark."""
        self._store_bookmarks((*self.bookmarks, place))

    def remove_bookmark(self, place: str) -> None:
        """Take a bookmark away."""
        self._store_bookmarks(tuple(other for other in self.bookmarks if other != place))

    def _store_bookmarks(self, bookmarks: tuple[str, ...]) -> None:
        self._bookmarks = bookmarks
        if self.path is not None:
            settings.store_bookmarks(self.path, bookmarks)

    def bookmarked_places(self) -> list[tuple[int, str]]:
        """The bookmarks that are in what is shown, as (offset, bookmark), in the order of the file."""
        out = []
        for bookmark in self.bookmarks:
            try:
                out.append((offset_of(bookmark, self.document.layout), bookmark))
            except EditError:
                continue  # what was there is not there now; an undo brings it back
        return sorted(out)

    # Commands

    def commands_so_far(self) -> tuple[ShellStep, ...]:
        """What was done, and what does the same in the shell."""
        from vmci_tui.render.shell_script import commands

        return commands(self.document, self._groups)

    def last_command(self) -> Safe | None:
        """What does the last edit in the shell; None where nothing does, or nothing is edited."""
        done = self.commands_so_far()
        return done[-1].command if done else None

    def shell_words(self, words: str) -> str:
        """A command with the names of the files that are open; empty where it would say something else."""
        from vmci_tui.repair.next_commands import copy_name, shell_word

        if self.path is None or self.document.modified:
            return ""
        copy = shell_word(copy_name(self.path))
        return f"$ vmci {words.replace('COPY', copy).replace('FILE', shell_word(self.path))}"


def refuse_outside(path: str, around: SessionHost) -> None:
    """Raise UsageError for a file that may not be opened or saved here."""
    if around.allowed is not None:
        from vmci_tui.common.confinement import refuse_outside as refuse

        refuse(path, around.allowed)
