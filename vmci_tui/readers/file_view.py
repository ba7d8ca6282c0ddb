"""The bytes that readers see: a file on disk, or the file that saving would write.

Readers differ in how they read headers, so nothing is checked here: records are unpacked
in the class and byte order that the caller gives.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

from vmci_tui.common.budget import Budget
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.elf_records import ElfHeader, Section, format_of
from vmci_tui.formats.segment_table import Segments
from vmci_tui.layers.file import HEAD_LIMIT, Source
from vmci_tui.layers.image import Image

SEGMENT_LIMIT: Final = 1 << 20
"""Program headers that are read at most, whatever a file claims."""
_SECTION_LIMIT: Final = 1 << 16


class View:
    """Bounded reads of an image over its source, or of the source alone."""

    def __init__(self, source: Source, image: Image | None = None, budget: Budget | None = None) -> None:
        self._source = source
        self._image = image
        self.budget = budget or Budget()
        """The limit of reading; each reader has all of it."""
        self.size = source.size if image is None else image.size
        self.shared: dict[str, object] = {}
        """Results of one reader that another one uses too, by name."""
        self._table: tuple[tuple[object, ...], Segments] | None = None

    def read(self, offset: int, length: int) -> bytes:
        """Read at most 64 MiB; fewer bytes at the end of the file. Raises OpenError, Spent and Cancelled."""
        length = min(length, HEAD_LIMIT, max(self.size - offset, 0))
        if offset < 0 or length <= 0:
            return b""
        self.budget.spend(length)
        if self._image is None:
            return self._source.read(offset, length)
        return self._image.read(self._source, offset, length)

    @cached_property
    def head(self) -> bytes:
        """The first 4,096 bytes."""
        return self.read(0, 4096)

    def header(self, bits: int, order: ByteOrder) -> ElfHeader:
        """Return the ELF header in this class and byte order; bytes that the file lacks are zeros."""
        form = format_of(bits, order)
        return form.unpack_header(self.head[: form.header_size].ljust(form.header_size, b"\0"))

    def segments(self, bits: int, order: ByteOrder, offset: int, count: int, stride: int = 0) -> Segments:
        """Return whole program headers from `offset` on, `stride` bytes apart (0: their own length).

        Readers that ask for the same table in turn share it: a million headers take 56 MB.
        """
        form = format_of(bits, order)
        stride = max(stride or form.segment.size, 1)
        count = min(count, SEGMENT_LIMIT)
        length = (count - 1) * stride + form.segment.size if count > 0 else 0
        asked = bits, order, offset, length, stride
        if self._table is not None and self._table[0] == asked:
            self.budget.spend(length)
        else:
            self._table = asked, Segments.read(form, self.read(offset, length), stride)
        return self._table[1]

    def sections(self, bits: int, order: ByteOrder, offset: int, count: int, stride: int = 0) -> tuple[Section, ...]:
        """Return whole section headers from `offset` on, `stride` bytes apart (0: their own length)."""
        record = format_of(bits, order).section
        stride = max(stride or record.size, 1)
        count = min(count, _SECTION_LIMIT)
        if count <= 0:
            return ()
        table = self.read(offset, (count - 1) * stride + record.size)
        return tuple(Section(*record.unpack_from(table, at)) for at in range(0, len(table) - record.size + 1, stride))
