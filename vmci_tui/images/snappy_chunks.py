"""Read memory that is stored as chunks of the snappy framing format, each decompressed when it is read."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from threading import RLock
from typing import Any, Final

from vmci_tui.common.errors import OpenError, PackageMissing
from vmci_tui.layers.file import Source

STREAM: Final = b"\xff\x06\0\0sNaPpY"
"""The first chunk of a stream."""
LIMIT: Final = 64 << 10
"""The most bytes of memory in a chunk (google/snappy, framing_format.txt)."""
_KEPT: Final = 64
"""Decompressed chunks that are kept: 4 MiB."""


class Chunks:
    """Where each chunk is in the file, and which bytes of memory it has: 20 bytes a chunk."""

    def __init__(self) -> None:
        self.places = array("Q")
        self.lengths = array("L")
        """Bytes in the file, with the head."""
        self.begins = array("Q")
        self.size = 0
        """Bytes of memory in all chunks."""

    def add(self, place: int, length: int, held: int) -> None:
        """Append a chunk at offset `place` of the file, with `held` bytes of memory."""
        if held:
            self.places.append(place)
            self.lengths.append(length)
            self.begins.append(self.size)
            self.size += held

    def held(self, index: int) -> int:
        """Return the bytes of memory in a chunk."""
        end = self.begins[index + 1] if index + 1 < len(self.begins) else self.size
        return end - self.begins[index]


class SnappyMemory:
    """The memory of all chunks, one after the other. Reads end at the first damaged chunk."""

    def __init__(self, file: Source, chunks: Chunks) -> None:
        self._file, self._chunks = file, chunks
        self._lock = RLock()
        """Judgements, searches and the screen read at the same time."""
        self._kept: dict[int, bytes] = {}
        self._module: Any = None

    @property
    def size(self) -> int:
        return self._chunks.size

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes, up to the first damaged chunk. Raises PackageMissing without the package that decompresses."""
        if not 0 <= offset < self.size:
            return b""
        index = bisect_right(self._chunks.begins, offset) - 1
        inside = offset - self._chunks.begins[index]
        out = bytearray()
        while len(out) < length and index < len(self._chunks.places) and (data := self._chunk(index)) is not None:
            out += data[inside : inside + length - len(out)]
            index, inside = index + 1, 0
        return bytes(out)

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        if (start := max(start, 0)) < (end := min(end, self.size)):
            yield start, end

    def _chunk(self, index: int) -> bytes | None:
        """Return the memory of a chunk; None if it is damaged."""
        with self._lock:
            data = self._kept.pop(index, None)
            if data is None:
                data = self._decompressed(index)
                if data is None:
                    return None
                if len(self._kept) >= _KEPT:
                    del self._kept[next(iter(self._kept))]
            self._kept[index] = data  # the newest is dropped last
            return data

    def _decompressed(self, index: int) -> bytes | None:
        self._module = self._module or _cramjam()
        chunk = STREAM + self._file.read(self._chunks.places[index], self._chunks.lengths[index])
        out = bytearray(self._chunks.held(index))
        try:
            taken = self._module.snappy.decompress_into(chunk, out)
        except self._module.DecompressionError:  # also a wrong checksum
            return None
        return bytes(out) if taken == len(out) else None


def held_by(compressed: bool, data: bytes, length: int, at: int) -> int:
    """Return the bytes of memory in a chunk of `length` bytes, whose first ones after its checksum are `data`.

    `at` is its offset. Raises OpenError if no chunk has so many.
    """
    size = length
    if compressed:
        size = shift = 0
        for byte in data[:3]:
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        else:
            size = LIMIT + 1
    if not 0 <= size <= LIMIT:
        raise OpenError(f"the chunk at {at:#x} is longer than a chunk may be, or too short", "the image is damaged")
    return size


def _cramjam() -> Any:
    try:
        import cramjam
    except ImportError:
        words = "the memory of this image is compressed by snappy, for which Python's cramjam is missing"
        raise PackageMissing(words, "pip install cramjam") from None
    return cramjam
