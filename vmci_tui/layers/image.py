"""Describe the bytes of a file to be saved: new bytes, and references to the source.

An image is as large as its new bytes, not as the dump: guest memory is in it only as
(offset, length) of the file that it is read from.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from vmci_tui.layers.file import Source


class NewBytes(NamedTuple):
    """Bytes that are in the image itself."""

    data: bytes

    @property
    def length(self) -> int:
        return len(self.data)


class SourceBytes(NamedTuple):
    """`length` bytes of the source, from `offset` on."""

    offset: int
    length: int


Extent = NewBytes | SourceBytes


class ImageChange(NamedTuple):
    """A range of the wanted image that the file does not hold at that offset."""

    offset: int
    extent: Extent


@dataclass(frozen=True)
class Image:
    """An ordered list of extents; their lengths add up to the file's size."""

    extents: tuple[Extent, ...]

    @classmethod
    def of(cls, size: int) -> Image:
        """Return the image of an unchanged source of `size` bytes."""
        return cls((SourceBytes(0, size),) if size else ())

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        starts, at = [], 0
        for extent in self.extents:
            starts.append(at)
            at += extent.length
        return tuple(starts)

    @cached_property
    def size(self) -> int:
        return sum(extent.length for extent in self.extents)

    def placed(self) -> Iterator[tuple[int, Extent]]:
        """Yield each extent with its offset."""
        return zip(self._starts, self.extents, strict=True)

    def read(self, source: Source, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset` on; fewer at the end of the image or of the source."""
        if offset < 0:
            return b""
        parts = []
        end = min(offset + length, self.size)
        index = max(bisect_right(self._starts, offset) - 1, 0)
        while offset < end:
            extent, start = self.extents[index], self._starts[index]
            inside, take = offset - start, min(end, start + extent.length) - offset
            if isinstance(extent, NewBytes):
                part = extent.data[inside : inside + take]
            else:
                part = source.read(extent.offset + inside, take)
            parts.append(part)
            if len(part) < take:
                break
            offset += take
            index += 1
        return parts[0] if len(parts) == 1 else b"".join(parts)  # of one part no copy: it may be a table of 56 MB


class ImageSource:
    """An image over its source, as a source: the file as it would be saved."""

    def __init__(self, source: Source, image: Image) -> None:
        self._source = source
        self._image = image

    @property
    def size(self) -> int:
        return self._image.size

    def read(self, offset: int, length: int) -> bytes:
        return self._image.read(self._source, offset, length)

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        for first, extent in self._image.placed():
            low, high = max(first, start), min(first + extent.length, end)
            if low >= high:
                continue
            if isinstance(extent, NewBytes):
                yield low, high
                continue
            shift = extent.offset - first
            for a, b in self._source.data_ranges(low + shift, high + shift):
                yield a - shift, b - shift


def diff(source: Source, wanted: Image) -> tuple[ImageChange, ...]:
    """Return the changes that make the source's file hold `wanted`, in file order.

    New bytes are compared with the file's, and only those that differ are listed.
    """
    changes: list[ImageChange] = []
    for offset, extent in wanted.placed():
        if isinstance(extent, SourceBytes):
            if extent.offset != offset and extent.length:
                changes.append(ImageChange(offset, extent))
            continue
        old = source.read(offset, extent.length)
        first, last = _differing(old, extent.data)
        if first < last:
            changes.append(ImageChange(offset + first, NewBytes(extent.data[first:last])))
    return tuple(changes)


def _differing(old: bytes, new: bytes) -> tuple[int, int]:
    """Return the range of `new` outside which `old` is the same; an empty range if they are equal."""
    if old == new:
        return 0, 0
    first, common = 0, min(len(old), len(new))
    step = 4096
    while first < common and old[first : first + step] == new[first : first + step]:
        first += step
    while first < common and old[first] == new[first]:
        first += 1
    last = len(new)
    if len(old) >= len(new):
        while last > first and old[last - 1] == new[last - 1]:
            last -= 1
    return first, last
