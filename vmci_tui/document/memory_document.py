"""Open guest memory as a read-only document, addressed by paddr, for the hex view and its search."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from vmci_tui.common.errors import SaveError
from vmci_tui.common.safe_text import Safe
from vmci_tui.containers import Dump, HeaderFields, Layout, LayoutRequest, Region
from vmci_tui.containers.base import KeptBytes, Stored
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.document.document import Document
from vmci_tui.document.state import State
from vmci_tui.formats.elf_note import ByteOrder, Note
from vmci_tui.layers.file import Source
from vmci_tui.layers.flattened import FlattenedSource
from vmci_tui.layers.image import Image, SourceBytes
from vmci_tui.layers.memory_map import Memory
from vmci_tui.layers.range_table import Ranges


class GuestMemorySource:
    """Guest memory as a source: the offset is the paddr; memory that is not in the dump reads as zeros."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        in_file = [item for item in guest.memory.ranges if item.offset is not None]
        self._in_file = in_file
        self.size = in_file[-1].end if in_file else 0

    def read(self, offset: int, length: int) -> bytes:
        if offset < 0:
            return b""
        length = min(length, self.size - offset)
        return self._guest.memory.read(self._guest.source, offset, length) if length > 0 else b""

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        for item in self._in_file:
            if item.end > start and item.paddr < end:
                yield max(item.paddr, start), min(item.end, end)


class MemoryDump(NamedTuple):
    """Memory alone, with the interface of a dump; it is never saved."""

    source: Source
    guest: Guest
    order: ByteOrder
    bits: int
    container: str = "memory"
    kind: str = "memory"
    flat: FlattenedSource | None = None
    stored: Stored = "plain"
    names_text: bool = False
    extras: tuple[tuple[str, bytes], ...] = ()
    notes: tuple[Note, ...] = ()
    doubts: tuple[str, ...] = ()
    missing: str = ""
    header_fields: HeaderFields | None = None

    @property
    def machine(self) -> str | None:
        return self.guest.machine

    @property
    def memory(self) -> Memory:
        in_file = (item for item in self.guest.memory.ranges if item.offset is not None)
        return Memory(Ranges(item._replace(offset=item.paddr) for item in in_file))

    @property
    def guest_source(self) -> Source:
        return self.source

    @property
    def guest_memory(self) -> Memory:
        return self.memory

    @property
    def current_layout(self) -> Layout:
        memory = self.memory
        regions = tuple(Region(item.paddr, item.length, "memory", "guest memory") for item in memory.ranges)
        size = self.source.size
        return Layout(Image((SourceBytes(0, size),) if size else ()), (), (), lambda: memory, regions)

    def layout(self, request: LayoutRequest) -> Layout:
        raise SaveError("guest memory is never edited", "save the dump")

    def kept(self, request: LayoutRequest, new: Dump) -> Iterator[KeptBytes]:
        return iter(())


def memory_document(dump: Dump, name: Safe) -> Document:
    """Return a document over the memory of a dump, by paddr."""
    guest = guest_of(dump)
    source = GuestMemorySource(guest)
    return Document(name, source, MemoryDump(source, guest, dump.order, dump.bits), State())
