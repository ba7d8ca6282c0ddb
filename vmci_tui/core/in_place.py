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
from vmci_tui.core.containers import open_dump
from vmci_tui.core.copying import pwrite
from vmci_tui.core.document import Document
from vmci_tui.core.errors import OpenError, SaveError
from vmci_tui.core.image import Copy
from vmci_tui.core.journal import LIMIT, SUFFIX, Before, Change, Record, decode, encode, encode_mark
from vmci_tui.core.placing import refuse_changed, said, sync_folder
from vmci_tui.core.plan import Plan
from vmci_tui.core.save import Saved
from vmci_tui.core.source import FileSource, read_small, reason
from vmci_tui.core.stopping import held_back, is_done
from vmci_tui.core.text import visible

Condition = Word["none", "finished", "unfinished", "untouched", "changed"]
"""Of the last save in place: there is none; it ended; it did not; it did not begin; somebody else wrote since."""


def save_in_place(document: Document, plan: Plan) -> Saved:
    """Write the plan's changes into the open file. Raises SaveError; then the file is the old one, or says how."""
    source = document.source
    if not isinstance(source, FileSource):
        raise SaveError("there is no file to change", "save a copy with -o OUT")
    if not source.lock():
        raise SaveError(f"{source.name} is open in another vmci", "close it there, or save a copy")
    try:
        _refuse_changed(document, source)
        if plan.empty:
            return Saved(source.name, source.size, 0)
        record = _record_of(document, plan, source)
        forced = not os.access(source.path, os.W_OK)
        journal = os.path.realpath(source.path) + SUFFIX
        with held_back(), contextlib.ExitStack() as stack:
            start, end = _push(journal, record)
            try:
                fd = stack.enter_context(_writable(source, record.mode))
            except BaseException:
                _drop(journal, start)
                raise
            try:
                _apply(fd, record)
                _check(document, plan, record)
                _append(journal, encode_mark(os.fstat(fd).st_mtime_ns, record.size_after), end)
                is_done(f"{source.name} is changed, `vmci undo FILE` takes it back")
            except BaseException:
                _roll_back(source, fd, record, journal, start)
                raise
    except OSError as error:
        raise said(error, source.path) from None
    moved = sum(change.extent.length for change in plan.changes if isinstance(change.extent, Copy))
    return Saved(source.name, record.size_after, moved, forced)


def condition(path: str) -> tuple[Condition, Record | None]:
    """How it stands with the last save in place of a file. Raises OpenError."""
    try:
        records, _ = _journal(os.path.realpath(path) + SUFFIX)
    except (OpenError, OSError):
        records = ()  # another user's, or no journal at all: it keeps nobody from reading the file
    if not records:
        return "none", None
    source = FileSource(path)
    try:
        return _condition(source, records[-1]), records[-1]
    finally:
        source.close()


def take_back(path: str) -> Saved:
    """Give the file back as it was before the last save in place, to the byte. Raises SaveError."""
    with _last_save(path) as (source, record, _), held_back():
        with _writable(source, _mode(source, record)) as fd:
            _revert(fd, record)
        _drop(source.path + SUFFIX, record.start)
        is_done(f"{source.name} is as it was before its last save in place")
    return Saved(visible(path), record.size_before, 0)


def finish(path: str) -> Saved:
    """Bring an unfinished save in place to its end. Raises SaveError."""
    with _last_save(path) as (source, record, end), held_back():
        if record.mtime_after is None:
            with _writable(source, _mode(source, record)) as fd:
                _apply(fd, record)
                _append(source.path + SUFFIX, encode_mark(os.fstat(fd).st_mtime_ns, record.size_after), end)
            is_done(f"{source.name} is brought to the end of its last save in place")
    return Saved(visible(path), record.size_after, 0)


@contextlib.contextmanager
def _last_save(path: str) -> Iterator[tuple[FileSource, Record, int]]:
    """The file, locked and not changed by others since, its last record, and where that ends."""
    source = FileSource(os.path.realpath(path))
    try:
        if not source.lock():
            raise SaveError(f"{source.name} is open in another vmci", "close it there first")
        records, end = _journal(source.path + SUFFIX)
        if not records:
            raise SaveError(
                f"{visible(path)} has no save to take back", "only saves in place are kept, beside the file"
            )
        if _condition(source, records[-1]) == "changed":
            raise SaveError(
                f"{source.name} was changed since by somebody else", f"the old bytes are kept: {source.name}{SUFFIX}"
            )
        yield source, records[-1], end
    except OSError as error:
        raise said(error, path) from None
    finally:
        source.close()


def _journal(journal: str) -> tuple[tuple[Record, ...], int]:
    """The records, oldest first, and where the last of them ends."""
    try:
        kind = os.lstat(journal).st_mode
    except FileNotFoundError:
        return (), 0
    if not stat.S_ISREG(kind):
        raise OpenError(f"{visible(journal)} is not a journal but something else of that name", "move it away")
    return decode(read_small(journal, LIMIT, "a journal"))


def _refuse_changed(document: Document, source: FileSource) -> None:
    """By its times, which are coarse, and by the head that the plan was made from."""
    refuse_changed(source)
    if document.dump is not None and open_dump(source) != document.dump:
        raise SaveError(f"{source.name} has changed since it was opened", "open it again, then save")


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
def _writable(source: FileSource, mode: int) -> Iterator[int]:
    """The file opened for writing; one that its owner may not write is made so. It has `mode` in the end."""
    now = stat.S_IMODE(os.fstat(source.fileno()).st_mode)
    try:
        try:
            fd = os.open(source.path, os.O_RDWR | os.O_CLOEXEC)
        except PermissionError:
            now |= stat.S_IWUSR
            os.fchmod(source.fileno(), now)
            fd = os.open(source.path, os.O_RDWR | os.O_CLOEXEC)
        try:
            status = os.fstat(fd)
            if (status.st_dev, status.st_ino) != (source.identity.device, source.identity.inode):
                raise SaveError(f"{source.name} is another file than was opened", "open it again, then save")
            yield fd
        finally:
            with contextlib.suppress(OSError):  # fsync has told all that close could
                os.close(fd)
    finally:
        if now != mode:
            os.fchmod(source.fileno(), mode)


def _mode(source: FileSource, record: Record) -> int:
    """The mode that the file gets in the end: a save that was killed may have left it writable."""
    now = stat.S_IMODE(os.fstat(source.fileno()).st_mode)
    return record.mode if now == record.mode | stat.S_IWUSR else now


def _apply(fd: int, record: Record) -> None:
    """What lies beyond the old end first, and durable, then the rest: the head is what makes the file new."""
    for change in record.changes:
        if change.offset >= record.size_before:
            pwrite(fd, change.new, change.offset)
    os.fsync(fd)
    for change in record.changes:
        if change.offset < record.size_before:
            pwrite(fd, change.new, change.offset)
    if record.size_after < record.size_before:
        os.fsync(fd)
        os.ftruncate(fd, record.size_after)
    os.fsync(fd)


def _revert(fd: int, record: Record) -> None:
    """The old bytes, durable, then the old length."""
    for change in record.changes:
        pwrite(fd, change.old, change.offset)
    os.fsync(fd)
    os.ftruncate(fd, record.size_before)
    with contextlib.suppress(PermissionError):  # who may write a file need not own it
        # The time too: it tells the save before this one that nobody else wrote.
        os.utime(fd, ns=(os.fstat(fd).st_atime_ns, record.mtime_before))
    os.fsync(fd)


def _roll_back(source: FileSource, fd: int, record: Record, journal: str, start: int) -> None:
    """After a save failed: the old file again, if the disk still lets us; else the journal stays."""
    try:
        _revert(fd, record)
        _drop(journal, start)
    except OSError as error:
        words = f"saving {source.name} failed, and so did taking it back: {reason(error)}"
        raise SaveError(words, "`vmci undo FILE` takes it back once that is mended") from None


def _push(journal: str, record: Record) -> tuple[int, int]:
    """The record at the end of the journal, durable, and its folder too; where it begins and ends."""
    _, start = _journal(journal)
    try:
        end = _append(journal, encode(record), start)
        sync_folder(journal)
    except BaseException:
        with contextlib.suppress(OSError):
            _drop(journal, start)
        raise
    return start, end


def _append(journal: str, data: bytes, at: int) -> int:
    """Write at `at`, where the last whole record ends; what is torn behind it goes."""
    fd = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.ftruncate(fd, at)
        pwrite(fd, data, at)
        os.fsync(fd)
    finally:
        os.close(fd)
    return at + len(data)


def _drop(journal: str, start: int) -> None:
    """Forget the record that begins there; the file is durable as it was before it."""
    if start:
        _append(journal, b"", start)
    else:
        os.unlink(journal)
    sync_folder(journal)


def _check(document: Document, plan: Plan, record: Record) -> None:
    """Read back what was touched. Raises SaveError where it is not what was asked for."""
    assert isinstance(document.source, FileSource)
    try:
        saved = FileSource(document.source.path)
        try:
            if document.dump is not None:
                check_in_place(document.dump, document.state, saved, Before(saved, record))
            elif saved.read(0, saved.size) != plan.image.read(document.source, 0, plan.image.size):
                raise SaveError("what was saved is not the entry that was asked for", "please report this")
        finally:
            saved.close()
    except (SaveError, OpenError) as error:
        raise SaveError(f"{error.message}; the file was put back as it was", "please report this") from None
