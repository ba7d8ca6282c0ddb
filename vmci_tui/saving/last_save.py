"""Find the state of the last save in place of a file, and undo or complete it.

Only bytes count, not times: a file that was copied or touched is still the saved file.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Final, NamedTuple
from typing import Literal as Word

from vmci_tui.common.errors import OpenError, SaveError
from vmci_tui.common.safe_text import visible
from vmci_tui.common.signals import note_change, signals_blocked
from vmci_tui.layers.file import FileSource
from vmci_tui.saving import journal_file
from vmci_tui.saving import undo_journal as journal
from vmci_tui.saving.change_file import apply, final_mode, revert, writable
from vmci_tui.saving.journal_file import last_record, name_of
from vmci_tui.saving.new_file import save_error
from vmci_tui.saving.save_copy import SaveResult
from vmci_tui.saving.undo_journal import ChangedBytes, RecordFrame, SaveRecord, encode_mark

LastSaveState = Word["none", "finished", "unfinished", "untouched", "changed"]
"""The last save in place: none; completed; interrupted; not begun; another program wrote since."""

_LOOK: Final = 16 << 20
"""Bytes of a record that `is_cut_short` compares with the file; of a longer one its mark counts."""


class ForeignBytes(NamedTuple):
    """Bytes that another program wrote since the save, and the bytes that undoing it restores."""

    offset: int
    now: bytes
    then: bytes


def is_cut_short(path: str) -> bool:
    """Return whether the last save in place was cut short, by the journal's end: in bounded time."""
    try:
        source = FileSource(os.path.realpath(path))
    except OpenError:
        return False
    try:
        with source, journal_file.opened(name_of(path)) as kept:
            place = None if kept is None else journal.last(kept)
            if kept is None or place is None:
                return False
            if place.length <= _LOOK:
                found = last_record(kept, source)
                return found is not None and _state_of(source, found[0]) == "unfinished"
            before = place.size_before, place.mtime_before
            return place.mtime_after is None and before != (source.size, source.identity.mtime)
    except (OpenError, SaveError, OSError):
        return False  # another user's, or not a journal: the file can still be read


def last_save_state(path: str) -> tuple[LastSaveState, SaveRecord | None]:
    """Return the state of the last save in place of a file, and its record. Raises OpenError, SaveError."""
    with FileSource(os.path.realpath(path)) as source:
        try:
            with journal_file.opened(name_of(path)) as kept:
                found = None if kept is None else last_record(kept, source)
            return ("none", None) if found is None else (_state_of(source, found[0]), found[0])
        except OSError as error:
            raise save_error(error, path) from None


def foreign_bytes(path: str) -> tuple[ForeignBytes, ...]:
    """Return bytes that undoing the last save would overwrite, but it did not write. Raises OpenError, SaveError."""
    with _last_save(path, force=True, locked=False) as (source, record, _):
        found = []
        for change in record.changes:
            now = source.read(change.offset, max(len(change.old), len(change.new)))
            if now not in (change.old, change.new):
                found.append(ForeignBytes(change.offset, now, change.old))
        end = max(record.size_before, record.size_after)
        if source.size > end:
            found.append(ForeignBytes(end, source.read(end, _LOOK), b""))
        return tuple(found)


def undo_last_save(path: str, force: bool = False) -> SaveResult:
    """Undo the last save in place: restore the file byte for byte. Raises SaveError, OpenError.

    With `force` also if another program wrote since where the save wrote.
    """
    with _last_save(path, force) as (source, record, _), signals_blocked():
        with writable(source, final_mode(source, record)) as fd:
            revert(fd, record)
        journal_file.drop(name_of(path), record.start)
        note_change(f"{source.name} is as it was before its last save in place")
    return SaveResult(visible(path), record.size_before, 0)


def complete_last_save(path: str) -> SaveResult:
    """Complete an unfinished save in place. Raises SaveError, OpenError."""
    with _last_save(path) as (source, record, place), signals_blocked():
        if record.mtime_after is None:
            with writable(source, final_mode(source, record)) as fd:
                apply(fd, record)
                mark = encode_mark(os.fstat(fd).st_mtime_ns, record.size_after)
                journal_file.append(name_of(path), mark, place.start + place.length)
            note_change(f"{source.name} has its last save in place completed")
    return SaveResult(visible(path), record.size_after, 0)


@contextlib.contextmanager
def _last_save(
    path: str, force: bool = False, locked: bool = True
) -> Iterator[tuple[FileSource, SaveRecord, RecordFrame]]:
    """Open the file, unchanged by others (except with `force`); with its last record and frame.

    `locked` is False to read only, since the app holds the lock of the file that it shows.
    """
    with FileSource(os.path.realpath(path)) as source:
        try:
            if locked and not source.lock():
                raise SaveError(f"{source.name} is open in another vmci", "close it there first")
            with journal_file.opened(name_of(path)) as kept:
                found = None if kept is None else last_record(kept, source)
            if found is None:
                words = f"{visible(path)} has no save to undo"
                raise SaveError(words, "only saves in place can be undone; their journal is beside the file")
            record, place = found
            if source.size < min(record.size_before, record.size_after):
                words = (
                    f"{source.name} has {source.size} bytes, fewer than before and after the save: it was cut off since"
                )
                raise SaveError(words, f"the old bytes are kept: {source.name}{journal.SUFFIX}")
            if not force and _state_of(source, record) == "changed":
                words = f"{source.name} was changed by another program since, where the save wrote"
                raise SaveError(words, "--force undoes it nevertheless, --force --dry-run shows what that overwrites")
            yield source, record, place
        except OSError as error:
            raise save_error(error, path) from None


def _state_of(source: FileSource, record: SaveRecord) -> LastSaveState:
    """Return the save's state by size and bytes: each byte of a changed range must be the old or the new one."""
    low, high = sorted((record.size_before, record.size_after))
    if not low <= source.size <= high:
        return "changed"
    is_old, is_new = source.size == record.size_before, source.size == record.size_after
    for change in record.changes:
        now = source.read(change.offset, max(len(change.old), len(change.new)))
        is_old = is_old and now == change.old
        is_new = is_new and now == change.new
        if not (now in (change.old, change.new) or _mixed(now, change)):
            return "changed"
    return "finished" if is_new else "untouched" if is_old else "unfinished"


def _mixed(now: bytes, change: ChangedBytes) -> bool:
    """Return whether each byte is the old or the new one; a byte past the old end is 0 until it is written."""
    length = len(now)
    old = change.old[:length].ljust(length, b"\0")
    new = change.new[:length] + old[len(change.new) :]
    return not _differing(now, old) & _differing(now, new)


def _differing(one: bytes, other: bytes) -> int:
    """Return a number with a bit for each byte that differs: a loop over a hostile record would take seconds."""
    bits = int.from_bytes(one) ^ int.from_bytes(other)
    for shift in (4, 2, 1):
        bits |= bits >> shift
    return bits & int.from_bytes(b"\x01" * len(one))
