"""Hold what is read of a kdump file: its headers and notes, and the pages that they describe."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from vmci_tui.containers.kdump.header import KdumpHeader
from vmci_tui.containers.kdump.pages import PageMemory, Pages
from vmci_tui.formats.elf_note import ByteOrder, Note
from vmci_tui.layers.file import Source
from vmci_tui.layers.flattened import FlattenedSource
from vmci_tui.layers.memory_map import Memory
from vmci_tui.layers.range_table import Ranges


@dataclass(frozen=True)
class KdumpContents:
    """Everything in the file but guest memory, which stays in it, compressed."""

    source: Source
    plain: Source
    """The file, or the plain file in a flattened one: the offsets in headers and descriptors count there."""
    header: KdumpHeader
    notes: tuple[Note, ...]
    """The notes of the file, then the text that only the header names."""
    note_starts: tuple[int, ...] = field(repr=False)
    """Where each note begins in the plain file."""

    @property
    def flat(self) -> FlattenedSource | None:
        """The records of a flattened file; None where it is plain."""
        return self.plain if isinstance(self.plain, FlattenedSource) else None

    @property
    def bits(self) -> int:
        return self.header.form.bits

    @property
    def order(self) -> ByteOrder:
        return self.header.form.order

    @cached_property
    def pages(self) -> Pages:
        """Guest memory by paddr."""
        return Pages(self.plain, self.header)

    @cached_property
    def guest_memory(self) -> PageMemory:
        """The pages that the file holds, as ranges of `guest_source`."""
        return PageMemory.of(self.pages)

    @cached_property
    def memory(self) -> Memory:
        """The same ranges without offsets: pages are compressed."""
        return Memory(Ranges(item._replace(offset=None) for item in self.guest_memory.ranges))
