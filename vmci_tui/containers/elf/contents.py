"""Hold what is read of an ELF dump: its headers and notes, and the memory that they describe."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Final

from vmci_tui.formats.elf_note import ByteOrder, Note
from vmci_tui.formats.elf_records import PT_LOAD, ElfFormat, ElfHeader, Section, Segment
from vmci_tui.formats.segment_table import Segments
from vmci_tui.layers.file import Source
from vmci_tui.layers.memory_map import Memory, merge
from vmci_tui.layers.overlap import differing_paddr
from vmci_tui.machines.lookup import machine_name

_X86_64_IMAGE: Final = 0xFFFFFFFF80000000
"""Where the image of every x86-64 kernel begins (__START_KERNEL_map)."""
_IMAGES: Final = 16


@dataclass(frozen=True)
class ElfContents:
    """Everything in the file but guest memory, which is read on demand."""

    source: Source
    format: ElfFormat
    ident: bytes
    header: ElfHeader
    segments: Segments
    sections: tuple[Section, ...]
    notes: tuple[Note, ...]
    note_offsets: tuple[int, ...]

    @property
    def machine(self) -> str | None:
        return machine_name(self.header.machine, self.format.bits)

    @property
    def bits(self) -> int:
        return self.format.bits

    @property
    def order(self) -> ByteOrder:
        return self.format.order

    @cached_property
    def memory(self) -> Memory:
        return memory_of(self.segments, self.source.size)

    @cached_property
    def kernel_image(self) -> tuple[Segment, ...]:
        """The first PT_LOADs with addresses of an x86-64 kernel's image."""
        if self.machine != "x86_64":
            return ()
        high = (n for n, vaddr in enumerate(self.segments.column("vaddr")) if vaddr >= _X86_64_IMAGE)
        loads = (self.segments[n] for n in islice(high, _IMAGES))
        return tuple(s for s in loads if s.type == PT_LOAD and s.memsz)

    @cached_property
    def conflict(self) -> int | None:
        """A paddr for which two program headers give different bytes; None if none was found."""
        return differing_paddr(self.memory.overlaps, self.source)

    @property
    def stride(self) -> int:
        """Bytes from one program header of the file to the next."""
        return max(self.header.phentsize, self.format.segment.size)


def memory_of(segments: Segments, size: int) -> Memory:
    """Return the guest memory that PT_LOAD headers describe, in a file of `size` bytes."""
    # A core of a process, or /proc/kcore, may say memsz 0 and mean filesz.
    loads = (
        (paddr, offset, filesz, memsz if memsz > filesz else filesz)
        for kind, _, offset, _, paddr, filesz, memsz, _ in segments.rows()
        if kind == PT_LOAD
    )
    return merge(loads, size, segments.form.top)


def memory_end(segments: Segments) -> int:
    """Return the file offset after the last byte of memory that PT_LOAD headers claim; 0 if they claim none."""
    each = zip(*map(segments.column, ("type", "offset", "filesz")), strict=True)
    return max((offset + size for kind, offset, size in each if kind == PT_LOAD and size), default=0)
