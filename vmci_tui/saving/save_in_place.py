"""Save into the file itself; only as many bytes as the note has are written.

First the old bytes are synced in the journal, then the bytes past the old end, then the
headers. So at any moment the file is the old one, the new one, or can be made either.
"""

from __future__ import annotations

import contextlib
import os
import stat

from vmci_tui.common.errors import OpenError, SaveError
from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.common.signals import note_change, signals_blocked
from vmci_tui.containers import open_dump
from vmci_tui.document.document import Document
from vmci_tui.layers.file import FileSource, reason
from vmci_tui.layers.image import SourceBytes
from vmci_tui.saving.change_file import apply, revert, writable
from vmci_tui.saving.journal_file import append, drop, name_of, push
from vmci_tui.saving.new_file import refuse_changed, save_error
from vmci_tui.saving.plan import Plan
from vmci_tui.saving.save_copy import SaveResult
from vmci_tui.saving.undo_journal import ChangedBytes, FileBeforeSave, SaveRecord, encode_mark
from vmci_tui.saving.verify import check_in_place


def save_in_place(document: Document, plan: Plan, progress: Progress = no_progress) -> SaveResult:
    """Write the plan's changes into the open file. Raises SaveError; the message says if the file differs then.

    An error of `progress` restores the old file and goes on.
    """
    source = document.source
    if not isinstance(source, FileSource):
        what = "there is no file to change" if document.made else f"{document.name} only describes an entry"
        raise SaveError(what, "save a copy with -o OUT")
    if not source.lock():
        raise SaveError(f"{source.name} is open in another vmci", "close it there, or save a copy")
    try:
        _refuse_changed(document, source)
        if plan.empty:
            return SaveResult(source.name, source.size, 0)
        record = _record_of(document, plan, source)
        forced = not os.access(source.path, os.W_OK)
        journal = name_of(source.path)
        with signals_blocked(), contextlib.ExitStack() as stack:
            start, end, given_up = push(journal, record)
            try:
                fd = stack.enter_context(writable(source, record.mode))
            except BaseException:
                drop(journal, start)
                raise
            try:
                progress("write", 0, 1)
                apply(fd, record)
                _check(document, plan, record, progress)
                append(journal, encode_mark(os.fstat(fd).st_mtime_ns, record.size_after), end)
                note_change(f"{source.name} is changed, `vmci undo FILE` undoes that")
            except BaseException:
                _roll_back(source, fd, record, journal, start)
                raise
        source.note_save()
    except OSError as error:
        raise save_error(error, source.path) from None
    moved = sum(change.extent.length for change in plan.changes if isinstance(change.extent, SourceBytes))
    return SaveResult(source.name, record.size_after, moved, forced, given_up)


def _refuse_changed(document: Document, source: FileSource) -> None:
    """Raise SaveError if the file changed: by its times, which are coarse, and by its headers and notes."""
    refuse_changed(source)
    if document.dump is not None and open_dump(source) != document.dump:
        raise SaveError(f"{source.name} has changed since it was opened", "open it again, then save")


def _record_of(document: Document, plan: Plan, source: FileSource) -> SaveRecord:
    before, after = source.size, plan.image.size
    changes = []
    for change in plan.changes:
        new = plan.image.read(source, change.offset, change.extent.length)
        if len(new) != change.extent.length:
            raise SaveError(f"{source.name} ended while it was read", "open it again, then save")
        changes.append(ChangedBytes(change.offset, source.read(change.offset, len(new)), new))
    if after < before:
        changes.append(ChangedBytes(after, source.read(after, before - after), b""))
    status = os.fstat(source.fileno())
    mode, identity = stat.S_IMODE(status.st_mode), source.identity
    return SaveRecord(identity.device, identity.inode, before, after, mode, identity.mtime, tuple(changes))


def _roll_back(source: FileSource, fd: int, record: SaveRecord, journal: str, start: int) -> None:
    """Restore the old file after a failed save, if the disk allows it; else the journal stays."""
    try:
        revert(fd, record)
        drop(journal, start)
    except OSError as error:
        words = f"saving {source.name} failed, and so did undoing it: {reason(error)}"
        raise SaveError(words, "repair that, then run `vmci undo FILE`") from None


def _check(document: Document, plan: Plan, record: SaveRecord, progress: Progress) -> None:
    """Read the changed bytes back. Raises SaveError if they are not the requested ones."""
    assert isinstance(document.source, FileSource)
    try:
        with FileSource(document.source.path) as saved:
            if document.dump is not None:
                check_in_place(document.dump, document.state, saved, FileBeforeSave(saved, record), progress)
            elif saved.read(0, saved.size) != plan.image.read(document.source, 0, plan.image.size):
                raise SaveError("the saved file is not the requested entry", "please report this")
    except (SaveError, OpenError) as error:
        raise SaveError(f"{error.message}; the old file was restored", "please report this") from None
