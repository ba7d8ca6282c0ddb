"""Read the head of a stream: its configuration, and the RAM blocks of the guest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from vmci_tui.images.qemu_stream.cursor import BrokenStream, Cursor
from vmci_tui.images.qemu_stream.records import CONFIGURATION, MAGIC, MAPPED, PAGE_SIZE, SHARED, SUBSECTION

_MACHINE: Final = 256
"""The most bytes of the name of a machine type; QEMU's have 30."""
_BLOCKS: Final = 4096
"""The most RAM blocks that are read. A guest with 256 DIMMs has 300."""
_CAPABILITIES: Final = 64
_BLOCK_LIMIT: Final = 1 << 52
"""Bytes; no machine has that many address bits."""
_PAGE_BITS: Final = range(10, 17)


class MappedPages(NamedTuple):
    """Where a block's pages are in a file of the capability mapped-ram: at a fixed offset each."""

    page_size: int
    bitmap: int
    """Offset of a bit for each page: whether the file has it. All others are zero pages."""
    pages: int


class Block(NamedTuple):
    """A RAM block of QEMU: the guest's memory, a ROM, a flash, the memory of a display."""

    name: str
    length: int
    gpa: int | None = None
    """An address that x-ignore-shared adds: the one in its container, which is not always the guest's."""
    mapped: MappedPages | None = None


@dataclass(frozen=True)
class Configuration:
    """What the first record of a stream says."""

    machine: str = ""
    """QEMU's machine type, as `pc-i440fx-7.2`; "" for a stream without a configuration."""
    page_size: int = PAGE_SIZE
    capabilities: tuple[str, ...] = ()


def read_configuration(cursor: Cursor) -> Configuration:
    """Read the signature and the configuration, if there is one. Raises BrokenStream."""
    if cursor.take(len(MAGIC)) != MAGIC:
        raise BrokenStream("it is of another version than 3", 0)
    if cursor.peek(1) != bytes([CONFIGURATION]):
        return Configuration()
    cursor.skip(1)
    length = cursor.number(4)
    if length > _MACHINE:
        raise BrokenStream(f"the name of its machine type has {length} bytes", cursor.at)
    machine = cursor.take(length).decode("latin-1")
    page_size = PAGE_SIZE
    capabilities: tuple[str, ...] = ()
    while cursor.peek(1) == bytes([SUBSECTION]):
        cursor.skip(1)
        at, name, _version = cursor.at, cursor.name(), cursor.number(4)
        match name:
            case "configuration/target-page-bits":
                page_size = _page_size(cursor)
            case "configuration/capabilities":
                capabilities = _capabilities(cursor)
            case "configuration/uuid":
                cursor.skip(16)
            case _:
                raise BrokenStream("its configuration has an unknown part", at)
    return Configuration(machine, page_size, capabilities)


def _page_size(cursor: Cursor) -> int:
    at, bits = cursor.at, cursor.number(4)
    if bits not in _PAGE_BITS:
        raise BrokenStream(f"its pages have 2^{bits} bytes", at)
    return 1 << bits


def _capabilities(cursor: Cursor) -> tuple[str, ...]:
    at, count = cursor.at, cursor.number(4)
    if count > _CAPABILITIES:
        raise BrokenStream(f"it has {count} capabilities", at)
    return tuple(cursor.name() for _ in range(count))


def read_blocks(cursor: Cursor, total: int, capabilities: tuple[str, ...]) -> Iterator[Block]:
    """Yield the RAM blocks of the list at the cursor, whose lengths add up to `total` bytes. Raises BrokenStream."""
    names: set[str] = set()
    while total > 0:
        at, name = cursor.at, cursor.name()
        length = cursor.number(8)
        if not 0 < length <= min(total, _BLOCK_LIMIT):
            raise BrokenStream(f"a RAM block has {length:#x} bytes, {total:#x} are left", at)
        if name in names or len(names) == _BLOCKS:
            raise BrokenStream("a RAM block comes twice" if name in names else f"it has more than {_BLOCKS} blocks", at)
        names.add(name)
        gpa = cursor.number(8) if SHARED in capabilities else None
        mapped = _mapped(cursor) if MAPPED in capabilities else None
        yield Block(name, length, gpa, mapped)
        if mapped is not None:  # the stream goes on after the pages
            cursor.move(mapped.pages)
            cursor.skip(length)
        total -= length


def _mapped(cursor: Cursor) -> MappedPages:
    """Read where the pages of a block are."""
    at, version = cursor.at, cursor.number(4)
    page_size, bitmap, pages = (cursor.number(8) for _ in range(3))
    if version != 1 or page_size.bit_length() - 1 not in _PAGE_BITS or page_size.bit_count() != 1:
        raise BrokenStream(f"mapped-ram of version {version} with pages of {page_size} bytes is unknown", at)
    if not cursor.at <= bitmap <= pages:
        raise BrokenStream("the pages of a RAM block are at impossible offsets", at)
    return MappedPages(page_size, bitmap, pages)
