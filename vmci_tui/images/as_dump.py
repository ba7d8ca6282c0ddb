"""Present a memory image as the ELF dump that QEMU would have written: every command and the app work on it.

The head is composed; memory is read from the image. `vmci convert` writes exactly these bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Final

from vmci_tui.common.errors import OpenError
from vmci_tui.containers.elf.dump import SEGMENT_LIMIT, ElfDump, open_elf
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.images.elf_head import elf_head
from vmci_tui.images.guest_image import GuestImage
from vmci_tui.images.machine_in_memory import KernelMachine, machine_of_memory
from vmci_tui.layers.file import FileSource
from vmci_tui.layers.head_and_memory import HeadAndMemory
from vmci_tui.layers.range_table import Ranges
from vmci_tui.machines.lookup import machine_facts

_RANGES: Final = SEGMENT_LIMIT - 1
"""The most ranges of memory, each of which gets a program header; one more is for the notes."""


@dataclass(frozen=True)
class ImageDump(ElfDump):
    """A memory image as an ELF dump; offsets are those of the file that `convert` writes."""

    image: GuestImage
    doubt: str = ""
    """A sentence if the machine was assumed."""

    @property
    def container(self) -> str:
        return self.image.container

    @property
    def named_places(self) -> tuple[int, ...]:
        entry = self.image.entry
        return () if entry is None or not entry.present else (entry.entry.paddr,)

    @property
    def runs(self) -> bool:
        return self.container == "qmp"

    @property
    def halted(self) -> frozenset[int]:
        return self.image.halted

    @property
    def translate(self) -> Callable[[int], int | None] | None:
        return self.image.translate

    @property
    def doubts(self) -> tuple[str, ...]:
        return (*self.image.doubts, self.doubt) if self.doubt else self.image.doubts

    @cached_property
    def missing(self) -> str:
        return self.image.missing

    @property
    def cure(self) -> str:
        return self.image.cure

    @property
    def unplaced(self) -> tuple[str, ...]:
        return self.image.unplaced


def dump_of(image: GuestImage, files: tuple[FileSource, ...] = ()) -> ImageDump:
    """Return the dump of an image whose bytes are those of `files`.

    Raises OpenError if it has more ranges of memory than any dump may have.
    """
    if len(image.memory.ranges) > _RANGES:
        raise OpenError(f"this image has more than {_RANGES} ranges of memory", "its headers are damaged")
    held = image.memory.ranges
    if image.memory.size < sum(held.lengths):
        held = Ranges(item for item in held if item.offset is not None)
    machine = _machine(image)
    bits = image.bits or machine.facts.bits or 64
    head = elf_head(machine.facts, bits, machine.order, image.notes, held)
    elf = open_elf(HeadAndMemory(head, image.source, held, files))
    return ImageDump(
        **{item.name: getattr(elf, item.name) for item in fields(ElfDump)}, image=image, doubt=machine.doubt
    )


def _machine(image: GuestImage) -> KernelMachine:
    if image.machine is None:
        return machine_of_memory(image.source, image.memory)
    facts = machine_facts(image.machine)
    order: ByteOrder = image.order or (facts.orders or ("little",))[0]
    return KernelMachine(facts, order)
