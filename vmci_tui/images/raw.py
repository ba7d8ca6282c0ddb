"""Open raw images: memory without any head, whose addresses only the user can say.

With a map one file has all ranges of System RAM, one directly after the other; `FILE@PADDR`, as crash writes it, is one
range a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError
from vmci_tui.containers import is_dump
from vmci_tui.images.guest_image import GuestImage
from vmci_tui.images.iomem import ram_ranges
from vmci_tui.layers.file import FileSource, Source
from vmci_tui.layers.joined_files import JoinedFiles
from vmci_tui.layers.memory_map import Memory, merge
from vmci_tui.layers.range_table import Range, Ranges

_TOP: Final = 1 << 64
_HEAD: Final = 16


class RawPart(NamedTuple):
    """A file whose first byte is the guest's at `paddr`."""

    file: FileSource
    paddr: int


def open_mapped(source: Source, text: bytes) -> GuestImage:
    """Open a raw image by the text of its machine's /proc/iomem.

    Raises OpenError if that is not a map, and unless the image has exactly its bytes: else all that comes after a
    wrong range would be shifted.
    """
    ranges = ram_ranges(text)
    total = sum(end - start for start, end in ranges)
    if total != source.size:
        raise OpenError(
            f"the map has {total} bytes of System RAM, the image {source.size}: they do not belong together",
            "give the map that was saved with the image; FILE@PADDR names a part of memory without a map",
        )
    offsets = accumulate((end - start for start, end in ranges), initial=0)
    memory = Memory(Ranges(Range(start, end - start, at) for (start, end), at in zip(ranges, offsets, strict=False)))
    return GuestImage("raw", None, None, None, source, memory)


def open_parts(parts: Sequence[RawPart]) -> GuestImage:
    """Open files that are parts of memory. Raises OpenError for a dump, an empty file, and an address past 64 bits."""
    for file, paddr in parts:
        if is_dump(file.read(0, _HEAD)):
            raise OpenError(f"{file.name} is a dump, which has its own addresses", "name it without @PADDR")
        if file.size == 0:
            raise OpenError(f"{file.name} is empty", "name a file with memory")
        if paddr + file.size > _TOP:
            raise OpenError(f"{file.name} does not fit at {paddr:#x}", "addresses have 64 bits")
    source = JoinedFiles(tuple(part.file for part in parts))
    rows = sorted(zip((part.paddr for part in parts), source.starts, (part.file.size for part in parts), strict=True))
    memory = Memory(Ranges(Range(paddr, size, at) for paddr, at, size in rows))
    if all(before.end <= after.paddr for before, after in zip(memory.ranges, memory.ranges[1:], strict=False)):
        return GuestImage("raw", None, None, None, source, memory)
    merged = merge(((paddr, at, size, size) for paddr, at, size in rows), source.size, _TOP)
    doubts = tuple(f"two files hold the memory at {item.paddr:#x}: the first counts" for item in merged.overlaps[:1])
    return GuestImage("raw", None, None, None, source, merged, doubts=doubts)
