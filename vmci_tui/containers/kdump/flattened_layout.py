"""Lay a flattened file out with changed bytes; no two records ever write to one offset.

In place, bytes that a record holds are changed in it, and only other bytes get a new record,
before the end mark. In a copy the records of headers and notes are left out, and new ones are
first: `crash --osrelease` reads only the first strings of the file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.common.errors import SaveError
from vmci_tui.formats.flattened_records import END, HEADER_SIZE, RECORD
from vmci_tui.layers.flattened import FlattenedSource, open_flattened
from vmci_tui.layers.image import Extent, Image, ImageSource, NewBytes, SourceBytes
from vmci_tui.layers.record_index import Record

Block = tuple[int, bytes]
"""Bytes for an offset of the plain file."""
PIECES: Final = 1 << 17
"""The most records of a file that is rewritten record by record: each takes about 200 bytes of memory."""
_HINT = "make a plain file of it: `vmci unflatten FILE -o OUT`"


class Rewritten(NamedTuple):
    """The records of the file as it would be saved; places count in the new file."""

    flat: FlattenedSource
    kept: tuple[int, int]
    """The part of the plain file that is still in the old records."""
    moves: tuple[tuple[int, int], ...]
    """Places of the old file from which on old records move, and by how many bytes."""
    added: tuple[Record, ...]
    file_size: int

    def __len__(self) -> int:
        return len(self.flat) + len(self.added)

    @property
    def size(self) -> int:
        return max([min(self.flat.size, self.kept[1]), *(record.offset + record.length for record in self.added)])

    @property
    def end_mark(self) -> int | None:
        return self.file_size - RECORD.size

    def pieces(self, offset: int, length: int) -> Iterator[Record]:
        """Yield the parts that records hold, as `FlattenedSource.pieces` does."""
        stop, out = offset + length, []
        low, high = max(offset, self.kept[0]), min(stop, self.kept[1])
        for piece in self.flat.pieces(low, high - low):
            index = bisect_right(self.moves, piece.place, key=lambda move: move[0]) - 1
            out.append(piece._replace(place=piece.place + (self.moves[index][1] if index >= 0 else 0)))
        for record in self.added:
            first, last = max(record.offset, offset), min(record.offset + record.length, stop)
            if first < last:
                out.append(Record(first, last - first, record.place + first - record.offset))
        return iter(sorted(out))


def refuse_unfinished(flat: FlattenedSource) -> None:
    """Raise SaveError for a file that is not finished, or has bytes after its end mark."""
    if flat.end_mark is None:
        raise SaveError("the flattened file was not finished", _HINT)
    if flat.end_mark + RECORD.size != flat.file.size:
        raise SaveError("bytes follow the end mark of the flattened file", _HINT)


def is_record(flat: FlattenedSource, piece: Record) -> bool:
    """Return whether a piece is a whole record, not a part of one."""
    header = RECORD.pack(piece.offset, piece.length)
    return flat.file.read(piece.place - RECORD.size, RECORD.size) == header


def last_record(flat: FlattenedSource, offset: int) -> bool:
    """Return whether the plain file from `offset` on is in one record, the last of the file."""
    pieces = list(flat.pieces(offset, flat.size - offset))
    return len(pieces) == 1 and is_record(flat, pieces[0]) and pieces[0].place + pieces[0].length == flat.end_mark


def patched(flat: FlattenedSource, blocks: tuple[Block, ...], end: int, tail: Block | None) -> tuple[Image, Rewritten]:
    """Return the file with these blocks replaced, `tail` added, and the bytes from `end` on removed.

    The removed bytes must be the last record, or none.
    """
    refuse_unfinished(flat)
    assert flat.end_mark is not None
    stop = flat.end_mark
    for piece in flat.pieces(end, flat.size - end):
        stop = piece.place - RECORD.size
    edits: list[Block] = []
    new: list[Block] = []
    for offset, data in blocks:
        _patch(flat, offset, data, edits, new)
    body, added = _records([*new, tail] if tail is not None else new, stop)
    extents: list[Extent] = []
    done = 0
    for place, data in sorted(edits):
        extents += [SourceBytes(done, place - done), NewBytes(data)]
        done = place + len(data)
    extents += [SourceBytes(done, stop - done), NewBytes(body + END)]
    image = Image(tuple(extent for extent in extents if extent.length))
    return image, Rewritten(flat, (0, end), (), added, image.size)


def renewed(
    flat: FlattenedSource, blocks: tuple[Block, ...], start: int, end: int, tail: Block | None
) -> tuple[Image, Rewritten] | None:
    """Return a copy with new records for `blocks`, all bytes of the plain file below `start`, and for `tail`.

    Old records stay for [start, end). None if an old record crosses one of these limits.
    """
    refuse_unfinished(flat)
    assert flat.end_mark is not None
    gone = [*flat.pieces(0, start), *flat.pieces(end, flat.size - end)]
    if flat.faults or flat.overlap or not all(is_record(flat, piece) for piece in gone):
        return None  # without the newer of two overlapping records the older one would count
    body, added = _records([*blocks, tail] if tail is not None else list(blocks), HEADER_SIZE)
    extents: list[Extent] = [SourceBytes(0, HEADER_SIZE), NewBytes(body)]
    moves, at, shift = [(HEADER_SIZE, len(body))], HEADER_SIZE, len(body)
    for place, length in sorted((piece.place, piece.length) for piece in gone):
        extents.append(SourceBytes(at, place - RECORD.size - at))
        at = place + length
        shift -= RECORD.size + length
        moves.append((at, shift))
    extents += [SourceBytes(at, flat.end_mark - at), NewBytes(END)]
    image = Image(tuple(extent for extent in extents if extent.length))
    return image, Rewritten(flat, (start, end), tuple(moves), added, image.size)


def rearranged(flat: FlattenedSource, wanted: Image) -> tuple[Image, FlattenedSource]:
    """Return a copy whose records hold `wanted`, an image over the plain file. Raises SaveError."""
    refuse_unfinished(flat)
    extents: list[Extent] = [SourceBytes(0, HEADER_SIZE)]
    for offset, extent in wanted.placed():
        if isinstance(extent, NewBytes):
            extents.append(NewBytes(RECORD.pack(offset, extent.length) + extent.data))
            continue
        for piece in flat.pieces(extent.offset, extent.length):
            if len(extents) > 2 * PIECES:
                raise SaveError(f"the flattened file has more than {PIECES} records", _HINT)
            head = RECORD.pack(offset + piece.offset - extent.offset, piece.length)
            extents += [NewBytes(head), SourceBytes(piece.place, piece.length)]
    image = Image((*extents, NewBytes(END)))
    return image, open_flattened(ImageSource(flat.file, image))


def _records(blocks: list[Block], at: int) -> tuple[bytes, tuple[Record, ...]]:
    """Return new records for these blocks, from offset `at` of the file on."""
    body, added = b"", []
    for offset, data in blocks:
        body += RECORD.pack(offset, len(data))
        added.append(Record(offset, len(data), at + len(body)))
        body += data
    return body, tuple(added)


def _patch(flat: FlattenedSource, offset: int, data: bytes, edits: list[Block], new: list[Block]) -> None:
    """Add the changes of one block: to `edits` within the records that hold it, else to `new` as new records."""
    at = offset
    for piece in [*flat.pieces(offset, len(data)), Record(offset + len(data), 0, 0)]:
        gap = data[at - offset : piece.offset - offset]
        if any(gap):
            new.append((at + len(gap) - len(gap.lstrip(b"\0")), gap.strip(b"\0")))
        wanted = data[piece.offset - offset : piece.offset - offset + piece.length]
        if wanted != flat.file.read(piece.place, piece.length):
            edits.append((piece.place, wanted))
        at = piece.offset + piece.length
