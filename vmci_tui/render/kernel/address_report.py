"""Render what an address of the kernel is: its symbol, its place in memory and in the file, and what it points at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from vmci_tui.adoption.kernel_addresses import KernelAddresses
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.containers.guest import Guest
from vmci_tui.kernel.symbols.table import Spot
from vmci_tui.render.kernel.pointer_report import Pointer, pointers_in
from vmci_tui.render.kernel.symbol_report import place_json, spot_words


class Address(NamedTuple):
    """A virtual address, and what is known of it."""

    value: int
    has_symbols: bool
    """Whether memory has a table of the kernel's symbols."""
    spot: Spot | None
    """None: outside the kernel's image."""
    paddr: int | None
    """None: no page table in the dump maps it."""
    offset: int | None
    """Of the file; None: nowhere, or compressed."""
    pointer: Pointer | None
    """What the word there points at, if that is in the kernel's image."""


def look_up(value: int, kernel: KernelAddresses, guest: Guest) -> Address:
    """Return what is known of an address."""
    paddr = kernel.physical(value)
    word = b"" if value % kernel.pointer_size else kernel.read(guest, value, kernel.pointer_size)
    return Address(
        value,
        kernel.symbols is not None,
        None if kernel.symbols is None else kernel.symbols.spot(value),
        paddr,
        None if paddr is None else guest.offset_of(paddr),
        next(pointers_in(word, value, kernel), None),
    )


def address_lines(found: Address) -> Iterator[Safe]:
    """Yield the address, and a row for each thing that is known of it."""
    yield Safe(f"{found.value:#x}")
    if found.spot is not None:
        yield Safe(f"  symbol      {spot_words(found.spot)} (type {visible(found.spot.symbol.type)})")
    elif found.has_symbols:
        yield Safe("  symbol      none: it is outside the kernel's image")
    else:
        yield Safe("  symbol      unknown: memory has no table of symbols (kallsyms)")
    if found.paddr is None:
        yield Safe("  paddr       none: no page table in this dump maps it")
        return
    place = "" if found.offset is None else f", at {found.offset:#x} of the file"
    yield Safe(f"  paddr       {found.paddr:#x}{place}")
    if found.pointer is not None:
        yield Safe(f"  points at   {spot_words(found.pointer.spot)} ({found.pointer.value:#x})")


def address_json(found: Address) -> dict[str, Any]:
    return {
        "place": place_json(found.value, found.spot),
        "type": None if found.spot is None else visible(found.spot.symbol.type),
        "paddr": found.paddr,
        "file_offset": found.offset,
        "pointer": None if found.pointer is None else place_json(found.pointer.value, found.pointer.spot),
    }
