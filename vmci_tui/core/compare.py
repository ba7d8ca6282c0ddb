"""Whether a saved file holds the same guest memory and the state that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from vmci_tui.core.containers import Dump, open_dump
from vmci_tui.core.containers.elf import ElfDump
from vmci_tui.core.containers.elf_format import PT_LOAD
from vmci_tui.core.errors import OpenError, SaveError
from vmci_tui.core.note import Note
from vmci_tui.core.source import Source

CHUNK = 4 << 20
"""Large enough to be fast, small enough that the screen stalls for 8 ms at most (measured)."""

Progress = Callable[[str, int, int], None]
"""Called with what is done, bytes done, bytes in all; it may raise Cancelled."""


class Pair(NamedTuple):
    """The same guest memory in the old file and in the new one."""

    old: int
    new: int
    length: int


def check_saved(old: Dump, notes: tuple[Note, ...], saved: Source, limit: int, progress: Progress) -> int:
    """Re-open what was saved and compare it; the number of bytes of memory that were read back.

    Headers are compared one by one (the same vaddr, paddr and sizes, so what is equal in the
    file is equal by both addresses), then the bytes that they name, holes skipped, up to
    `limit`. Raises SaveError at the first difference.
    """
    try:
        new = open_dump(saved)
    except OpenError as error:
        raise SaveError(f"what was saved cannot be opened again: {error.message}", "nothing was put in place") from None
    wanted = sorted((note.packed(note.order) for note in notes), key=lambda note: not note.whole)
    if new is None or b"".join(n.raw for n in new.notes) != b"".join(n.raw for n in wanted):
        raise SaveError("what was saved does not hold the notes that were asked for", "nothing was put in place")
    return _same_memory(old, new, saved, limit, progress)


def _same_memory(old: Dump, new: Dump, saved: Source, limit: int, progress: Progress) -> int:
    pairs = tuple(_pairs(old, new))
    total = min(sum(pair.length for pair in pairs), limit)
    done = read = 0
    for pair in pairs:
        for start, end in _data(old.source, saved, pair):
            at = start
            while at < end and read < limit:
                take = min(CHUNK, end - at, limit - read)
                if old.source.read(pair.old + at, take) != saved.read(pair.new + at, take):
                    raise SaveError(
                        f"memory differs at {pair.new + at:#x} of what was saved", "nothing was put in place"
                    )
                at += take
                read += take
                progress("check", min(done + at, total), total)
        done += pair.length
    return read


def _pairs(old: Dump, new: Dump) -> Iterator[Pair]:
    """Ranges of both files that must be equal, each file range once."""
    if not isinstance(old, ElfDump) or not isinstance(new, ElfDump):
        raise SaveError("only ELF dumps can be compared", "nothing was put in place")
    before = [s for s in old.segments if s.type == PT_LOAD]
    after = [s for s in new.segments if s.type == PT_LOAD]
    same = ("flags", "vaddr", "paddr", "filesz", "memsz")
    if [[getattr(s, f) for f in same] for s in before] != [[getattr(s, f) for f in same] for s in after]:
        raise SaveError("the memory headers of what was saved differ from the old ones", "nothing was put in place")
    ranges = sorted((a.offset, b.offset, a.filesz) for a, b in zip(before, after, strict=True) if a.filesz)
    last: Pair | None = None
    for start, new_start, length in ranges:
        if last and start - last.old == new_start - last.new and start <= last.old + last.length:
            last = last._replace(length=max(last.length, start + length - last.old))
            continue
        if last:
            yield last
        last = Pair(start, new_start, length)
    if last:
        yield last


def _data(old: Source, new: Source, pair: Pair) -> Iterator[tuple[int, int]]:
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
