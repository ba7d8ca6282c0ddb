"""Define what a memory image holds, whatever its format: the memory of one machine, and what it says of the machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.formats.elf_note import ByteOrder, Note
from vmci_tui.formats.fw_cfg_entry import EntryHistory
from vmci_tui.layers.file import Source
from vmci_tui.layers.memory_map import Memory


class ImageChoice(NamedTuple):
    """What the user says of an image that it does not say itself, and how opening it is shown."""

    map: str | None = None
    """The file with the map of a raw image, as /proc/iomem."""
    snapshot: str | None = None
    """The name of a snapshot in a disk image."""
    stop: bool = True
    """Whether a running machine may be stopped for about a millisecond."""
    blocks: tuple[str, ...] = ()
    """The RAM blocks of a stream that are the guest's memory, by name, in the order of their addresses."""
    progress: Progress = no_progress
    """Called while an image is read to its end, which opening some takes."""
    pages: bool = False
    """Whether opening a stream also finds all its pages, with `progress`: else the first read of memory does."""


class RamBlock(NamedTuple):
    """A RAM block of QEMU."""

    name: str
    length: int
    """Bytes."""
    paddr: int | None
    """Where the guest has it; None if that is not known."""


@dataclass(frozen=True)
class StreamFacts:
    """What a QEMU migration stream says of itself."""

    at: int
    """The offset of the stream in the file: a wrapper may have a head before it."""
    machine: str = ""
    """QEMU's name for the machine type, as `pc-i440fx-7.2`; empty if the stream does not say."""
    capabilities: tuple[str, ...] = ()
    """The migration capabilities that the stream was written with."""
    blocks: tuple[RamBlock, ...] = ()
    wrapped: str | None = None
    """What the stream is in: `libvirt` or `qcow2`; None for a file of its own."""
    compression: str | None = None
    """The program or library that compressed it; None if it is plain."""
    complete: bool = True
    """Whether the stream has its end."""
    cpus: int = 0
    """How many CPUs have their state in it."""


@dataclass(frozen=True)
class GuestImage:
    """The memory of a guest, its CPUs and its entry, as far as an image has them."""

    container: str
    """`qemu-stream`, `lime`, `avml`, `raw` or `qmp`."""
    machine: str | None
    """None if the image does not say, as LiME and raw images."""
    bits: int | None
    order: ByteOrder | None
    source: Source
    """The bytes of guest memory: the file, or the decoder of its pages."""
    memory: Memory
    """Sorted ranges of guest memory, with offsets in `source`; a range without an offset is known to be missing."""
    notes: tuple[Note, ...] = ()
    """The notes of the CPUs (CORE, QEMU) that QEMU's own dump would have."""
    entry: EntryHistory | None = None
    """QEMU's own state of the fw_cfg entry; None where the image has none."""
    doubts: tuple[str, ...] = ()
    """Sentences about anything odd, or ambiguous."""
    missing: str = ""
    """What memory the image lacks, a sentence; empty if it lacks none."""
    cure: str = ""
    """What to do about missing memory; empty if the file is to be copied again."""
    unplaced: tuple[str, ...] = ()
    """RAM blocks of a stream of which only the user can say the order: `--blocks` names them."""
    stream: StreamFacts | None = None
    halted: frozenset[int] = frozenset()
    """The CPUs of these notes that wait, from 0 on in their order, by QEMU's own state of them."""
    translate: Callable[[int], int | None] | None = None
    """Return the paddr of a virtual address by the page tables of a CPU of a running VM, None if it is not mapped."""
