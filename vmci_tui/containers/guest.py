"""Read guest memory by physical address, for the search and the proof, with its machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import EditError
from vmci_tui.containers.base import Dump
from vmci_tui.containers.elf.dump import ElfDump
from vmci_tui.formats.elf_note import ByteOrder, Note
from vmci_tui.layers.file import Source
from vmci_tui.layers.memory_map import Memory
from vmci_tui.layers.range_table import Range, Ranges

_TOP: Final = 1 << 64


class KernelSegment(NamedTuple):
    """A range of memory with both addresses, from a program header."""

    vaddr: int
    paddr: int
    length: int


class Guest(NamedTuple):
    """The memory of one machine; the offsets of `memory` count in `source`."""

    source: Source
    memory: Memory
    machine: str | None
    """The container's name for it; None if unknown (a raw image)."""
    bits: int | None
    order: ByteOrder | None
    """Byte order of the file; the guest's own may differ (ppc64el in a big-endian ELF)."""
    notes: tuple[Note, ...] = ()
    """The notes of the dump: QEMU's show what the processors were doing."""
    compressed: bool = False
    """Pages are decompressed to be read: no byte of the file is a byte of memory."""
    image: tuple[KernelSegment, ...] = ()
    """The image of an x86-64 kernel by program headers, as in /proc/vmcore; the first few of many."""
    budget: Budget | None = None
    """The budget that reading spends; None if the caller bounds the reads."""
    named: tuple[int, ...] = ()
    """Where QEMU's own state says that the note is; such a place is looked at first."""
    runs: bool = False
    """It is the memory of a running machine: a search would take minutes, so only what was read is searched."""
    halted: frozenset[int] = frozenset()
    """The CPUs that wait by QEMU's own state of them; a dump does not have it."""
    translate: Callable[[int], int | None] | None = None
    """Return the paddr of a virtual address by the page tables of a CPU, None if it is not mapped: QEMU knows them."""

    def offset_of(self, paddr: int) -> int | None:
        """Return the file offset of the byte at `paddr`; None if the file does not hold it uncompressed."""
        return None if self.compressed else self.memory.offset_of(paddr)

    def read(self, paddr: int, length: int) -> bytes | None:
        """Return `length` bytes at `paddr`; None if the file does not hold all of them. The caller bounds `length`."""
        out = b""
        if self.budget is not None:
            self.budget.spend(length)
        while len(out) < length:
            item = self.memory.range_at(at := paddr + len(out))
            # A range without bytes in the file is a page left out, not a page of zeros.
            if item is None or item.offset is None:
                return None
            part = self.source.read(item.offset + at - item.paddr, min(item.end, paddr + length) - at)
            if not part:  # a damaged page, or a file that ended
                return None
            out += part
        return out


def guest_of(dump: Dump) -> Guest:
    """Return the memory of a dump, with the offsets of its current file."""
    source, memory = dump.guest_source, dump.guest_memory
    guest = Guest(source, memory, dump.machine, dump.bits, dump.order, dump.notes, dump.stored != "plain")
    if not isinstance(dump, ElfDump):
        return guest
    image = tuple(KernelSegment(s.vaddr, s.paddr, s.memsz) for s in dump.kernel_image)
    return guest._replace(
        image=image, named=dump.named_places, runs=dump.runs, halted=dump.halted, translate=dump.translate
    )


def raw_guest(source: Source, paddr: int) -> Guest:
    """Return the memory of a flat image whose first byte is at `paddr`; its machine is unknown. Raises EditError."""
    if not 0 <= paddr <= _TOP - source.size:
        raise EditError(f"{source.size} bytes of memory do not fit at paddr {paddr:#x}", "addresses have 64 bits")
    return Guest(source, Memory(Ranges((Range(paddr, source.size, 0),))), None, None, None)
