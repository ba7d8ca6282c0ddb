"""Walk page tables: one table-driven walk for all machines; each machine describes its entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from vmci_tui.containers.guest import Guest
from vmci_tui.formats.elf_note import ByteOrder


class Level(NamedTuple):
    """One level: which bits of the virtual address index its table."""

    shift: int
    width: int


class PteStep(NamedTuple):
    """What an entry says: the address of the next table, or a frame of 2 ** `shift` bytes."""

    paddr: int
    shift: int | None = None
    """None for a table."""
    readonly: bool = False
    """Whether the kernel may not write the frame; set only where `text_begins` needs it."""


class Paging(NamedTuple):
    """How one kind of page tables is read."""

    levels: tuple[Level, ...]
    size: int
    """Bytes of an entry."""
    order: ByteOrder
    read: Callable[[int, Level], PteStep | None]
    """Decodes an entry of a level; returns None if it maps nothing."""
    sure: bool = True
    """False: the machine may use other tables, so these contradict nothing."""


class WalkEnd(NamedTuple):
    """Where a walk ended: at the byte, at an entry that maps nothing, or at an entry that the dump lacks."""

    state: Literal["mapped", "unmapped", "absent"]
    paddr: int
    """Of the byte, or of the entry."""
    readonly: bool = False


def walk(guest: Guest, paging: Paging, root: int, va: int) -> WalkEnd:
    """Translate `va` by the tables at `root`; at most one read for each level."""
    table = root
    for level in paging.levels:
        at = table + (va >> level.shift & (1 << level.width) - 1) * paging.size
        raw = guest.read(at, paging.size) if at >= 0 else None
        if raw is None:
            return WalkEnd("absent", at)
        step = paging.read(int.from_bytes(raw, paging.order), level)
        if step is None:
            return WalkEnd("unmapped", at)
        if step.shift is not None:
            inside = (1 << step.shift) - 1
            return WalkEnd("mapped", step.paddr & ~inside | va & inside, step.readonly)
        table = step.paddr
    return WalkEnd("unmapped", table)
