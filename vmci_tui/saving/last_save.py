"""How it stands with the last save in place of a file, and the way back, or on to its end.

Bytes are judged, and no times: a file that was copied or touched is the file that was saved.
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
"""Of the last save in place: there is none; it ended; it did not; it did not begin; somebody else wrote since."""

_LOOK: Final = 16 << 20
"""Bytes of a record that are compared with the file by a mere look; of a longer one its mark counts."""


class ForeignBytes(NamedTuple):
    """Bytes that somebody else wrote since the save, and what taking it back puts there."""

    offset: int
    now: bytes
    then: bytes


def is_cut_short(path: str) -> bool:
    """Whether the last save in place was cut short, by a look at the journal's end: bounded, whatever it holds."""
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
        return False  # another user's, or no journal at all: it keeps nobody from reading the file


def last_save_state(path: str) -> tuple[LastSaveState, SaveRecord | None]:
    """How it stands with the last save in place of a file, and its record. Raises OpenError, SaveError."""
    with FileSource(os.path.realpath(path)) as source:
        try:
            with journal_file.opened(name_of(path)) as kept:
                found = None if kept is None else last_record(kept, source)
            return ("none", None) if found is None else (_state_of(source, found[0]), found[0])
        except OSError as error:
            raise save_error(error, path) from None


def foreign_bytes(path: str) -> tuple[ForeignBytes, ...]:
    """What taking the last save back would overwrite that the save did not write. Raises OpenError, SaveError."""
    with _last_save(path, force=True) as (source, record, _):
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
    """Give the file back as it was before the last save in place, to the byte. Raises SaveError, OpenError.

    With `force` also where somebody else wrote into the places of the save since.
    """
    with _last_save(path, force) as (source, record, _), signals_blocked():
        with writable(source, final_mode(source, record)) as fd:
            revert(fd, record)
        journal_file.drop(name_of(path), record.start)
        note_change(f"{source.name} is as it was before its last save in place")
    return SaveResult(visible(path), record.size_before, 0)


def complete_last_save(path: str) -> SaveResult:
    """Bring an unfinished save in place to its end. Raises SaveError, OpenError."""
    with _last_save(path) as (source, record, place), signals_blocked():
        if record.mtime_after is None:
            with writable(source, final_mode(source, record)) as fd:
                apply(fd, record)
                mark = encode_mark(os.fstat(fd).st_mtime_ns, record.size_after)
                journal_file.append(name_of(path), mark, place.start + place.length)
            note_change(f"{source.name} is brought to the end of its last save in place")
    return SaveResult(visible(path), record.size_after, 0)


@contextlib.contextmanager
def _last_save(path: str, force: bool = False) -> Iterator[tuple[FileSource, SaveRecord, RecordFrame]]:
    """The file, locked and not changed by others since (but with `force`), its last record, and where that lies."""
    with FileSource(os.path.realpath(path)) as source:
        try:
            if not source.lock():
                raise SaveError(f"{source.name} is open in another vmci", "close it there first")
            with journal_file.opened(name_of(path)) as kept:
                found = None if kept is None else last_record(kept, source)
            if found is None:
                words = f"{visible(path)} has no save to take back"
                raise SaveError(words, "only saves in place are kept, beside the file")
            record, place = found
            if source.size < min(record.size_before, record.size_after):
                words = (
                    f"{source.name} has {source.size} bytes, fewer than before and after the save: it was cut off since"
                )
                raise SaveError(words, f"the old bytes are kept: {source.name}{journal.SUFFIX}")
            if not force and _state_of(source, record) == "changed":
                words = f"{source.name} was changed since by somebody else, where the save wrote"
                raise SaveError(
                    words, "--force takes it back all the same, --force --dry-run shows what that overwrites"
                )
            yield source, record, place
        except OSError as error:
            raise save_error(error, path) from None


def _state_of(source: FileSource, record: SaveRecord) -> LastSaveState:
    """By size and bytes: each byte of the changed ranges must be the old one or the new one."""
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
    """Whether each byte is the old or the new one; behind the old end a byte that is not written yet is 0."""
    length = len(now)
    old = change.old[:length].ljust(length, b"\0")
    new = change.new[:length] + old[len(change.new) :]
    return not _differing(now, old) & _differing(now, new)


def _differing(one: bytes, other: bytes) -> int:
    """One bit for each byte that differs, as a number: a loop over the bytes of a hostile record takes seconds."""
    bits = int.from_bytes(one) ^ int.from_bytes(other)
    for shift in (4, 2, 1):
        bits |= bits >> shift
    return bits & int.from_bytes(b"\x01" * len(one))
