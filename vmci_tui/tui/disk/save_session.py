"""A save from its plan to its result: what is written where, what the user must agree to first; no screen is here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from vmci_tui.common.errors import SaveError
from vmci_tui.common.progress import Progress
from vmci_tui.common.safe_text import Safe, typed_path, visible
from vmci_tui.common.sizes import size_text
from vmci_tui.document.document import Document
from vmci_tui.layers.file import FileSource
from vmci_tui.readers.verdicts import DEFAULT, ChosenReaders
from vmci_tui.render.undo_report import overwritten_text
from vmci_tui.repair.next_commands import copy_of, entry_copy_name
from vmci_tui.saving.harm import Harm, harm_of
from vmci_tui.saving.last_save import complete_last_save, foreign_bytes, last_save_state, undo_last_save
from vmci_tui.saving.new_file import refuse_target
from vmci_tui.saving.plan import Plan, plan_copy, plan_in_place
from vmci_tui.saving.save_copy import save_copy
from vmci_tui.saving.save_in_place import save_in_place


class SaveOutcome(NamedTuple):
    """A message for the user, and whether the open file itself was changed."""

    words: str
    in_place: bool = False
    path: str | None = None
    """Where the copy is."""


class InPlaceSave(NamedTuple):
    """A save in place that the user is asked about."""

    plan: Plan
    harm: Harm


class SaveSession:
    """One save of a dump, or of an entry; what the user must agree to is asked once, by a call that saves nothing."""

    def __init__(
        self, document: Document, refuse_outside: Callable[[str], None], readers: ChosenReaders = DEFAULT
    ) -> None:
        """`refuse_outside` raises UsageError for a path that may not be saved. Raises SaveError if none can be."""
        self.document, self._readers = document, readers
        self.plan = plan_copy(document, self.default)
        self.question = ""
        """What the user agrees to by asking for the same save again."""
        self.harm = Harm()
        """The harm that `question` is about."""
        self._refuse_outside = refuse_outside
        self._replaced: str | None = None

    @property
    def has_file(self) -> bool:
        """Whether there is an open file, which a save in place would change."""
        return isinstance(self.document.source, FileSource)

    @property
    def heading(self) -> str:
        if self.document.is_image:
            return f"Save a dump of {self.document.name}"
        return f"Save a copy of {self.document.name}" if self.has_file else "Save a new file"

    @property
    def untouched(self) -> bool:
        """Whether nothing was edited since the file was opened: a copy would repair nothing."""
        return not self.document.modified and not self.document.made

    @property
    def no_in_place(self) -> str:
        """Why the open file itself cannot be changed; empty if it can."""
        source = self.document.source
        if not self.document.read_only or not isinstance(source, FileSource):
            return ""
        return f"In place is off: the file is open in another vmci{holder_text(source)}"

    @property
    def default(self) -> str:
        """The path of the copy if the user types none."""
        document, source = self.document, self.document.source
        mark = "copy" if self.untouched else "fixed"
        history = document.state.entry if document.dump is None else None
        if history is None:
            return copy_of(document, mark)
        path = source.path if isinstance(source, FileSource) else "new.entry" if document.made else document.name
        return entry_copy_name(path, history, mark)

    def target(self, typed: str) -> str:
        """Return the path that a typed name means; the default one is shown as `visible` text."""
        return self.default if typed == visible(self.default) else typed_path(typed)

    def rename(self, target: str) -> bool:
        """Plan again for a new name, since an entry's format depends on it; return whether the plan is another."""
        if self.document.dump is not None:
            return False
        try:
            plan = plan_copy(self.document, target)
        except SaveError:
            return False  # reported by the save
        if plan.image == self.plan.image:
            return False
        self.plan = plan
        return True

    def refuse(self, target: str) -> None:
        """Raise VmciError for a path that cannot be saved, or once for an existing file, which would be replaced."""
        if not target:
            raise SaveError("type a name")
        self._refuse_outside(target)
        if os.path.isdir(target):
            raise SaveError(f"{visible(target)} is a folder: add a file name")
        if os.path.exists(target) and self._replaced != target and not self._is_source(target):
            self._replaced = target
            raise SaveError(f"{visible(target)} exists. Press Save again to replace it")

    def _is_source(self, target: str) -> bool:
        source = self.document.source
        return isinstance(source, FileSource) and os.path.realpath(target) == os.path.realpath(source.path)

    def copy(self, target: str, progress: Progress) -> SaveOutcome | None:
        """Save a copy; return None if the user must agree to its harm first. Raises VmciError."""
        refuse_target(self.document.source, target)
        plan = plan_copy(self.document, target)
        if self._asks_about(harm_of(self.document, plan, self._readers)):
            return None
        saved = save_copy(self.document, plan, target, progress)
        return SaveOutcome(f"Saved {saved.name} ({size_text(saved.size)}{self._verified(saved.checked)})", path=target)

    def _verified(self, checked: int) -> str:
        """Return how much of guest memory was compared after a save."""
        dump = self.document.dump
        if dump is None:
            return ""
        part = "" if checked >= dump.guest_memory.size else f"{size_text(checked)} of "
        return f", {part}memory verified"

    def plan_for_in_place(self) -> InPlaceSave:
        """Return the plan of a save in place, to be agreed to. Raises VmciError."""
        if self.document.read_only:
            raise SaveError("the file is open in another vmci: save a copy")
        plan = plan_in_place(self.document)
        return InPlaceSave(plan, harm_of(self.document, plan, self._readers))

    def in_place(self, save: InPlaceSave, progress: Progress) -> SaveOutcome:
        """Save in place, as the user agreed to. Raises VmciError."""
        saved = save_in_place(self.document, save.plan, progress)
        if save.plan.empty:
            return SaveOutcome(f"Nothing was written: {saved.name} has these bytes already", in_place=True)
        forced = "; it was made writable for that, and is read-only again" if saved.forced else ""
        return SaveOutcome(f"Saved {saved.name} in place{forced}; U undoes it", in_place=True)

    def _asks_about(self, harm: Harm) -> bool:
        """Ask about the harm of a save; return False if there is none, or the user was asked already."""
        if not harm.worse or harm == self.harm:
            return False
        self.harm = harm
        names = ", ".join(item.reader for item in harm.worse)
        self.question = f"worse for {names} after the save. Press again to save anyway"
        return True


def holder_text(source: FileSource) -> str:
    """Return which process has the file's lock, ` (process 1234)`; empty if that is not known."""
    holder = source.lock_holder()
    return "" if holder is None else f" (process {holder})"


class UndoableSave(NamedTuple):
    """The last save in place of a file."""

    path: str
    name: Safe
    forced: bool
    """Whether another program changed the file since, so that undoing it overwrites that."""


def undoable_saves(document: Document) -> tuple[UndoableSave, ...]:
    """Return the saves in place of the dump and of its entry that can be undone. Raises VmciError."""
    return tuple(_undoable(document))


def _undoable(document: Document) -> Iterator[UndoableSave]:
    for source in (document.source, document.blob):
        if isinstance(source, FileSource):
            state = last_save_state(source.path)[0]
            if state not in ("none", "untouched"):
                yield UndoableSave(source.path, source.name, state == "changed")


def overwritten_lines(path: str, most: int) -> tuple[str, ...]:
    """Return what a forced undo overwrites, in at most `most` lines and one that counts the rest. Raises VmciError."""
    lines = tuple(overwritten_text(foreign_bytes(path)))
    return lines if len(lines) <= most else (*lines[:most], f"and {len(lines) - most} lines more")


def undo_save(path: str, finishing: bool = False, force: bool = False) -> str:
    """Undo or complete the last save in place of a closed file, and return a message. Raises VmciError."""
    if finishing:
        complete_last_save(path)
    else:
        undo_last_save(path, force)
    return f"the last save in place was {'completed' if finishing else 'undone'}"
