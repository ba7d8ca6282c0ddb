"""Read flattened files: the writes of a plain file, one record each, in the order in which they were made.

QEMU's kdump-zlib, -lzo and -snappy and makedumpfile's -F (kdump, and ELF with -E) write them, since a pipe cannot seek.
The file is not rewritten to be read: `FlattenedSource` translates the plain file's offsets with an index
of the records. Format: makedumpfile's IMPLEMENTATION, "Flattened format"; QEMU 7.2 dump.c.

If two records write to one offset, the later counts, as for `makedumpfile -R` and drgn (libkdumpfile).
crash sorts them by offset and takes the one that its binary search meets (makedumpfile.c, store_flat_data_array).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vmci_tui.common.errors import OpenError
from vmci_tui.formats.flattened_records import END, HEADER, HEADER_SIZE, RECORD, SIGNATURE
from vmci_tui.layers.file import Source
from vmci_tui.layers.range_table import joined
from vmci_tui.layers.record_index import Record, RecordIndex

RECORD_LIMIT: Final = 1 << 22
"""Records that are indexed, 24 bytes each. QEMU writes 16 KiB a record: 64 GiB of file."""
OVERLAP_LIMIT: Final = 1 << 18
"""The most records if some overlap: resolving them takes n log n time, and no program writes such files."""
_TOP: Final = 1 << 62


class FlattenedSource:
    """The plain file that a flattened one describes; bytes without a record are zero. Made by `open_flattened`."""

    def __init__(
        self, file: Source, index: RecordIndex, faults: tuple[str, ...], overlap: str, end_mark: int | None
    ) -> None:
        self.file = file
        self.faults = faults
        """Messages about broken records."""
        self.overlap = overlap
        """A message that two records write to one offset, as `makedumpfile -E -F` does; empty if none do."""
        self.end_mark = end_mark
        """File offset of the end mark; None if the file was not finished."""
        self._index = index

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
        return self._index.size

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
        return self._index.number

    def pieces(self, offset: int, length: int) -> Iterator[Record]:
        """Yield the parts of [offset, offset + length) of the plain file that records hold, in order."""
        return self._index.pieces(offset, length)

    def file_offset(self, offset: int) -> int | None:
        """Return the offset in this file of a byte of the plain file; None if no record holds it."""
        piece = next(self.pieces(offset, 1), None)
        return None if piece is None else piece.place

    def read(self, offset: int, length: int) -> bytes:
        length = min(length, self.size - offset)
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
        return joined((piece.offset, piece.offset + piece.length) for piece in self.pieces(start, end - start))


def is_flattened(head: bytes) -> bool:
    return head.startswith(SIGNATURE)


def open_flattened(file: Source) -> FlattenedSource:
    """Index the records up to the first broken one. Raises OpenError if there are too many."""
    index = RecordIndex.empty()
    faults: list[str] = list(_head_faults(file.read(0, HEADER.size)))
    end_mark: int | None = None
    for record in records(file, faults):
        if record.offset < 0:
            end_mark = record.place - RECORD.size
            break
        if not record.length:
            continue
        if index.number == RECORD_LIMIT:
            raise OpenError(
                f"this flattened file has more than {RECORD_LIMIT} records",
                "make it plain: `vmci unflatten FILE -o OUT`",
            )
        index.add(*record)
    ordered, order = index.in_order()
    twice = ordered.overlap
    if twice is not None and index.number > OVERLAP_LIMIT:
        raise OpenError(
            f"records of this flattened file overlap, and they are more than {OVERLAP_LIMIT}",
            "make it plain: `vmci unflatten FILE -o OUT`",
        )
    overlap = "" if twice is None else f"two records of the flattened file write to offset {twice:#x}: the later counts"
    disjoint = ordered if twice is None else index.later_wins(order)
    return FlattenedSource(file, disjoint, tuple(faults), overlap, end_mark)


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
