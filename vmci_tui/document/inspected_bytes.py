"""Read the bytes at one offset as numbers of each width, sign and byte order, and as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.document.byte_map import Places
from vmci_tui.document.document import Document
from vmci_tui.formats.elf_note import ByteOrder

WIDTHS: Final = (1, 2, 4, 8)
"""Bytes of the numbers that are read."""
TEXT: Final = 16
"""Bytes that are shown as text."""


class InspectedNumber(NamedTuple):
    """The bytes as a number of `width` bytes; `order` is None for a single byte."""

    width: int
    order: ByteOrder | None
    unsigned: int
    signed: int


class InspectedBytes(NamedTuple):
    """The bytes at an offset of a file."""

    offset: int
    paddr: int | None
    """The guest-physical address of the byte; None outside guest memory."""
    field: Safe
    """The field that holds the byte."""
    field_offset: int
    field_length: int
    numbers: tuple[InspectedNumber, ...]
    """The numbers for which there are enough bytes."""
    text: Safe


def numbers(data: bytes) -> tuple[InspectedNumber, ...]:
    """Return the numbers at the start of `data`, narrow ones first, little-endian before big-endian."""
    out = []
    for width in WIDTHS:
        raw = data[:width]
        if len(raw) < width:
            break
        orders: tuple[ByteOrder, ...] = ("little", "big")
        for order in orders[: 1 if width == 1 else 2]:
            unsigned, signed = int.from_bytes(raw, order), int.from_bytes(raw, order, signed=True)
            out.append(InspectedNumber(width, None if width == 1 else order, unsigned, signed))
    return tuple(out)


def inspect_at(document: Document, places: Places, offset: int) -> InspectedBytes | None:
    """Return the bytes at `offset` of the file as shown; None outside the file, or if they cannot be read."""
    if not 0 <= offset < places.size:
        return None
    try:
        data = document.read(offset, min(TEXT, places.size - offset))
    except OpenError:
        return None
    place = places.at(offset)
    paddr = document.layout.memory.paddr_of(offset)
    # A label is made of names that have passed `visible`.
    return InspectedBytes(offset, paddr, Safe(place.label), place.offset, place.length, numbers(data), visible(data))


HEAD: Final = 4
"""Lines of `inspected_lines` before those of the numbers."""
SHORT: Final = 7
"""Cells of the names in these lines."""
LABEL: Final = 14
"""Cells of the names of numbers."""


def inspected_lines(
    item: InspectedBytes, symbol_of: Callable[[InspectedNumber], Safe] = lambda _: Safe("")
) -> tuple[Safe, ...]:
    """Return the bytes as lines for people: HEAD lines, then one for each number.

    `symbol_of` returns the kernel's symbol at a number, else nothing. That stands in place of the signed number, which
    nobody wants of an address.
    """
    where = "not guest memory" if item.paddr is None else f"paddr {item.paddr:#x} = {item.paddr}"
    at = f"byte {item.offset - item.field_offset + 1} of {item.field_length}"
    out = [
        f"offset {item.offset:#x} = {item.offset}   {where}",
        f"in     {item.field}, {at}",
        f"text   {item.text}",
        f"{'':<{LABEL}}{'unsigned':<21}{'hex':<19}signed",
    ]
    for number in item.numbers:
        name = f"{8 * number.width} bit {number.order or ''}"
        last = symbol_of(number) or number.signed
        out.append(f"{name:<{LABEL}}{number.unsigned:<21}{number.unsigned:<#19x}{last}")
    return tuple(Safe(line) for line in out)
