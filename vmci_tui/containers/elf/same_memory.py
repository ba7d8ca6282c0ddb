"""Match the memory of an old and a saved ELF dump: where it is in both files."""

from __future__ import annotations

from collections.abc import Iterator

from vmci_tui.common.errors import SaveError
from vmci_tui.containers.base import CopiedRange, Dump, LayoutRequest
from vmci_tui.containers.elf.contents import ElfContents
from vmci_tui.containers.elf.program_headers import remapped
from vmci_tui.formats.elf_records import PT_LOAD, Segment
from vmci_tui.layers.memory_map import Memory


def same_memory(old: ElfContents, new: Dump, request: LayoutRequest) -> Iterator[CopiedRange]:
    """Yield the ranges of both files that must be equal, each file range once.

    Headers are compared one by one (the same vaddr, paddr and sizes, so bytes that are equal in the file are equal
    by both addresses), merged ones by paddr alone. Raises SaveError if they name other memory.
    """
    if not isinstance(new, ElfContents):
        raise SaveError("only ELF dumps can be compared", "nothing was saved")
    last: CopiedRange | None = None
    merged = request.choice.merged
    matched = _same_ranges(old.memory, new.memory) if merged else _matched(remapped(old, request.mapped), new)
    for pair in sorted(matched):
        if last and pair.old - last.old == pair.new - last.new and pair.old <= last.old + last.length:
            last = last._replace(length=max(last.length, pair.old + pair.length - last.old))
            continue
        if last:
            yield last
        last = pair
    if last:
        yield last


def _matched(old: ElfContents, new: ElfContents) -> Iterator[CopiedRange]:
    """Yield the bytes of each old header in the new header of the same memory, or in those that it was split into."""
    after = new.segments.of_type(PT_LOAD)
    for before in old.segments.of_type(PT_LOAD):
        at = 0
        while True:
            piece = next(after, None)
            if piece is None or not _is_piece(before, piece, at, new.format.top):
                raise _differs()
            if piece.filesz:
                yield CopiedRange(before.offset + at, piece.offset, piece.filesz)
            at += piece.filesz
            if at >= before.filesz:
                break


def _same_ranges(old: Memory, new: Memory) -> Iterator[CopiedRange]:
    """Yield the bytes of each range of memory in the range, or ranges, of the new file."""
    for item in old.ranges:
        at = item.paddr
        while at < item.end:
            there = new.range_at(at)
            if there is None or (there.offset is None) != (item.offset is None):
                raise _differs()
            take = min(there.end, item.end) - at
            if item.offset is not None and there.offset is not None:
                yield CopiedRange(item.offset + at - item.paddr, there.offset + at - there.paddr, take)
            at += take
    if sum(item.length for item in old.ranges) != sum(item.length for item in new.ranges):
        raise _differs()


def _differs() -> SaveError:
    return SaveError("the memory headers of the saved file differ from the old ones", "nothing was saved")


def _is_piece(whole: Segment, piece: Segment, at: int, top: int) -> bool:
    """Return whether `piece` describes the bytes of `whole` from byte `at` on, or their first part."""
    last = at + piece.filesz >= whole.filesz
    virtual = whole.vaddr + at if whole.vaddr or not whole.paddr else 0
    return (
        (piece.flags, piece.paddr, piece.vaddr) == (whole.flags, (whole.paddr + at) % top, virtual % top)
        and at + piece.filesz <= whole.filesz
        and (last or piece.filesz > 0)
        and piece.memsz == (max(whole.memsz - at, 0) if last else min(piece.filesz, max(whole.memsz - at, 0)))
    )
