"""Say where the image of an arm64 kernel is by its own page tables, which are in the image, after its read-only data.

So that is known where neither a CPU nor a variable nor a text says it: kernels without CONFIG_KALLSYMS_ALL. Source:
arch/arm64/kernel/vmlinux.lds.S of Linux 5.10 to 7.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vmci_tui.common.budget import Budget
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.kernel.image.places import Place, read_with_holes
from vmci_tui.proof.paging.arm import arm64_tables
from vmci_tui.proof.paging.walk import Paging, walk

_AFTER: Final = 32 << 20
"""Bytes after the start of the read-only data in which the first table is: at 8 to 20 MiB in Debian's kernels."""
_CODE: Final = 64 << 20
"""Bytes of code before the read-only data, at most."""
_CHUNK: Final = 1 << 20
_WIDTHS: Final = {4 << 10: (39, 48, 52), 16 << 10: (36, 47, 48, 52), 64 << 10: (42, 48, 52)}
"""Bits of an address that the first table may be for, by the size of pages."""
_TABLE: Final = 3
"""The low bits of an entry that names a table."""


def shift_by_tables(guest: Guest, place: Place, start: int, end: int, order: ByteOrder, budget: Budget) -> int | None:
    """Return virtual less physical addresses of the image; None if no tables map its code, or two elsewhere.

    `start`, `end`: virtual addresses of the first and the last byte of code, which the same tables must map as far
    apart. Raises Spent.
    """
    found = set()
    for paging, root in _roots(guest, place, start, order, budget):
        budget.spend()
        ends = [walk(guest, paging, root, address) for address in (start, end)]
        if any(one.state != "mapped" for one in ends):
            continue
        first, last = (one.paddr for one in ends)
        if last - first == end - start and place.paddr - _CODE <= first <= last <= place.paddr:
            found.add(start - first)
    return found.pop() if len(found) == 1 else None


def _roots(guest: Guest, place: Place, start: int, order: ByteOrder, budget: Budget) -> Iterator[tuple[Paging, int]]:
    """Yield each page after the place that may be a first table: its entry for `start` names a table."""
    kinds = [
        (page, tables, (start >> tables.levels[0].shift & (1 << tables.levels[0].width) - 1) * tables.size)
        for page, widths in _WIDTHS.items()
        for width in widths
        if (tables := arm64_tables(page, width, width, order)) is not None
    ]
    low = 0 if order == "little" else 7
    for begin in range(place.paddr, place.paddr + _AFTER, _CHUNK):
        data = read_with_holes(guest, begin, _CHUNK)
        budget.spend(len(data))
        for page, tables, entry in kinds:
            # Of all pages at once: the byte of their entry that has its low bits.
            for number, byte in enumerate(data[-begin % page + entry + low :: page]):
                if byte & _TABLE == _TABLE:
                    yield tables, begin + -begin % page + number * page
