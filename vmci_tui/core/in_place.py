"""Saving into the file itself, at the cost of the note, and taking it back.

First the old bytes are durable in the journal, then what lies beyond the old end, then
the head. So at any moment the file is the old one, the new one, or can be made either.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from typing import Literal as Word

from vmci_tui.core.compare import check_in_place
from vmci_tui.core.document import Document
from vmci_tui.core.errors import OpenError, SaveError
from vmci_tui.core.image import Copy
from vmci_tui.core.journal import LIMIT, SUFFIX, Before, Change, Record, decode, encode, encode_mark
from vmci_tui.core.plan import Plan
from vmci_tui.core.save import Saved, refuse_changed, said, sync_folder
from vmci_tui.core.source import FileSource, read_small
from vmci_tui.core.text import visible

Condition = Word["none", "finished", "unfinished", "untouched", "changed"]
"""Of the last save in place: there is none; it ended; it did not; it did not begin; somebody else wrote since."""


def save_in_place(document: Document, plan: Plan) -> Saved:
    """Write the plan's changes into the open file. Raises SaveError; then the file is the old one, or says how."""
    source = document.source
    if not isinstance(source, FileSource):
        raise SaveError("there is no file to change", "save a copy with -o OUT")
    refuse_changed(source)
    if not source.lock():
        raise SaveError(f"{source.name} is open in another vmci", "close it there, or save a copy")
    if plan.empty:
        return Saved(source.name, source.size, 0)
    path = os.path.realpath(source.path)
    record = _record_of(document, plan, source)
    try:
        with _writable(path) as fd:
            journal_end = _push(path, record)
            try:
                _apply(fd, record)
            except OSError as error:
                _roll_back(path, fd, record)
                raise said(error, source.path) from None
            _check(document, path, record, fd)
            _append(path + SUFFIX, encode_mark(os.fstat(fd).st_mtime_ns, record.size_after), journal_end)
    except OSError as error:
        raise said(error, source.path) from None
    moved = sum(change.extent.length for change in plan.changes if isinstance(change.extent, Copy))
    return Saved(source.name, record.size_after, moved)


def condition(path: str) -> tuple[Condition, Record | None]:
    """How it stands with the last save in place of a file. Raises OpenError."""
    record = _last(path)
    if record is None:
        return "none", None
    source = FileSource(path)
    try:
        return _condition(source, record), record
    finally:
        source.close()


def take_back(path: str) -> Saved:
    """Give the file back as it was before the last save in place, to the byte. Raises SaveError."""
    real, record = _found(path)
    source = FileSource(real)
    try:
        if not source.lock():
            raise SaveError(f"{source.name} is open in another vmci", "close it there first")
        how = _condition(source, record)
        if how == "changed":
            raise SaveError(
                f"{source.name} was changed since by somebody else", f"the journal is kept: {visible(path)}{SUFFIX}"
            )
        with _writable(real) as fd:
            _revert(fd, record)
            _pop(real, record)
    except OSError as error:
        raise said(error, path) from None
    finally:
        source.close()
    return Saved(visible(path), record.size_before, 0)


def finish(path: str) -> Saved:
    """Bring an unfinished save in place to its end. Raises SaveError."""
    real, record = _found(path)
    source = FileSource(real)
    try:
        if not source.lock():
            raise SaveError(f"{source.name} is open in another vmci", "close it there first")
        how = _condition(source, record)
        if how == "changed":
            raise SaveError(
                f"{source.name} was changed since by somebody else", f"the journal is kept: {visible(path)}{SUFFIX}"
            )
        if how != "finished":
            with _writable(real) as fd:
                _apply(fd, record)
                end = decode(read_small(real + SUFFIX, LIMIT, "a journal"))[1]
                _append(real + SUFFIX, encode_mark(os.fstat(fd).st_mtime_ns, record.size_after), end)
    except OSError as error:
        raise said(error, path) from None
    finally:
        source.close()
    return Saved(visible(path), record.size_after, 0)


def _foreign(path: str) -> SaveError:
    return SaveError(
        f"{visible(path)} was changed since by somebody else", f"the old bytes are kept in {visible(path)}{SUFFIX}"
    )


def _found(path: str) -> tuple[str, Record]:
    real = os.path.realpath(path)
    record = _last(real)
    if record is None:
        raise SaveError(f"{visible(path)} has no save to take back", "only saves in place are kept, beside the file")
    return real, record


def _last(path: str) -> Record | None:
    journal = os.path.realpath(path) + SUFFIX
    if not os.path.exists(journal):
        return None
    records, _ = decode(read_small(journal, LIMIT, "a journal"))
    return records[-1] if records else None


def _condition(source: FileSource, record: Record) -> Condition:
    """By size and bytes: each byte of the changed ranges must be the old one or the new one."""
    low, high = sorted((record.size_before, record.size_after))
    if not low <= source.size <= high:
        return "changed"
    is_old, is_new = source.size == record.size_before, source.size == record.size_after
    for change in record.changes:
        now = source.read(change.offset, max(len(change.old), len(change.new)))
        is_old = is_old and now == change.old
        is_new = is_new and now == change.new
        if not _mixed(now, change):
            return "changed"
    if is_new:
        others = record.mtime_after is not None and source.identity.mtime != record.mtime_after
        return "changed" if others else "finished"
    return "untouched" if is_old else "unfinished"


def _mixed(now: bytes, change: Change) -> bool:
    old, new = change.old, change.new
    if now in (old, new):
        return True
    return all(
        (at < len(old) and byte == old[at]) or (at < len(new) and byte == new[at]) or (at >= len(old) and byte == 0)
        for at, byte in enumerate(now)
    )


def _record_of(document: Document, plan: Plan, source: FileSource) -> Record:
    before, after = source.size, plan.image.size
    changes = []
    for change in plan.changes:
        new = plan.image.read(source, change.offset, change.extent.length)
        if len(new) != change.extent.length:
            raise SaveError(f"{source.name} ended while it was read", "open it again, then save")
        changes.append(Change(change.offset, source.read(change.offset, len(new)), new))
    if after < before:
        changes.append(Change(after, source.read(after, before - after), b""))
    status = os.fstat(source.fileno())
    mode, identity = stat.S_IMODE(status.st_mode), source.identity
    return Record(identity.device, identity.inode, before, after, mode, identity.mtime, tuple(changes))


@contextlib.contextmanager
def _writable(path: str) -> Iterator[int]:
    """The file opened for writing; one that its owner may not write is made so, and its mode restored."""
    mode = stat.S_IMODE(os.stat(path).st_mode)
    changed = not mode & stat.S_IWUSR
    if changed:
        os.chmod(path, mode | stat.S_IWUSR)
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            yield fd
        finally:
            os.close(fd)
    finally:
        if changed:
            os.chmod(path, mode)


def _apply(fd: int, record: Record) -> None:
    """What lies beyond the old end first, and durable, then the rest: the head is what makes the file new."""
    for change in record.changes:
        if change.offset >= record.size_before:
            _pwrite(fd, change.new, change.offset)
    os.fsync(fd)
    for change in record.changes:
        if change.offset < record.size_before:
            _pwrite(fd, change.new, change.offset)
    if record.size_after < record.size_before:
        os.fsync(fd)
        os.ftruncate(fd, record.size_after)
    os.fsync(fd)


def _revert(fd: int, record: Record) -> None:
    """The old bytes, durable, then the old length."""
    for change in record.changes:
        _pwrite(fd, change.old, change.offset)
    os.fsync(fd)
    os.ftruncate(fd, record.size_before)
    # The time too: it tells the save before this one that nobody else wrote.
    os.utime(fd, ns=(os.fstat(fd).st_atime_ns, record.mtime_before))
    os.fsync(fd)


def _roll_back(path: str, fd: int, record: Record) -> None:
    """After a write failed: the old file again, if the disk still lets us; else the journal stays."""
    try:
        _revert(fd, record)
        _pop(path, record)
    except OSError as error:
        words = f"saving {visible(path)} failed, and so did taking it back: {error.strerror}"
        raise SaveError(words, "`vmci undo FILE` takes it back once that is mended") from None


def _pwrite(fd: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written


def _push(path: str, record: Record) -> int:
    """The record at the end of the journal, durable, and its folder too; where it ends."""
    journal = path + SUFFIX
    end = decode(read_small(journal, LIMIT, "a journal"))[1] if os.path.exists(journal) else 0
    end = _append(journal, encode(record), end)
    sync_folder(journal)
    return end


def _append(journal: str, data: bytes, at: int) -> int:
    """Write at `at`, where the last whole record ends; what is torn behind it goes."""
    fd = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(fd, at)
        _pwrite(fd, data, at)
        os.fsync(fd)
    finally:
        os.close(fd)
    return at + len(data)


def _pop(path: str, record: Record) -> None:
    """Forget the last record; the file is durable as it was before it."""
    journal = path + SUFFIX
    if record.start:
        _append(journal, b"", record.start)
    elif os.path.exists(journal):
        records, _ = decode(read_small(journal, LIMIT, "a journal"))
        if len(records) > 1:
            _append(journal, b"", records[-1].start)
        else:
            os.unlink(journal)
    sync_folder(journal)


def _check(document: Document, path: str, record: Record, fd: int) -> None:
    """Read back what was touched; where it is not what was asked for, the old file is put back."""
    saved = FileSource(path)
    try:
        if document.dump is not None:
            check_in_place(document.dump, document.state.notes, saved, Before(saved, record))
    except (SaveError, OpenError) as error:
        _roll_back(path, fd, record)
        raise SaveError(f"{error.message}; the file was put back as it was", "please report this") from None
    finally:
        saved.close()
