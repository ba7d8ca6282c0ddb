"""Read flattened files: the writes of a plain file, one record each, in the order in which they were made.

QEMU's kdump-zlib, -lzo and -snappy and makedumpfile's -F (kdump, and ELF with -E) write them, since a pipe cannot seek.
The file is not rewritten to be read: `FlattenedSource` translates the plain file's offsets with an index
of the records. Format: makedumpfile's IMPLEMENTATION, "Flattened format"; QEMU 7.2 dump.c.

If two records write to one offset, the later counts, as for `makedumpfile -R` and drgn (libkdumpfile).
crash sorts them by offset and takes the one that its binary search meets (makedumpfile.c, store_flat_data_array).
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import pairwise
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError
from vmci_tui.formats.flattened_records import END, HEADER, HEADER_SIZE, RECORD, SIGNATURE
from vmci_tui.layers.file import Source

RECORD_LIMIT: Final = 1 << 22
"""Records that are indexed, 24 bytes each. QEMU writes 16 KiB a record: 64 GiB of file."""
OVERLAP_LIMIT: Final = 1 << 18
"""The most records if some overlap: resolving them takes n log n time, and no program writes such files."""
_TOP: Final = 1 << 62


class Record(NamedTuple):
    """One record: `length` bytes for `offset` of the plain file, at offset `place` of the flattened one."""

    offset: int
    length: int
    place: int


class FlattenedSource:
    """The plain file that a flattened one describes; bytes without a record are zero. Made by `open_flattened`."""

    def __init__(
        self, file: Source, index: _Index, faults: tuple[str, ...], overlap: str, end_mark: int | None
    ) -> None:
        self.file = file
        self.faults = faults
        """Messages about broken records."""
        self.overlap = overlap
        """A message that two records write to one offset, as `makedumpfile -E -F` does; empty if none do."""
        self.end_mark = end_mark
        """File offset of the end mark; None if the file was not finished."""
        self._index = index
        last = len(index.offsets) - 1
        self._size = index.offsets[last] + index.lengths[last] if last >= 0 else 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FlattenedSource):
            return NotImplemented
        return (self._index, self.faults, self.overlap, self.end_mark) == (
            other._index,
            other.faults,
            other.overlap,
            other.end_mark,
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def size(self) -> int:
        """Bytes of the plain file."""
        return self._size

    @property
    def cut(self) -> bool:
        """Whether the file ends without its end mark; the missing part is unknown."""
        return self.end_mark is None

    @property
    def file_size(self) -> int:
        """Bytes of the flattened file."""
        return self.file.size

    def __len__(self) -> int:
        """Return how many records there are."""
        return len(self._index.offsets)

    def pieces(self, offset: int, length: int) -> Iterator[Record]:
        """Yield the parts of [offset, offset + length) of the plain file that records hold, in order."""
        offsets, lengths, places = self._index
        end = offset + length
        at = max(bisect_right(offsets, offset) - 1, 0)
        while at < len(offsets) and (start := offsets[at]) < end:
            first, stop = max(start, offset), min(start + lengths[at], end)
            if first < stop:
                yield Record(first, stop - first, places[at] + first - start)
            at += 1

    def file_offset(self, offset: int) -> int | None:
        """Return the offset in this file of a byte of the plain file; None if no record holds it."""
        piece = next(self.pieces(offset, 1), None)
        return None if piece is None else piece.place

    def read(self, offset: int, length: int) -> bytes:
        length = min(length, self._size - offset)
        if offset < 0 or length <= 0:
            return b""
        out: bytearray | None = None
        for piece in self.pieces(offset, length):
            data = self.file.read(piece.place, piece.length)
            if len(data) == length:
                return data
            if out is None:
                out = bytearray(length)
            out[piece.offset - offset : piece.offset - offset + len(data)] = data
        return bytes(length if out is None else out)

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        held: tuple[int, int] | None = None
        for piece in self.pieces(start, end - start):
            if held is not None and held[1] == piece.offset:
                held = held[0], piece.offset + piece.length
                continue
            if held is not None:
                yield held
            held = piece.offset, piece.offset + piece.length
        if held is not None:
            yield held


class _Index(NamedTuple):
    """The disjoint records in the plain file's order, as three columns of 64-bit numbers."""

    offsets: array[int]
    lengths: array[int]
    places: array[int]


def is_flattened(head: bytes) -> bool:
    return head.startswith(SIGNATURE)


def open_flattened(file: Source) -> FlattenedSource:
    """Index the records up to the first broken one. Raises OpenError if there are too many."""
    offsets, lengths, places = array("q"), array("q"), array("q")
    faults: list[str] = list(_head_faults(file.read(0, HEADER.size)))
    end_mark: int | None = None
    for record in records(file, faults):
        if record.offset < 0:
            end_mark = record.place - RECORD.size
            break
        if not record.length:
            continue
        if len(offsets) == RECORD_LIMIT:
            raise OpenError(
                f"this flattened file has more than {RECORD_LIMIT} records",
                "make it plain: `vmci unflatten FILE -o OUT`",
            )
        offsets.append(record.offset)
        lengths.append(record.length)
        places.append(record.place)
    index, overlap = _in_order(_Index(offsets, lengths, places))
    return FlattenedSource(file, index, tuple(faults), overlap, end_mark)


def records(file: Source, faults: list[str]) -> Iterator[Record]:
    """Yield the records in the file's order, the end mark (offset and length -1) last if there is one.

    If they end too early, the reason is added to `faults`.
    """
    at, size, number = HEADER_SIZE, file.size, 0
    while True:
        head = file.read(at, RECORD.size)
        if len(head) < RECORD.size:
            faults.append("the flattened file has no end mark: its writing was not finished, or it was cut off")
            return
        offset, length = RECORD.unpack(head)
        at += RECORD.size
        if head == END:
            yield Record(-1, -1, at)
            return
        if offset < 0 or length < 0 or offset + length > _TOP:
            faults.append(
                f"record {number} of the flattened file, at {at - RECORD.size:#x}, says {length} bytes for offset "
                f"{offset}: what follows is not read"
            )
            return
        held = min(length, size - at)
        yield Record(offset, held, at)
        if held < length:
            faults.append(f"the flattened file is cut off in its record {number}: {length - held} bytes are missing")
            return
        at += length
        number += 1


def _head_faults(head: bytes) -> Iterator[str]:
    if len(head) < HEADER.size:
        yield "the flattened file's header is cut off"
        return
    _, kind, version = HEADER.unpack(head)
    if (kind, version) != (1, 1):
        yield f"the flattened file's header says type {kind}, version {version}; both are 1 in all known files"


def _in_order(index: _Index) -> tuple[_Index, str]:
    """Return the records by offset and disjoint, and a message if some overlap. Raises OpenError."""
    offsets, lengths, _ = index
    order = sorted(range(len(offsets)), key=offsets.__getitem__)
    for before, after in pairwise(order):
        if offsets[before] + lengths[before] > offsets[after]:
            if len(order) > OVERLAP_LIMIT:
                raise OpenError(
                    f"records of this flattened file overlap, and they are more than {OVERLAP_LIMIT}",
                    "make it plain: `vmci unflatten FILE -o OUT`",
                )
            words = f"two records of the flattened file write to offset {offsets[after]:#x}: the later counts"
            return _later_wins(index, order), words
    return _Index(*(array("q", map(column.__getitem__, order)) for column in index)), ""


def _later_wins(index: _Index, order: list[int]) -> _Index:
    """Give each byte to the last record that writes it: sweep over the offsets, with the open records in a heap."""
    offsets, lengths, places = index
    out = _Index(array("q"), array("q"), array("q"))
    under: list[int] = []
    at = upto = 0
    while upto < len(order) or under:
        while under and offsets[-under[0]] + lengths[-under[0]] <= at:
            heappop(under)
        if not under:
            if upto == len(order):
                break
            at = max(at, offsets[order[upto]])
        while upto < len(order) and offsets[order[upto]] <= at:
            heappush(under, -order[upto])
            upto += 1
        top = -under[0]
        end = offsets[top] + lengths[top]
        if end <= at:
            continue
        stop = min(end, offsets[order[upto]]) if upto < len(order) else end
        out.offsets.append(at)
        out.lengths.append(stop - at)
        out.places.append(places[top] + at - offsets[top])
        at = stop
    return out
