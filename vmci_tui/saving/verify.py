"""Whether a saved file holds the same guest memory and the state that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from vmci_tui.common.errors import OpenError, SaveError
from vmci_tui.common.progress import Progress
from vmci_tui.containers import Dump, open_dump
from vmci_tui.containers.elf.contents import ElfContents
from vmci_tui.containers.elf.dump import ElfDump
from vmci_tui.containers.elf.program_headers import remapped
from vmci_tui.document.document import State
from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.elf_records import PT_LOAD, Segment
from vmci_tui.formats.header_text import saved_order
from vmci_tui.layers.file import HEAD_LIMIT, Source
from vmci_tui.layers.memory_map import Memory
from vmci_tui.saving.undo_journal import Before

PIECE = 64 << 10
"""Bytes read at a time. From 128 KiB on the C library maps and unmaps memory for each read: the whole
save of 2 GiB then takes 3.0 to 5.1 s and not 1.9 s (measured)."""


class Pair(NamedTuple):
    """The same guest memory in the old file and in the new one."""

    old: int
    new: int
    length: int


def check_saved(old: Dump, state: State, saved: Source, limit: int, progress: Progress) -> int:
    """Re-open a copy and compare it; the number of bytes of memory that were read back.

    Headers are compared one by one (the same vaddr, paddr and sizes, so what is equal in the
    file is equal by both addresses; merged ones by paddr alone), then the bytes that they name,
    holes skipped, up to `limit`. Raises SaveError at the first difference.
    """
    if old.container != "elf":
        pairs, base = _kdump_pairs(old, state, saved, in_place=False)
        _same_through_records(old, state, saved, limit, progress)
        return _same_bytes(pairs, base, saved, limit, progress)
    return _same_bytes(tuple(_pairs(old, _reopened(state.notes, saved), state)), old.source, saved, limit, progress)


def check_in_place(old: Dump, state: State, saved: Source, before: Before) -> int:
    """The same for a file that was changed itself: `before` reads what it held.

    Only what moved, or lies where bytes were overwritten, can differ; the rest is not read.
    """
    if old.container != "elf":
        was = open_dump(before)  # the old one's source reads what was written over it
        assert was is not None
        pairs, _ = _kdump_pairs(was, state, saved, in_place=True)
        _same_through_records(was, state, saved, HEAD_LIMIT, lambda *_: None, moved=True)
    else:
        pairs = tuple(_pairs(old, _reopened(state.notes, saved), state))
    touched = tuple(pair for pair in pairs if pair.old != pair.new or before.overwritten(pair.new, pair.length))
    return _same_bytes(touched, before, saved, sum(pair.length for pair in touched), lambda *_: None)


def _reopened(notes: tuple[Note, ...], saved: Source) -> Dump:
    try:
        new = open_dump(saved)
    except OpenError as error:
        raise SaveError(f"what was saved cannot be opened again: {error.message}", "nothing was put in place") from None
    wanted = [notes[index].packed(notes[index].order) for index in saved_order(notes)]
    if new is None or b"".join(n.raw for n in new.notes) != b"".join(n.raw for n in wanted):
        raise SaveError("what was saved does not hold the notes that were asked for", "nothing was put in place")
    return new


def _same_bytes(pairs: tuple[Pair, ...], old: Source, saved: Source, limit: int, progress: Progress) -> int:
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


def _kdump_pairs(old: Dump, state: State, saved: Source, in_place: bool) -> tuple[tuple[Pair, ...], Source]:
    """All that was to stay as it is, and what its old places count in."""
    from vmci_tui.saving.verify_kdump import copied

    layout = old.layout(state.of_dump._replace(in_place=in_place))
    same = copied(old, _reopened(state.notes, saved), layout, saved)
    return tuple(Pair(*item) for item in same), layout.base or old.source


def _same_through_records(
    old: Dump, state: State, saved: Source, limit: int, progress: Progress, moved: bool = False
) -> None:
    """Compare the memory of a flattened ELF dump by its headers, all of it or what `moved`; of other dumps nothing."""
    from vmci_tui.containers.elf.flattened import FlatElfDump

    if not isinstance(old, FlatElfDump):
        return
    new = _reopened(state.notes, saved)
    after, source = (new.elf, new.flat) if isinstance(new, FlatElfDump) else (new, saved)
    pairs = tuple(pair for pair in _pairs(old.elf, after, state) if pair.old != pair.new or not moved)
    _same_bytes(pairs, old.flat, source, limit, progress)


def _pairs(old: Dump, new: Dump, state: State) -> Iterator[Pair]:
    """Ranges of both files that must be equal, each file range once."""
    if not isinstance(old, ElfDump) or not isinstance(new, ElfDump):
        raise SaveError("only ELF dumps can be compared", "nothing was put in place")
    last: Pair | None = None
    matched = _same_memory(old.memory, new.memory) if state.head.merged else _matched(remapped(old, state.mapped), new)
    for pair in sorted(matched):
        if last and pair.old - last.old == pair.new - last.new and pair.old <= last.old + last.length:
            last = last._replace(length=max(last.length, pair.old + pair.length - last.old))
            continue
        if last:
            yield last
        last = pair
    if last:
        yield last


def _matched(old: ElfContents, new: ElfContents) -> Iterator[Pair]:
    """Each old header with the new one of the same memory, or those that it was split into."""
    after = new.segments.of_type(PT_LOAD)
    for before in old.segments.of_type(PT_LOAD):
        at = 0
        while True:
            piece = next(after, None)
            if piece is None or not _is_piece(before, piece, at, new.format.top):
                raise _differs()
            if piece.filesz:
                yield Pair(before.offset + at, piece.offset, piece.filesz)
            at += piece.filesz
            if at >= before.filesz:
                break


def _same_memory(old: Memory, new: Memory) -> Iterator[Pair]:
    """Each range of memory with the one, or those, that hold it in the new file."""
    for item in old.ranges:
        at = item.paddr
        while at < item.end:
            there = new.range_at(at)
            if there is None or (there.offset is None) != (item.offset is None):
                raise _differs()
            take = min(there.end, item.end) - at
            if item.offset is not None and there.offset is not None:
                yield Pair(item.offset + at - item.paddr, there.offset + at - there.paddr, take)
            at += take
    if sum(item.length for item in old.ranges) != sum(item.length for item in new.ranges):
        raise _differs()


def _differs() -> SaveError:
    return SaveError("the memory headers of what was saved differ from the old ones", "nothing was put in place")


def _is_piece(whole: Segment, piece: Segment, at: int, top: int) -> bool:
    """Whether `piece` is what `whole` says from byte `at` on, or the first part of it."""
    last = at + piece.filesz >= whole.filesz
    virtual = whole.vaddr + at if whole.vaddr or not whole.paddr else 0
    return (
        (piece.flags, piece.paddr, piece.vaddr) == (whole.flags, (whole.paddr + at) % top, virtual % top)
        and at + piece.filesz <= whole.filesz
        and (last or piece.filesz > 0)
        and piece.memsz == (max(whole.memsz - at, 0) if last else min(piece.filesz, max(whole.memsz - at, 0)))
    )


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
