"""Defects of the entry (E): its fields, what it points at, and the writes that made it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from vmci_tui.bench.defect import LITTLE, Defect
from vmci_tui.bench.parts import Parts
from vmci_tui.formats.elf_note import NAME, build
from vmci_tui.formats.fw_cfg_entry import LENGTH, RESET, SIZE_LIMIT, Write

Apply = Callable[[Parts], Parts]


def _size(value: int) -> Apply:
    return lambda parts: replace(parts, size=value)


def _fields(**fields: int) -> Apply:
    return lambda parts: parts.with_fields(**fields)


def _less(parts: Parts) -> Parts:
    return replace(parts, size=len(parts.note) - 2)


def _stale(parts: Parts) -> Parts:
    """Put the note of the kernel before kexec into the region."""
    text = b"OSRELEASE=5.10.0-9-other\n" + parts.text.partition(b"\n")[2]
    return replace(parts, region=build(NAME, 0, text, parts.order).raw)


def _big_endian(parts: Parts) -> Parts:
    raw = parts.packed
    return replace(parts, blob=raw[1::-1] + raw[3:1:-1] + raw[7:3:-1] + raw[:7:-1])


def _written(*places: tuple[int, int]) -> Apply:
    """Make the guest's writes, as (offset, length) of the 16 bytes."""

    def apply(parts: Parts) -> Parts:
        raw = parts.packed
        return replace(parts, blob=None, writes=tuple(Write(at, n, raw[at : at + n]) for at, n in places))

    return apply


def _cut(length: int) -> Apply:
    return lambda parts: replace(parts, blob=parts.packed.ljust(length, b"\0")[:length])


def _not_appended(parts: Parts) -> Parts:
    return replace(parts, absent=True)


def _never_written(parts: Parts) -> Parts:
    return replace(parts, blob=RESET)


def _not_memory(parts: Parts) -> Parts:
    return replace(parts, writes=(Write(0, LENGTH, parts.packed), Write(0, LENGTH, None)))


ENTRY_DEFECTS: Final = tuple(
    item._replace(machines=LITTLE)
    for item in (
        Defect("format-0", "sets guest_format to 0", _fields(guest_format=0)),
        Defect("format-2", "sets guest_format to 2", _fields(guest_format=2)),
        Defect("size-11", "sets size to 11", _size(11)),
        Defect("size-over-1-mib", "sets size to 1048577", _size(SIZE_LIMIT + 1)),
        Defect("size-1-mib", "sets size to 1048576", _size(SIZE_LIMIT)),
        Defect("outside-ram", "sets paddr to 0x1000000000", _fields(paddr=1 << 36)),
        Defect("size-without-padding", "sets size 2 bytes below the length of the note", _less),
        Defect("stale", "puts another kernel's note where the entry points", _stale),
        Defect("text-alone", "puts the text without a note header where the entry points",
               lambda parts: replace(parts, region=parts.text)),
        Defect("not-appended", "leaves the note out of the dump", _not_appended),
        Defect("big-endian", "writes the entry's fields big-endian", _big_endian),
        Defect("two-halves", "writes the entry in two halves of 8 bytes", _written((0, 8), (8, 8))),
        Defect("15-bytes", "saves an entry of 15 bytes", _cut(LENGTH - 1)),
        Defect("then-4-bytes", "writes the entry, then 4 bytes at offset 4", _written((0, LENGTH), (4, 4))),
        Defect("17-bytes", "saves an entry of 17 bytes", _cut(LENGTH + 1)),
        Defect("not-memory", "writes the entry, then again from an address without memory", _not_memory),
        Defect("never-written", "leaves the entry as it is after a reset of QEMU", _never_written),
    )
)  # fmt: skip
