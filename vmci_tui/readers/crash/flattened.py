"""How crash 8.0.2 finds a release in a flattened file: it runs `strings -n 10` over the raw file.

It ignores offsets, sizes and end mark of the records, and does not find a release in a
compressed page or across a record's border. Only a session goes through the records.
Source: makedumpfile.c `check_flattened_format`, `flattened_format_get_osrelease`, `store_flat_data_array`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import Final, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.formats.flattened_records import HEADER, RECORD, SIGNATURE
from vmci_tui.readers.crash.text_rules import CRASH, UNKNOWN, CrashReading
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import RuleHit
from vmci_tui.readers.rule_rows import RuleRows
from vmci_tui.readers.shared.flattened_records import RECORD_LIMIT, RecordHeaders, written_records

_TYPE: Final = (1).to_bytes(8, "big")
_KEY: Final = b"OSRELEASE="
_PIECES: Final = 100
"""Lines of the output of strings that crash reads."""
_PIECE: Final = 1498
"""Bytes that fgets takes of a line, newline included."""
_STRING: Final = re.compile(rb"[\t -~]{10,}")
_USUAL: Final = 1 << 20
_LIMIT: Final = 16 << 20
"""Where vmci stops: compressed pages give 100 strings within about 3 MiB, as a rule within 1 MiB."""


class Printed(NamedTuple):
    """A part of a string that crash prints: the bytes after its first OSRELEASE=."""

    value: bytes
    """Up to its newline; a part of a long string has none."""
    span: Span
    """The span of OSRELEASE= and the value in the file."""


class CrashFlat(CrashReading):
    """A flattened file, recognized only by its signature and type. Its text is not known to crash."""

    note = text = desc = release = None

    def __init__(self, view: View) -> None:
        self.view = view

    @staticmethod
    def recognises(view: View) -> bool:
        return view.head.startswith(SIGNATURE) and HEADER.part("type", view.head) == _TYPE

    @cached_property
    def _pieces(self) -> list[tuple[int, bytes]]:
        """The lines that crash reads, each with its offset in the file."""
        for limit in (_USUAL, _LIMIT):
            data = self.view.read(0, limit)
            pieces = list(islice(_lines(data), _PIECES))
            if len(pieces) == _PIECES and pieces[-1][0] + len(pieces[-1][1]) <= len(data):
                break
        return pieces

    @cached_property
    def printed(self) -> tuple[Printed, ...]:
        """Everything that it prints, in order."""
        found = ((offset + at, piece[at:]) for offset, piece in self._pieces if (at := piece.find(_KEY)) >= 0)
        return tuple(Printed(part[len(_KEY) :], Span(at, len(part.rstrip(b"\n")))) for at, part in found)

    @property
    def cut_short(self) -> bool:
        """Whether it prints nothing in the part that vmci reads, but would read more."""
        return not self.printed and len(self._pieces) < _PIECES and self.view.size > _LIMIT

    @property
    def release_line(self) -> Span | None:
        return self.printed[-1].span if self.printed else None

    @property
    def osrelease(self) -> bytes | None:
        """The last line that it prints."""
        lines = b"".join(piece.value for piece in self.printed).removesuffix(b"\n").rpartition(b"\n")
        return lines[2] if self.printed else None

    @cached_property
    def unsorted(self) -> str:
        """A session's message about the records, after which it rejects the file; empty if it finds their end.

        Only sizes and the end mark count (store_flat_data_array).
        """
        written, headers = written_records(self.view), RecordHeaders(self.view)
        at = written.end
        for _ in range(written.records.number, RECORD_LIMIT):  # negative sizes can lead in a circle
            if (head := headers.at(at)) is None:
                return "crash: read error: FILE (flat format): truncated/incomplete"
            if head[0] == -1:
                return ""
            at += RECORD.size + head[1]
            if not 0 <= at < 1 << 63:
                return "crash: FILE: seek error (flat format)"
        return ""


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (offset, bytes) of each line of strings as fgets returns it: runs of ten or more printable bytes."""
    for found in _STRING.finditer(data):
        line = found[0] + b"\n"
        for at in range(0, len(line), _PIECE):
            yield found.start() + at, line[at : at + _PIECE]


_OSRELEASE: Final = "flattened_format_get_osrelease"
row: Final[RuleRows[CrashFlat]] = RuleRows(CRASH + "makedumpfile.c ")
# fmt: off
REFUSALS: Final = (
    row("C21", "note", "far-strings", _OSRELEASE, "",
        "There are fewer than 100 strings in the part of the file that vmci reads; crash would look further.",
        holds=lambda r: r.cut_short, observed=False),
    row("C21", "note", "no-string", _OSRELEASE, UNKNOWN,
        "The file is flattened, and none of its first 100 strings of at least ten bytes contains OSRELEASE=. crash "
        "looks no further; rearrange the file with `makedumpfile -R`.",
        holds=lambda r: not r.printed),
)
REMARKS: Final = (
    row("C21", "after", "strings-only", _OSRELEASE, "",
        "The file is flattened: crash does not read it, but prints what follows OSRELEASE= in its first 100 strings, "
        "whatever text they are from. It prints all of several; the last is shown here.",
        where=lambda r: r.release_line, refuses=False),
    row("C24", "after", "no-end-of-records", "store_flat_data_array", "",
        "The records do not lead to an end mark: `--osrelease` ignores records, but a session fails.",
        where=lambda r: RuleHit(words=r.unsorted) if r.unsorted else None, refuses=False),
)
# fmt: on
