"""How crash 8.0.2 finds a release in a flattened file: it runs `strings -n 10` over the raw file.

It ignores offsets, sizes and end mark of the records, and does not find a release in a
compressed page or across a record's border. Only a session goes through the records.
Source: makedumpfile.c `check_flattened_format`, `flattened_format_get_osrelease`, `store_flat_data_array`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.formats.flattened_records import HEADER, RECORD, SIGNATURE
from vmci_tui.readers.file_view import View
from vmci_tui.readers.shared.flattened_records import RECORD_LIMIT, RecordHeaders, written_records

_TYPE: Final = (1).to_bytes(8, "big")
_KEY: Final = b"OSRELEASE="
_PIECES: Final = 100
"""Lines of the output of strings that crash reads."""
_PIECE: Final = 1498
"""Bytes that fgets takes of a line, newline included."""
_STRING: Final = re.compile(rb"[\t -~]{10,}")
_CHUNK: Final = 1 << 20
_LIMIT: Final = 16 << 20
"""Where vmci stops: compressed pages give 100 strings within about 3 MiB."""


class PrintedRelease(NamedTuple):
    """A part of a string that crash prints: the bytes after its first OSRELEASE=."""

    value: bytes
    """Up to its newline; a part of a long string has none."""
    span: Span
    """The span of OSRELEASE= and the value in the file."""


class CrashFlattened:
    """A flattened file, recognized only by its signature and type."""

    def __init__(self, view: View) -> None:
        self.view = view

    @staticmethod
    def recognises(view: View) -> bool:
        return view.head.startswith(SIGNATURE) and HEADER.part("type", view.head) == _TYPE

    @cached_property
    def _found(self) -> tuple[tuple[PrintedRelease, ...], bool]:
        printed = []
        for count, (offset, piece) in enumerate(_pieces(self.view), 1):
            at = piece.find(_KEY)
            if at >= 0:
                printed.append(
                    PrintedRelease(piece[at + len(_KEY) :], Span(offset + at, len(piece.rstrip(b"\n")) - at))
                )
            if count == _PIECES:
                return tuple(printed), False
        return tuple(printed), self.view.size > _LIMIT

    @property
    def printed(self) -> tuple[PrintedRelease, ...]:
        """Everything that it prints, in order."""
        return self._found[0]

    @cached_property
    def unsorted(self) -> str:
        """A session's message about the records, after which it rejects the file; empty if it finds their end.

        Only sizes and the end mark count (store_flat_data_array).
        """
        whole, at = written_records(self.view)
        headers = RecordHeaders(self.view)
        for _ in range(whole.number, RECORD_LIMIT):  # negative sizes can lead in a circle
            if (head := headers.at(at)) is None:
                return "crash: read error: FILE (flat format): truncated/incomplete"
            if head[0] == -1:
                return ""
            at += RECORD.size + head[1]
            if not 0 <= at < 1 << 63:
                return "crash: FILE: seek error (flat format)"
        return ""

    @property
    def cut_short(self) -> bool:
        """Whether crash would look further than vmci."""
        return self._found[1]

    @property
    def release(self) -> bytes | None:
        """The last line that it prints."""
        if not self.printed:
            return None
        return b"".join(piece.value for piece in self.printed).removesuffix(b"\n").rpartition(b"\n")[2]


def _pieces(view: View) -> Iterator[tuple[int, bytes]]:
    """Yield (offset, bytes) of each line of strings that fgets returns, up to `_LIMIT`."""
    for offset, string in _strings(view):
        line = string + b"\n"
        for at in range(0, len(line), _PIECE):
            yield offset + at, line[at : at + _PIECE]


def _strings(view: View) -> Iterator[tuple[int, bytes]]:
    """Yield (offset, bytes) of every run of at least ten printable bytes; cut runs longer than crash reads."""
    end = min(view.size, _LIMIT)
    kept, start = b"", 0
    for offset in range(0, end, _CHUNK):
        data = kept + view.read(offset, min(_CHUNK, end - offset))
        start, kept = offset - len(kept), b""
        # A run at the end of the chunk may continue in the next one.
        whole = len(data) if offset + _CHUNK >= end else len(data) - _open_end(data)
        if len(data) - whole <= _PIECES * _PIECE:
            kept = data[whole:]
            data = data[:whole]
        for found in _STRING.finditer(data):
            yield start + found.start(), found[0]


def _open_end(data: bytes) -> int:
    """Return the number of printable bytes at the end of the data."""
    found = re.search(rb"[\t -~]*\Z", data[-(_PIECES * _PIECE + 1) :])
    return 0 if found is None else len(found[0])
