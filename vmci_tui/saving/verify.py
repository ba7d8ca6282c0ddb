"""Check that a saved file holds the same guest memory, and the requested state."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from typing import Final

from vmci_tui.common.errors import OpenError, SaveError
from vmci_tui.common.progress import Progress
from vmci_tui.containers import Dump, open_dump
from vmci_tui.containers.base import CopiedRange, KeptBytes
from vmci_tui.document.state import State
from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.header_text import saved_order
from vmci_tui.layers.file import Source
from vmci_tui.layers.read_into import read_into
from vmci_tui.saving.undo_journal import FileBeforeSave

_BUFFER: Final = 1 << 20
"""Bytes of each side that are compared at a time."""


def check_saved(old: Dump, state: State, saved: Source, limit: int, progress: Progress) -> int:
    """Open a copy and compare it; return the number of bytes of the file that were read back.

    It compares headers, then up to `limit` bytes that must be the same, without holes. Raises SaveError at the
    first difference.
    """
    new, read = _reopened(state.notes, saved), 0
    for kept in old.kept(state.of_dump, new):
        length = _same_bytes(kept, limit, progress)
        read += length if kept.in_file else 0
    return read


def check_in_place(old: Dump, state: State, saved: Source, before: FileBeforeSave, progress: Progress) -> int:
    """Compare a file that was saved in place with `before`; return the number of bytes read back.

    Only bytes that moved, or are where the save wrote, can differ; the rest is not read.
    """
    was = open_dump(before)  # the source of `old` already reads the new bytes
    assert was is not None
    read = 0
    for kept in was.kept(state.of_dump._replace(in_place=True), _reopened(state.notes, saved)):
        touched = tuple(
            pair
            for pair in kept.pairs
            if pair.old != pair.new or (kept.in_file and before.overwritten(pair.new, pair.length))
        )
        length = _same_bytes(kept._replace(pairs=touched), sum(pair.length for pair in touched), progress)
        read += length if kept.in_file else 0
    return read


def _reopened(notes: tuple[Note, ...], saved: Source) -> Dump:
    try:
        new = open_dump(saved)
    except OpenError as error:
        raise SaveError(f"the saved file cannot be opened again: {error.message}", "nothing was saved") from None
    wanted = [notes[index].packed(notes[index].order) for index in saved_order(notes)]
    if new is None or b"".join(n.raw for n in new.notes) != b"".join(n.raw for n in wanted):
        raise SaveError("the saved file does not have the requested notes", "nothing was saved")
    return new


def _same_bytes(kept: KeptBytes, limit: int, progress: Progress) -> int:
    """Compare up to `limit` bytes and return the number read. Raises SaveError at the first difference."""
    old, saved, pairs = kept.old, kept.new, kept.pairs
    total = min(sum(pair.length for pair in pairs), limit)
    one, other = bytearray(_BUFFER), bytearray(_BUFFER)
    done = read = 0
    for pair in pairs:
        for start, end in _data(old, saved, pair):
            at = start
            while at < end and read < limit:
                take = min(_BUFFER, end - at, limit - read)
                with memoryview(one)[:take] as ours, memoryview(other)[:take] as theirs:
                    got = read_into(old, pair.old + at, ours)
                    if got != read_into(saved, pair.new + at, theirs) or not one.startswith(theirs[:got]):
                        raise SaveError(f"memory differs at {pair.new + at:#x} of the saved file", "nothing was saved")
                at += take
                read += take
                progress("check", min(done + at, total), total)
        done += pair.length
    return read


def _data(old: Source, new: Source, pair: CopiedRange) -> Iterator[tuple[int, int]]:
    """Return the parts of a pair, counted from its start, where at least one file has data."""
    before = ((a - pair.old, b - pair.old) for a, b in old.data_ranges(pair.old, pair.old + pair.length))
    after = ((a - pair.new, b - pair.new) for a, b in new.data_ranges(pair.new, pair.new + pair.length))
    at = 0
    for start, end in merge(before, after):  # not joined: how far a range of a file that is written goes shows later
        if max(start, at) < end:
            yield max(start, at), end
        at = max(at, end)
