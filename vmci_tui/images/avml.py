"""Open AVML images: ranges of memory, each after a head like LiME's and compressed by snappy.

AVML 0.14, src/image.rs; the snappy framing format of google/snappy, framing_format.txt. A range is a stream of chunks,
each of at most 64 KiB of memory; the length of the stream is after it, so that all heads of chunks are walked. AVML
leaves out the end of a range that is not a whole page.
"""

from __future__ import annotations

from array import array
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError
from vmci_tui.containers.elf.dump import SEGMENT_LIMIT
from vmci_tui.images.guest_image import GuestImage, ImageChoice
from vmci_tui.images.lime import RANGE_HEAD, range_of
from vmci_tui.images.snappy_chunks import Chunks, SnappyMemory, held_by
from vmci_tui.layers.file import Source
from vmci_tui.layers.memory_map import merge

MAGIC: Final = b"AVML"
_COMPRESSED, _PLAIN, _SKIPPED = 0, 1, 0x80
"""The types of chunks with memory; those from 0x80 on are skipped."""
_HEAD, _CRC = 4, 4
_WITH_SIZE: Final = _HEAD + _CRC + 3
"""Bytes of a chunk up to the length of its memory, which takes at most three."""
_LENGTH: Final = 8
"""Bytes after a stream, which say how long it is."""
_TOP: Final = 1 << 64


class _Rows(NamedTuple):
    """What the walk found: the chunks, and the ranges with the offsets of their bytes among those of the chunks."""

    chunks: Chunks
    firsts: array[int]
    lengths: array[int]
    begins: array[int]
    helds: array[int]


def open_avml(source: Source, _: ImageChoice) -> GuestImage:
    """Walk the heads of all ranges and chunks; no chunk is decompressed. Raises OpenError for a damaged head."""
    rows = _Rows(Chunks(), *(array("Q") for _ in range(4)))
    at, head = 0, source.read(0, RANGE_HEAD.size)
    while len(head) == RANGE_HEAD.size and head.startswith(MAGIC):
        at = _range(source, head, at, rows)
        head = source.read(at, RANGE_HEAD.size)
    if not rows.firsts:
        raise OpenError("this AVML image is cut off: it has no whole head", "copy it again")
    memory = SnappyMemory(source, rows.chunks)
    held = merge(zip(rows.firsts, rows.begins, rows.helds, rows.lengths, strict=True), memory.size, _TOP)
    doubts = []
    if held.overlaps:
        doubts.append(f"two ranges hold the memory at paddr {held.overlaps[0].paddr:#x}: the first counts")
    if head.strip(b"\0"):
        doubts.append(f"the bytes from {at:#x} on are not a range of memory")
    short = held.size < sum(rows.lengths)
    missing = f"the file is cut off: it ends at {source.size} bytes within a range of memory" if short else ""
    return GuestImage("avml", None, None, None, memory, held, doubts=tuple(doubts), missing=missing)


def _range(source: Source, head: bytes, at: int, rows: _Rows) -> int:
    """Walk a range whose head is at `at`, add it to `rows`, and return the offset after it."""
    first, length = range_of(head, at)
    if len(rows.firsts) >= SEGMENT_LIMIT:
        raise OpenError(f"this AVML image has more than {SEGMENT_LIMIT} ranges", "its heads are damaged")
    at += RANGE_HEAD.size
    rows.firsts.append(first)
    rows.lengths.append(min(length, _TOP - 1))
    rows.begins.append(rows.chunks.size)
    held = 0
    while held < length and at < source.size:
        chunk = source.read(at, _WITH_SIZE)
        kind, size = chunk[0], int.from_bytes(chunk[1:_HEAD], "little")
        end = at + _HEAD + size
        if end > source.size:
            break
        if kind in (_COMPRESSED, _PLAIN):
            taken = held_by(kind == _COMPRESSED, chunk[_HEAD + _CRC :], size - _CRC, at)
            if taken > length - held:
                raise OpenError(f"the chunk at {at:#x} has more than the rest of its range", "the image is damaged")
            rows.chunks.add(at, end - at, taken)
            held += taken
        elif kind < _SKIPPED:
            raise OpenError(f"the chunk at {at:#x} is of type {kind:#x}, which is not known", "the image is damaged")
        at = end
    rows.helds.append(held)
    return at + _LENGTH if held == length else source.size
