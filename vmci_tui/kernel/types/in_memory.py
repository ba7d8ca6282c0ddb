"""Read the BTF of a kernel from memory, which may lack pages of its names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from vmci_tui.common.budget import Budget
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.kernel.types.btf import Btf, btf_of
from vmci_tui.kernel.types.names import Names
from vmci_tui.kernel.types.sections import HEADER_LENGTH, BtfError, sections_of
from vmci_tui.layers.range_table import joined

Read = Callable[[int, int], bytes | None]
"""Memory at an address, of a length; None if any of it is not in the dump."""
_PAGE: Final = 4096


def types_at(read: Read, start: int, size: int, order: ByteOrder, pointer_size: int, budget: Budget) -> Btf | None:
    """Return the types whose header is at an address, with at most `size` bytes; None if they are not in the dump.

    Raises Spent.
    """
    head = read(start, HEADER_LENGTH)
    if head is None:
        return None
    try:
        (types, length), (texts, most) = sections_of(head, order, size)
        found = read(start + types, length)
        return None if found is None else btf_of(found, _names(read, start + texts, most), order, pointer_size, budget)
    except BtfError:
        return None


def _names(read: Read, start: int, length: int) -> Names:
    texts = read(start, length)
    if texts is not None:
        return Names(texts)
    parts = [(at, size, read(at, size)) for at, size in _pages(start, length)]
    lacking = joined((at - start, at - start + size) for at, size, found in parts if found is None)
    return Names(b"".join(bytes(size) if found is None else found for _, size, found in parts), lacking)


def _pages(start: int, length: int) -> Iterator[tuple[int, int]]:
    """Yield the pages of a part, or what it has of them, each as its address and length."""
    at, end = start, start + length
    while at < end:
        size = min(end - at, _PAGE - at % _PAGE)
        yield at, size
        at += size
