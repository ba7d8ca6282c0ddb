"""Write the file of a journal durably; unreadable parts of it are never cut off."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

from vmci_tui.common.errors import SaveError
from vmci_tui.common.safe_text import visible
from vmci_tui.layers.file import BytesSource, FileSource
from vmci_tui.saving import undo_journal as journal
from vmci_tui.saving.copy_filled import copy_some, pwrite
from vmci_tui.saving.new_file import sync_folder, write_atomically
from vmci_tui.saving.undo_journal import (
    LIMIT,
    MOST_CHANGES,
    SUFFIX,
    JournalPrefix,
    RecordFrame,
    SaveRecord,
    Unreadable,
    encode,
)

_CHUNK = 16 << 20


def name_of(path: str) -> str:
    """Return the path of a file's journal, with links resolved."""
    return os.path.realpath(path) + SUFFIX


@contextlib.contextmanager
def opened(path: str) -> Iterator[FileSource | None]:
    """Open the journal for reading; None if there is none. Raises SaveError with a hint, and OpenError."""
    try:
        kind = os.lstat(path).st_mode
    except FileNotFoundError:
        yield None
        return
    if not stat.S_ISREG(kind):
        raise SaveError(f"{visible(path)} is not a journal: it is not a regular file", "move it away")
    with FileSource(path) as source:
        try:
            yield source
        except Unreadable as error:
            words = f"{source.name} cannot be read by this vmci ({error.message}); it is left unchanged"
            raise SaveError(words, "move it away, or save a copy with -o OUT") from None


def last_record(source: FileSource, of: FileSource) -> tuple[SaveRecord, RecordFrame] | None:
    """Return the record of the last save of the file `of`. Raises Unreadable, OpenError."""
    size = source.size
    while (found := journal.last(JournalPrefix(source, size))) is not None:
        try:
            return journal.read(source, found), found
        except Unreadable:
            if not _never_began(found, of):
                raise
            size = found.start  # a power cut while the record was written; the file is as before
    return None


def _never_began(place: RecordFrame, of: FileSource) -> bool:
    untouched = (place.size_before, place.mtime_before) == (of.size, of.identity.mtime)
    return place.mtime_after is None and untouched


def push(path: str, record: SaveRecord) -> tuple[int, int, int]:
    """Append a record to the journal, and sync it and its folder.

    Returns its start and end, and the number of oldest records dropped for it. Raises SaveError, OSError.
    """
    data = encode(record)
    if len(data) > LIMIT or len(record.changes) > MOST_CHANGES:
        words = f"{visible(path)} would need {len(data)} bytes for the old and new ones; the limit is {LIMIT}"
        raise SaveError(words, "save a copy with -o OUT")
    with opened(path) as source:
        start = journal.end_of(source) if source is not None else 0
        given_up = 0
        if source is not None and start + len(data) > LIMIT:
            start, given_up = _shortened(source, start, LIMIT - len(data))
    try:
        end = append(path, data, start)
        sync_folder(path)
    except BaseException:
        with contextlib.suppress(OSError):
            drop(path, start)
        raise
    return start, end, given_up


def _shortened(source: FileSource, end: int, room: int) -> tuple[int, int]:
    """Drop the oldest records until the rest has `room`; return its new end, and the number of dropped ones."""
    ends = [place.end for place in journal.frames(JournalPrefix(source, end))]
    gone = next((number for number, at in enumerate(ends) if end - at <= room), len(ends) - 1)
    first = ends[gone]

    def make(fd: int, _: str) -> None:
        at = first
        while at < end:
            at += copy_some(source, fd, at, min(_CHUNK, end - at), at - first)

    write_atomically(BytesSource(b""), source.path, make, announce=False)
    return end - first, gone + 1


def append(path: str, data: bytes, at: int) -> int:
    """Write and sync `data` at `at`, the end of the last record; drop torn bytes after it. Return the new end."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.ftruncate(fd, at)
        pwrite(fd, data, at)
        os.fsync(fd)
    finally:
        os.close(fd)
    return at + len(data)


def drop(path: str, start: int) -> None:
    """Drop the record that begins at `start`, and sync the journal."""
    if start:
        append(path, b"", start)
    else:
        os.unlink(path)
    sync_folder(path)
