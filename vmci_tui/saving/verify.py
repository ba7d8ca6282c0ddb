"""Whether a saved file holds the same guest memory and the state that was asked for."""

from __future__ import annotations

from collections.abc import Iterator

from vmci_tui.common.errors import OpenError, SaveError
from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.containers import Dump, open_dump
from vmci_tui.containers.base import CopiedRange, KeptBytes
from vmci_tui.document.state import State
from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.header_text import saved_order
from vmci_tui.layers.file import Source
from vmci_tui.saving.undo_journal import FileBeforeSave

PIECE = 64 << 10
"""Bytes read at a time. From 128 KiB on the C library maps and unmaps memory for each read: the whole
save of 2 GiB then takes 3.0 to 5.1 s and not 1.9 s (measured)."""


def check_saved(old: Dump, state: State, saved: Source, limit: int, progress: Progress) -> int:
    """Re-open a copy and compare it; the number of bytes of the file that were read back.

    First its headers, then the bytes that must be the same, holes skipped, up to `limit`. Raises SaveError at the
    first difference.
    """
    new, read = _reopened(state.notes, saved), 0
    for kept in old.kept(state.of_dump, new):
        length = _same_bytes(kept, limit, progress)
        read += length if kept.in_file else 0
    return read


def check_in_place(old: Dump, state: State, saved: Source, before: FileBeforeSave) -> int:
    """The same for a file that was changed itself: `before` reads what it held.

    Only what moved, or lies where bytes were overwritten, can differ; the rest is not read.
    """
    was = open_dump(before)  # the source of `old` reads what was written over it
    assert was is not None
    read = 0
    for kept in was.kept(state.of_dump._replace(in_place=True), _reopened(state.notes, saved)):
        touched = tuple(
            pair
            for pair in kept.pairs
            if pair.old != pair.new or (kept.in_file and before.overwritten(pair.new, pair.length))
        )
        length = _same_bytes(kept._replace(pairs=touched), sum(pair.length for pair in touched), no_progress)
        read += length if kept.in_file else 0
    return read


def _reopened(notes: tuple[Note, ...], saved: Source) -> Dump:
    try:
        new = open_dump(saved)
    except OpenError as error:
        raise SaveError(f"what was saved cannot be opened again: {error.message}", "nothing was put in place") from None
    wanted = [notes[index].packed(notes[index].order) for index in saved_order(notes)]
    if new is None or b"".join(n.raw for n in new.notes) != b"".join(n.raw for n in wanted):
        raise SaveError("what was saved does not hold the notes that were asked for", "nothing was put in place")
    return new


def _same_bytes(kept: KeptBytes, limit: int, progress: Progress) -> int:
    """Compare up to `limit` bytes; how many were read. Raises SaveError at the first difference."""
    old, saved, pairs = kept.old, kept.new, kept.pairs
    total = min(sum(pair.length for pair in pairs), limit)
    done = read = 0
    for pair in pairs:
        for start, end in _data(old, saved, pair):
            at = start
            while at < end and read < limit:
                take = min(PIECE, end - at, limit - read)
                if old.read(pair.old + at, take) != saved.read(pair.new + at, take):
                    raise SaveError(
                        f"memory differs at {pair.new + at:#x} of what was saved", "nothing was put in place"
                    )
                at += take
                read += take
                progress("check", min(done + at, total), total)
        done += pair.length
    return read


def _data(old: Source, new: Source, pair: CopiedRange) -> Iterator[tuple[int, int]]:
    """The parts of a pair, counted from its start, where at least one file has data."""
    parts = [(a - pair.old, b - pair.old) for a, b in old.data_ranges(pair.old, pair.old + pair.length)]
    parts += [(a - pair.new, b - pair.new) for a, b in new.data_ranges(pair.new, pair.new + pair.length)]
    parts.sort()
    start = end = 0
    for first, last in parts:
        if first > end:
            if start < end:
                yield start, end
            start = first
        end = max(end, last)
    if start < end:
        yield start, end
