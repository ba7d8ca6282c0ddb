"""The open document, the judgement of its state, and what the user did so far; no screen is imported here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol

from vmci_tui.common.errors import UsageError, VmciError
from vmci_tui.common.safe_text import Safe
from vmci_tui.document import edit_entry, edit_notes
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.document.state import State
from vmci_tui.opening.open_file import attach_entry, open_document
from vmci_tui.settings.file_bookmarks import FileBookmarks

if TYPE_CHECKING:
    from vmci_tui.adoption.kernel_facts import KernelFound
    from vmci_tui.common.budget import Budget
    from vmci_tui.findings import Finding
    from vmci_tui.findings.judgement import Judgement
    from vmci_tui.formats.elf_note import ByteOrder
    from vmci_tui.readers.verdicts import ChosenReaders, VerdictPair, Verdicts
    from vmci_tui.render.shell_script import ShellStep
    from vmci_tui.repair.fix_for_reader import ReaderFixes
    from vmci_tui.repair.next_commands import NextCommand
    from vmci_tui.repair.repaired import Repair
    from vmci_tui.search.candidate import RankedCandidate
    from vmci_tui.tui.background import Background
    from vmci_tui.tui.verdict.ahead import Ahead

BEING_JUDGED = "being checked"
NOT_JUDGED = "not checked"
MakeEdit = Callable[[str], Edit]
"""Returns the edit for a typed text. Raises VmciError where the text is not valid."""
ShowVerdicts = Callable[["VerdictPair | None"], None]
Preview = Callable[[str | None, ShowVerdicts, float], bool]
"""Judges a typed text in the background and shows the verdicts; None instead of a text stops the running job.

Returns whether the verdicts were shown within the given seconds. The verdicts are None for an invalid text.
"""
SessionEvent = Literal["edited", "state", "judged", "tried"]
"""What changed: an edit; the state in another way; a judgement began or ended; more is known of a repair."""


class SessionHost(Protocol):
    """What a session needs from its app."""

    allowed: str | None
    """The only folder whose files may be opened and saved; None for all."""
    versions: Mapping[str, str]
    """The versions of readers that judge, by their names; the default ones for all others."""

    def background(self) -> Background[Any]:
        """Return a runner for background jobs."""

    def failed(self, error: BaseException) -> None:
        """Report an error of a judgement."""


class _TypedRun(NamedTuple):
    """Consecutive typed bytes: one step of undo."""

    note: int | None
    """None for the entry."""
    at: int
    data: bytes
    state: State
    """The state after them."""


class Session:
    """One open document; each callback of `changed` is called after every change, on the app's thread."""

    patience: ClassVar[float] = 0.05
    """Seconds that an edit waits for its judgement: a quicker one is shown with the edit, without a flicker."""

    def __init__(self, document: Document, around: SessionHost) -> None:
        self.document = document
        self.changed: list[Callable[[SessionEvent], None]] = []
        self.judgement: Judgement | None = None
        """Of the current state; None while it is being judged, and after a failure."""
        self.not_judged = BEING_JUDGED
        self.candidates: tuple[RankedCandidate, ...] = ()
        """The notes that a search in memory found; memory does not change."""
        self.ahead: Ahead | None = None
        self.kernel: KernelFound | None = None
        """What the kernel's own tables in memory say, once they were read."""
        self.saved_path: str | None = None
        """Where the last copy of the dump was saved."""
        self._around = around
        self._judge: Background[Judgement] | None = None
        self._known: Verdicts | None = None
        """The verdicts over the file on disk, which no edit changes."""
        self.bookmarks = FileBookmarks(self.path)
        self._groups: dict[State, tuple[State, str]] = {}
        self._run: _TypedRun | None = None

    @classmethod
    def open(cls, path: str, blob: str | None, around: SessionHost) -> Session:
        """Open a file and its entry. Raises VmciError where that is not allowed, or fails."""
        refuse_outside(path, around)
        return cls(open_document(path, blob), around)

    @property
    def path(self) -> str | None:
        """Return the path of the open file; None for a new entry."""
        return self.document.path

    @property
    def order(self) -> ByteOrder:
        """Return the byte order of the dump; little without one."""
        return "little" if self.document.dump is None else self.document.dump.order

    def call_no_more(self, call: Callable[[SessionEvent], None]) -> None:
        """Take a callback away, if it is there: a screen may end before it was mounted."""
        if call in self.changed:
            self.changed.remove(call)

    def announce(self, event: SessionEvent) -> None:
        """Let all who show the session show what changed."""
        for call in tuple(self.changed):
            call(event)

    # The judgement

    @property
    def found(self) -> tuple[Finding, ...]:
        """Return the findings; empty while the state is being judged."""
        return () if self.judgement is None else self.judgement.found

    @property
    def readers(self) -> ChosenReaders:
        """Return the readers whose rules judge."""
        from vmci_tui.settings.readers import readers_of

        return readers_of(self._around.versions)[0]

    def choose_version(self, reader: str, version: str) -> None:
        """Judge by the rules of this version of a reader; empty: of its default. Raises UsageError."""
        from vmci_tui.readers.verdicts import DEFAULT

        versions = {name: chosen for name, chosen in self._around.versions.items() if name != reader}
        versions |= {reader: version} if version else {}
        DEFAULT.at(versions)
        self._choose(versions)

    def choose_installed(self, done: Callable[[tuple[str, ...]], None]) -> None:
        """Judge as the programs on this machine do, which are asked in the background. Raises UsageError.

        `done` gets the readers whose program is missing.
        """
        from vmci_tui.readers.installed import Installed, installed

        def choose(found: Installed) -> None:
            self._choose({name: version for name, version in found.items() if version is not None})
            done(tuple(name for name, version in found.items() if version is None))

        if self._around.allowed is not None:
            raise UsageError("programs are not asked in a browser session", "type a version")
        self._around.background().ask(lambda _: installed(), choose, self._around.failed, 0)

    def _choose(self, versions: Mapping[str, str]) -> None:
        self._around.versions, self._known = versions, None
        self.judge(self.patience)

    def judge(self, patience: float = 0) -> None:
        """Judge the state in the background; wait up to `patience` seconds for the result."""
        self.not_judged, self.judgement = BEING_JUDGED, None
        if not self._ask(patience):
            self.announce("judged")

    def _ask(self, patience: float) -> bool:
        """Begin a judgement of the state; return whether it ended within `patience` seconds."""
        self._judge = self._judge or self._around.background()
        document, known = self.document.snapshot(), self._known
        facts = None if self.kernel is None else self.kernel.facts

        def job(budget: Budget) -> Judgement:
            from vmci_tui.verdict.judged import judge

            return judge(document, known, budget, self.readers, facts)

        return self._judge.ask(job, self._judged, self._failed, patience)

    def learn(self, found: KernelFound) -> None:
        """Take what the kernel's tables in memory say; the judgement so far stays until there is one with it."""
        self.kernel = found
        if self.not_judged != NOT_JUDGED:
            self._ask(0)

    def _judged(self, judgement: Judgement) -> None:
        self.judgement, self._known = judgement, judgement.now
        self.announce("judged")

    def _failed(self, error: Exception) -> None:
        self.not_judged = NOT_JUDGED
        self.announce("judged")
        self._around.failed(error)

    def settled(self) -> Judgement | None:
        """Wait for the running judgement and return it; None if it failed."""
        if self._judge is not None:
            self._judge.finish()
        return self.judgement

    def stop(self) -> None:
        """Stop the running judgement."""
        if self._judge is not None:
            self._judge.stop()

    def preview(self, make: MakeEdit) -> Preview:
        """Return a preview for a dialog: the verdicts of all readers after the typed edit."""
        judge: Background[VerdictPair] = self._around.background()

        def preview(typed: str | None, shown: ShowVerdicts, patience: float) -> bool:
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

                return Judgement(tentative, known, budget, self.readers).both

            return judge.ask(job, shown, failed, patience)

        return preview

    def next_commands(self, path: str | None = None) -> tuple[NextCommand, ...]:
        """Return the next commands for a copy of the state at `path`; None for the open file."""
        from vmci_tui.repair.next_commands import next_commands

        assert self.judgement is not None
        return next_commands(self.judgement, path)

    # Edits

    def _show(self, event: Literal["edited", "state"]) -> None:
        """Announce a new state and judge it."""
        self.announce(event)
        self.judge(self.patience)

    def edit(self, edit: Edit, command: str | None = None) -> bool:
        """Make one undoable step; False if it changes nothing. `command` makes it too, with FILE for the file.

        Raises VmciError where it cannot be made, or no file can hold the resulting state.
        """
        before = self.document.state
        if not self.document.edit(edit):
            return False
        if command is not None:
            self._groups[before] = self.document.state, command
        self._show("edited")
        return True

    def undo(self) -> Edit | None:
        """Undo the last edit and return it; None if there is none."""
        if (edit := self.document.undo()) is not None:
            self._show("state")
        return edit

    def redo(self) -> Edit | None:
        """Redo the edit that was undone last and return it; None if there is none."""
        if (edit := self.document.redo()) is not None:
            self._show("state")
        return edit

    def type_byte(self, note: int | None, at: int, byte: bytes) -> None:
        """Overwrite byte `at` of a note, or of the entry (None); consecutive bytes are one step. Raises VmciError."""
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
        """Begin a new step of undo with the next typed byte."""
        self._run = None

    def _written(self, note: int | None, at: int, data: bytes) -> Edit:
        if note is None:
            return Edit.of(edit_entry.overwrite_entry, at, data)
        raw = self.document.layout.notes[note].raw
        written = raw[:at] + data + raw[at + len(data) :]
        return Edit.of(edit_notes.overwrite_note, note, written, self.order)

    def fix_for(self, reader: str) -> ReaderFixes:
        """Apply every fix that helps this reader to accept."""
        from vmci_tui.repair.fix_for_reader import fix_for_reader

        done = fix_for_reader(self.document, reader, self.readers)
        if done.labels:
            self._show("edited")
        return done

    def apply_repair(self, repair: Repair, keep_segments: bool) -> None:
        """Make the fixes of a tried repair; each is one step of undo, all are one command."""
        before = self.document.state
        for step in repair.steps:
            self.document.edit(step.edit)
        words = " --keep-segments" * keep_segments + " --yes kernel" * (repair.made is not None)
        self._groups[before] = self.document.state, f"repair FILE{words}"
        self._show("edited")

    # Files

    def refuse_outside(self, path: str) -> None:
        """Raise UsageError for a file that may not be opened or saved here."""
        refuse_outside(path, self._around)

    def attach_entry(self, path: str) -> None:
        """Open the entry of the dump. Raises VmciError."""
        self.refuse_outside(path)
        attach_entry(self.document, path)
        self._show("state")

    def saved(self, entry: bool, path: str | None) -> None:
        """Mark the dump, or its entry, as saved at `path`, and announce that."""
        self.mark_saved(entry, path)
        self._show("state")

    def mark_saved(self, entry: bool, path: str | None) -> None:
        """Mark the dump, or its entry, as saved; `path` is that of the copy, None after a save in place."""
        self.document.mark_saved(entry)
        self.saved_path = self.saved_path if entry else path

    @property
    def saved_copy(self) -> str | None:
        """Return the path of the last copy that has the current state; None for the open file, and if none has it."""
        saved = self.document.saved
        return self.saved_path if saved is not None and saved.of_dump == self.document.state.of_dump else None

    # Commands

    def commands_so_far(self) -> tuple[ShellStep, ...]:
        """Return each edit with the shell command that does the same."""
        from vmci_tui.render.shell_script import EditGroup, commands

        return commands(self.document, {before: EditGroup(*group) for before, group in self._groups.items()})

    def last_command(self) -> Safe | None:
        """Return the shell command for the last edit; None if there is no edit, or no command for it.

        Commands after the first change the copy that the first one makes, so they say that they are not the only one.
        """
        done = self.commands_so_far()
        if not done or done[-1].command is None:
            return None
        count = sum(step.command is not None for step in done)
        return Safe(f"$ {done[-1].command}" if count == 1 else f"command {count}, $ lists all: {done[-1].command}")

    def shell_words(self, words: str) -> str:
        """Return a command with FILE, COPY, CUT and READERS as they are here; empty after an edit, which it lacks.

        SOURCE stands for the file in a command that does not take `--no-stop`.
        """
        from vmci_tui.repair.next_commands import copy_of, file_words, shell_word, source_words

        if self.path is None or self.document.modified:
            return ""
        names = {
            "FILE": file_words(self.document),
            "SOURCE": source_words(self.document),
            "COPY": shell_word(copy_of(self.document)),
            "CUT": shell_word(copy_of(self.document, "cut")),
            " READERS": "".join(f" --reader {name}={version}" for name, version in self._around.versions.items()),
        }
        words = re.sub("|".join(names), lambda found: names[found[0]], words)
        return f"$ vmci {words}"


def refuse_outside(path: str, around: SessionHost) -> None:
    """Raise UsageError for a file that may not be opened or saved here."""
    if around.allowed is not None:
        from vmci_tui.common.confinement import refuse_outside as refuse

        refuse(path, around.allowed)
