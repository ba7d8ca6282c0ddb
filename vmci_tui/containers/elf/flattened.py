"""Open and save flattened ELF dumps, as `makedumpfile -E -F` writes them, through their records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

from vmci_tui.common.errors import SaveError
from vmci_tui.containers.base import Dump, KeptBytes, Layout, LayoutRequest, Region, Stored, copied_bytes, disjoint
from vmci_tui.containers.elf.dump import ElfDump, open_elf
from vmci_tui.containers.elf.same_memory import same_memory
from vmci_tui.containers.flattened_regions import PIECE_LIMIT, FlatRecords, file_offset_of, in_records
from vmci_tui.containers.kdump.flattened_layout import patched, rearranged
from vmci_tui.formats.elf_note import ByteOrder, Note
from vmci_tui.layers.file import Source
from vmci_tui.layers.flattened import FlattenedSource
from vmci_tui.layers.image import Image, SourceBytes
from vmci_tui.layers.memory_map import Memory
from vmci_tui.layers.range_table import Ranges


@dataclass(frozen=True)
class FlatElfDump:
    """An opened flattened ELF dump. Guest memory stays in the file, in the bytes of its records."""

    source: Source
    flat: FlattenedSource
    elf: ElfDump
    """The dump in the records: its offsets count in `flat`."""

    container: ClassVar = "flattened"
    kind: ClassVar = "elf"
    stored: ClassVar[Stored] = "records"
    names_text: ClassVar = False
    extras: ClassVar = ()
    header_fields: ClassVar = None

    @property
    def machine(self) -> str | None:
        return self.elf.machine

    @property
    def bits(self) -> int:
        return self.elf.bits

    @property
    def order(self) -> ByteOrder:
        return self.elf.order

    @property
    def notes(self) -> tuple[Note, ...]:
        return self.elf.notes

    @cached_property
    def doubts(self) -> tuple[str, ...]:
        """Messages about anything odd in the records."""
        return tuple(filter(None, (*self.flat.faults, self.flat.overlap)))

    @property
    def missing(self) -> str:
        return self.elf.missing

    @property
    def guest_source(self) -> Source:
        return self.flat

    @property
    def guest_memory(self) -> Memory:
        return self.elf.memory

    @cached_property
    def memory(self) -> Memory:
        """The same ranges without offsets: a range may be in many records."""
        return _without_offsets(self.elf.memory)

    @cached_property
    def current_layout(self) -> Layout:
        return _laid_out(self.elf.current_layout, Image.of(self.source.size), self.flat)

    def layout(self, request: LayoutRequest) -> Layout:
        """Lay the file out, see `Dump.layout`. Raises SaveError if no file can hold the request."""
        if request.choice.plain and request.in_place:
            raise SaveError("a flattened file cannot be made plain in place", "save a copy of it: -o OUT")
        arranged = self.elf.layout(request)
        if request.choice.plain:
            return replace(arranged, base=self.flat)
        image, records = self._patched(arranged.image) if request.in_place else rearranged(self.flat, arranged.image)
        return _laid_out(arranged, image, records)

    def kept(self, request: LayoutRequest, new: Dump) -> Iterator[KeptBytes]:
        """Yield the memory of both by their headers, then all copied bytes of the file."""
        copied = copied_bytes(self, new, self.layout(request))
        after, source = (new.elf, new.flat) if isinstance(new, FlatElfDump) else (new, new.source)
        yield KeptBytes(self.flat, source, tuple(same_memory(self.elf, after, request)), in_file=False)
        yield copied

    def _patched(self, wanted: Image) -> tuple[Image, FlatRecords]:
        """Return the file with the wanted headers; memory that they grow into goes to a record at the end."""
        blocks = tuple(
            (offset, wanted.read(self.flat, offset, extent.length))
            for offset, extent in wanted.placed()
            if not (isinstance(extent, SourceBytes) and extent.offset == offset)
        )
        size = self.flat.size
        tail = next((block for block in blocks if block[0] >= size), None)  # whole: its zeros at the end are memory
        return patched(self.flat, tuple(block for block in blocks if block[0] < size), size, tail)


def open_flat_elf(source: Source, flat: FlattenedSource) -> FlatElfDump:
    """Open the ELF dump in the records of `source`.

    Raises OpenError if it is damaged, or not a machine's dump.
    """
    return FlatElfDump(source, flat, open_elf(flat))


def _without_offsets(memory: Memory) -> Memory:
    return Memory(Ranges(item._replace(offset=None) for item in memory.ranges))


def _laid_out(plain: Layout, image: Image, records: FlatRecords) -> Layout:
    """Return the layout of the plain file's parts in the records."""
    regions = list(plain.regions)
    if len(records) <= PIECE_LIMIT and len(plain.memory.ranges) <= PIECE_LIMIT:
        regions += _of_memory(plain.memory)
    return replace(
        plain,
        image=image,
        appends=True,
        note_offsets=tuple(file_offset_of(records, offset) for offset in plain.note_offsets),
        memory_of=lambda: _without_offsets(plain.memory),
        regions=disjoint(list(in_records(records, regions)), image.size),
    )


def _of_memory(memory: Memory) -> Iterator[Region]:
    for item in memory.ranges:
        if item.offset is not None:
            yield Region(item.offset, item.length, "memory", f"guest memory from paddr {item.paddr:#x}")
