"""Read a migration stream: its blocks and devices at once, the places of its pages when the first byte is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from vmci_tui.common.errors import OpenError
from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.images.qemu_stream import records
from vmci_tui.images.qemu_stream.cursor import BrokenStream, Cursor
from vmci_tui.images.qemu_stream.head import Block, Configuration
from vmci_tui.images.qemu_stream.pages import PageIndex
from vmci_tui.images.qemu_stream.records import SHARED
from vmci_tui.images.qemu_stream.sections import SECTION_HEADER, Section
from vmci_tui.images.qemu_stream.tail import devices_at_end
from vmci_tui.images.qemu_stream.walk import Description, Walk, begin, step
from vmci_tui.images.stream_image.mapped_pages import MappedBlock
from vmci_tui.images.stream_image.page_bytes import SentPages
from vmci_tui.images.stream_image.stream_memory import StreamMemory
from vmci_tui.layers.file import Source

_READING: Final = "reading the stream"
_BEFORE_PAGES: Final = (bytes([records.START]), bytes([records.COMMAND]))
"""Records before the first page: the states that are sent in parts begin with a section each."""


@dataclass(frozen=True)
class Stream:
    """A stream, as far as it is whole."""

    source: Source
    configuration: Configuration
    blocks: tuple[Block, ...]
    memory: StreamMemory
    """The bytes of all blocks."""
    sections: tuple[Section, ...]
    """The states of devices, in order."""
    description: Description | None
    """The JSON text that describes them; None if the stream has none."""
    index: PageIndex | None
    """The places of the pages; None if they are not needed yet, and the stream has its end."""
    broken: str = ""
    """What is wrong with the stream, and where: `is cut off at 0x1234`; empty for a whole one."""

    def state(self, name: str, most: int) -> bytes:
        """Return the first `most` bytes of the state of the first device of a name; empty without one."""
        found = next((section for section in self.sections if section.name == name), None)
        return b"" if found is None else self.source.read(found.at, min(found.length, most))


def read_stream(source: Source, progress: Progress = no_progress, at: int = 0) -> Stream:
    """Read the stream at an offset of a file; all offsets are those of the file.

    `progress` is called between sections where the whole stream has to be read: its end is missing, or not the file's.
    Raises OpenError if not even its head is whole, and what `progress` raises.
    """
    try:
        walk, cursor = begin(source, at)
    except BrokenStream as error:
        raise OpenError(f"this migration stream of QEMU {_where(error)}", "save the guest again") from None
    broken = ""
    try:
        while cursor.peek(1) in _BEFORE_PAGES and step(walk, cursor):
            pass
        # Which blocks are shared, and therefore not sent, only the pages show.
        quick = walk.ram.index.blocks and SHARED not in walk.configuration.capabilities
        devices = devices_at_end(walk, cursor.at, source) if quick else None
        if devices is not None:
            return _stream(source, walk, devices, partial(_indexed, walk, cursor, devices.sections))
        while step(walk, cursor):
            progress(_READING, cursor.at, source.size)
    except BrokenStream as error:
        broken = _where(error)
    progress(_READING, source.size, source.size)
    return _stream(source, walk, walk, None, broken)


def _stream(
    source: Source, walk: Walk, devices: Walk, later: Callable[[Progress], PageIndex] | None, broken: str = ""
) -> Stream:
    index = walk.ram.index
    blocks = tuple(index.blocks)
    memory = StreamMemory(blocks, lambda progress: _block_bytes(source, later(progress) if later else index))
    sections, description = tuple(devices.sections), devices.description
    return Stream(source, walk.configuration, blocks, memory, sections, description, None if later else index, broken)


def _indexed(walk: Walk, cursor: Cursor, sections: Sequence[Section], progress: Progress) -> PageIndex:
    """Return the index of all pages, which end where the sections of the devices begin.

    Raises OpenError, and what `progress` raises; a second call goes on where that was.
    """
    first = sections[0]
    devices = first.at - len(first.name.encode("latin-1")) - SECTION_HEADER
    try:
        while cursor.at < devices and step(walk, cursor):
            progress(_READING, cursor.at, cursor.end)
    except BrokenStream as error:
        raise OpenError(f"the memory of the stream {_where(error)}", "save the guest again") from None
    if cursor.at != devices:
        words = f"its pages end at {cursor.at:#x}, and its devices begin at {devices:#x}"
        raise OpenError(f"the memory of the stream is damaged: {words}", "save the guest again")
    return walk.ram.index


def _block_bytes(source: Source, index: PageIndex) -> Sequence[Source]:
    return [
        SentPages(source, index, number) if block.mapped is None else MappedBlock(source, block, block.mapped)
        for number, block in enumerate(index.blocks)
    ]


def _where(error: BrokenStream) -> str:
    return f"is cut off at {error.at:#x}" if error.cut else f"is damaged at {error.at:#x}: {error.words}"
