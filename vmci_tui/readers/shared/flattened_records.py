"""The records of a flattened file as they are written: crash and libkdumpfile both go through them in this order.

Up to the first odd one both do the same: this part is read once. Then crash looks only at sizes, and libkdumpfile
reads zeros after the end of the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from vmci_tui.formats.flattened_records import HEADER_SIZE, RECORD
from vmci_tui.layers.record_index import RecordIndex
from vmci_tui.readers.file_view import View

RECORD_LIMIT: Final = 1 << 21
"""Records that are followed at most, whatever a file holds."""
_AT_ONCE: Final = 1 << 16
"""Bytes that are read at once where records are close together."""
_CLOSE: Final = 1 << 12


@dataclass(frozen=True)
class WrittenRecords:
    """The records with bytes that are whole in the file, in its order."""

    records: RecordIndex
    end: int
    """Offset of the next header: the end mark, a record that is not whole or has no bytes, or one record too many."""

    @cached_property
    def plain(self) -> RecordIndex:
        """The records as an index of the plain file: where two write to one offset, the later counts."""
        return self.records.disjoint()


class RecordHeaders:
    """Reads record headers anywhere in a file, several at once where they are close together."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._start, self._bytes = 0, b""

    def at(self, at: int) -> tuple[int, int] | None:
        """Return offset and size in the record header at this offset of the file; None if it is not whole there."""
        into = at - self._start
        if not 0 <= into <= len(self._bytes) - RECORD.size:
            near = 0 <= into <= len(self._bytes) + _CLOSE
            self._start, into = at, 0
            self._bytes = self._view.read(at, _AT_ONCE if near else RECORD.size)
            if len(self._bytes) < RECORD.size:
                return None
        offset, size = RECORD.unpack_from(self._bytes, into)
        return offset, size


def written_records(view: View) -> WrittenRecords:
    """Return the records up to the first odd one; the result is shared by the readers of a file."""
    found = view.shared.get("flattened records")
    if not isinstance(found, WrittenRecords):
        found = view.shared["flattened records"] = _follow(view)
    return found


def _follow(view: View) -> WrittenRecords:
    headers, records, at = RecordHeaders(view), RecordIndex.empty(), HEADER_SIZE
    while records.number < RECORD_LIMIT and (header := headers.at(at)) is not None:
        offset, size = header
        end = at + RECORD.size + size
        if offset < 0 or size <= 0 or end > view.size:
            break
        records.add(offset, size, at + RECORD.size)
        at = end
    return WrittenRecords(records, at)
