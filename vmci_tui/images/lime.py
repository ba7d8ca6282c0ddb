"""Open LiME images: ranges of memory, each after a head with its first and last address.

LiME 1.9.1, src/lime.h (lime_mem_range_header), version 1. It is in the byte order of the machine, and all that LiME
runs on are little-endian. A range may end within a page. An image on a disk has zeros after its last range.
"""

from __future__ import annotations

from array import array
from typing import Final

from vmci_tui.common.errors import OpenError
from vmci_tui.common.named_struct import NamedStruct
from vmci_tui.common.safe_text import visible
from vmci_tui.common.sizes import size_text
from vmci_tui.containers.elf.dump import SEGMENT_LIMIT
from vmci_tui.images.guest_image import GuestImage, ImageChoice
from vmci_tui.layers.file import Source
from vmci_tui.layers.memory_map import merge

MAGIC: Final = b"EMiL"
RANGE_HEAD: Final = NamedStruct.of(
    "little", ("magic", "version", "first", "last", "reserved"), ("4s", "I", "Q", "Q", "8s")
)
"""The head of a range; `last` is the address of its last byte. An AVML image has the same, with another magic."""
_TOP: Final = 1 << 64


def open_lime(source: Source, _: ImageChoice) -> GuestImage:
    """Read the heads of all ranges. Raises OpenError for a head that no image has."""
    firsts, offsets, lengths = array("Q"), array("Q"), array("Q")
    at, head = 0, source.read(0, RANGE_HEAD.size)
    while len(head) == RANGE_HEAD.size and head.startswith(MAGIC):
        first, length = range_of(head, at)
        at += RANGE_HEAD.size
        firsts.append(first)
        offsets.append(at)
        lengths.append(min(length, _TOP - 1))
        if len(firsts) >= SEGMENT_LIMIT:
            raise OpenError(f"this LiME image has more than {SEGMENT_LIMIT} ranges", "its heads are damaged")
        at += length
        head = source.read(at, RANGE_HEAD.size)
    if not firsts:
        raise OpenError("this LiME image is cut off: it has no whole head", "copy it again")
    each = zip(firsts, offsets, lengths, lengths, strict=True)
    memory = merge(each, source.size, _TOP)
    doubts = []
    if memory.overlaps:
        doubts.append(f"two ranges hold the memory at paddr {memory.overlaps[0].paddr:#x}: the first counts")
    if head.strip(b"\0"):
        doubts.append(
            f"{size_text(source.size - at)} after the last range, from {at:#x}, are not a range: {visible(head[:4])}"
        )
    missing = (
        f"the file is cut off: its memory ends at {at}, the file at {source.size} bytes" if at > source.size else ""
    )
    return GuestImage("lime", None, None, None, source, memory, doubts=tuple(doubts), missing=missing)


def range_of(head: bytes, at: int) -> tuple[int, int]:
    """Return the first address and the length of a range by its head, at offset `at`. Raises OpenError."""
    _, version, first, last, _ = RANGE_HEAD.unpack(head)
    what = f"the head of a range at {at:#x} of this image"
    if version not in (1, 2):
        raise OpenError(f"{what} is of version {version}, which is not known", "it is damaged, or newer than vmci")
    if last < first:
        raise OpenError(f"{what} ends before it begins: {first:#x} to {last:#x}", "it is damaged: copy the image again")
    return first, last - first + 1
