"""Locate the parts of a plain file in the records of a flattened one, for every container."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from vmci_tui.containers.base import Region
from vmci_tui.formats.flattened_records import HEADER, HEADER_SIZE, RECORD
from vmci_tui.layers.record_index import Record

PIECE_LIMIT: Final = 1 << 15
"""The most records that are shown one by one; of more, only those of headers and notes are."""


class FlatRecords(Protocol):
    """The records of a flattened file, as it is or as it would be saved."""

    def __len__(self) -> int: ...
    @property
    def size(self) -> int:
        """Bytes of the plain file."""
        ...

    @property
    def end_mark(self) -> int | None: ...
    @property
    def file_size(self) -> int: ...
    def pieces(self, offset: int, length: int) -> Iterator[Record]: ...


def file_offset_of(records: FlatRecords, offset: int) -> int:
    """Return the file offset of a byte of the plain file; the end of the file if no record holds it."""
    piece = next(records.pieces(offset, 1), None)
    return records.file_size if piece is None else piece.place


def in_records(records: FlatRecords, regions: list[Region]) -> Iterator[Region]:
    """Yield the regions in the records of a flattened file, and the header of each record."""
    yield Region(0, HEADER_SIZE, "header", "header of the flattened file", HEADER.fields, order="big")
    few = len(records) <= PIECE_LIMIT
    for region in regions:
        if few or region.kind in ("header", "note"):
            for piece in records.pieces(region.offset, region.length):
                before = piece.offset - region.offset
                yield region._replace(offset=piece.place, length=piece.length, skipped=before)
    if few:
        for piece in records.pieces(0, records.size):
            at = piece.place - RECORD.size
            yield Region(at, RECORD.size, "segments", "record's header", RECORD.fields, order="big")
    if records.end_mark is not None:
        label = "end mark of the flattened file"
        yield Region(records.end_mark, RECORD.size, "segments", label, RECORD.fields, order="big")
