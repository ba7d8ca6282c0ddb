"""Render the addresses of the kernel that bytes of guest memory hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from vmci_tui.adoption.kernel_addresses import KernelAddresses
from vmci_tui.kernel.symbols.table import Spot
from vmci_tui.render.kernel.symbol_report import place_json, spot_words

ROW: Final = 16
"""Bytes of a row of a hex dump."""


class Pointer(NamedTuple):
    """A word of memory that is an address of the kernel's image."""

    at: int
    """Where it is."""
    value: int
    spot: Spot


def pointers_in(data: bytes, start: int, kernel: KernelAddresses) -> Iterator[Pointer]:
    """Yield the words of `data`, which begins at the address `start`, that are addresses of the kernel's image.

    Only whole words at their natural boundary are looked at.
    """
    size = kernel.pointer_size
    if kernel.symbols is None:
        return
    for at in range(-start % size, len(data) - size + 1, size):
        value = int.from_bytes(data[at : at + size], kernel.order)
        spot = kernel.symbols.spot(value)
        if spot is not None:
            yield Pointer(start + at, value, spot)


def rows_with_symbols(rows: Iterable[str], start: int, pointers: Sequence[Pointer]) -> Iterator[str]:
    """Yield the rows of a hex dump, 16 bytes each from `start` on, each with the symbols that it points at."""
    names: dict[int, list[str]] = {}
    for one in pointers:
        names.setdefault((one.at - start) // ROW, []).append(spot_words(one.spot))
    for number, row in enumerate(rows):
        yield f"{row}  {', '.join(names[number])}" if number in names else row


def pointers_json(pointers: Iterable[Pointer]) -> list[dict[str, Any]]:
    return [{"at": one.at, **place_json(one.value, one.spot)} for one in pointers]
