"""The rows of a hex view as segments: their columns and header, their runs of one style, the cursor. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from vmci_tui.changes.changed_bytes import ChangedBytes
from vmci_tui.document.byte_map import KINDS, Places

_ASCII: Final = bytes(byte if 0x20 <= byte < 0x7F else 0x2E for byte in range(256))
SIGNS: Final = {"added": "+", "changed": "~", "moved": "~"}
"""The sign for what happened to something that is not saved yet; `-` is for what was removed."""
Styles = Mapping[str, Style]
"""The styles of bytes by kind, and `base`, `offset`, `zero`, `mark`, `cursor`, `idle`."""
_GROUP: Final = 8
"""Bytes after which the gap is wider."""


class HexColumns(NamedTuple):
    """The columns of a row: the offset, the bytes with a wider gap after every eighth, and their text."""

    digits: int
    """Digits of the offset."""
    per_row: int
    """Bytes in a row: 8, 16 or 32, by the room."""

    @classmethod
    def of(cls, total: int, width: int, most: int = 16) -> HexColumns:
        """Return the columns for a file of `total` bytes in a pane of `width` cells, at `most` so many in a row."""
        digits = 8 if total <= 1 << 32 else 10 if total <= 1 << 40 else 12
        fitting = (cls(digits, count) for count in (32, 16) if count <= most)
        return next((columns for columns in fitting if columns.width <= width), cls(digits, 8))

    @property
    def width(self) -> int:
        """Return the cells of a row."""
        return self.text_at(self.per_row)

    @property
    def _hex_width(self) -> int:
        """Return the cells of all digits, with the blank in front of the text."""
        return 3 * self.per_row + max(self.per_row // _GROUP, 2)

    def hex_at(self, column: int) -> int:
        """Return the first cell of a byte's two digits."""
        return self.digits + 2 + 3 * column + column // _GROUP

    def text_at(self, column: int) -> int:
        """Return the cell of a byte in the text."""
        return self.digits + 2 + self._hex_width + column

    def spaced(self, digits: str) -> str:
        """Return the digits of a row's bytes, two for each, in their columns."""
        step = 2 * _GROUP
        groups = (digits[at : at + step] for at in range(0, len(digits), step))
        shown = "  ".join(" ".join(group[at : at + 2] for at in range(0, len(group), 2)) for group in groups)
        return shown.ljust(self._hex_width)

    @property
    def header(self) -> str:
        """Return the numbers of the columns, with those of the text as one digit each."""
        numbers = range(self.per_row)
        digits = self.spaced("".join(f"{number:02X}" for number in numbers))
        return " " * (self.digits + 2) + digits + "".join(f"{number & 15:X}" for number in numbers)

    def column_at(self, x: int) -> int | None:
        """Return the byte of a row whose digits or text are at cell `x`; None for the offset, and after the text."""
        text = x - self.text_at(0)
        if 0 <= text < self.per_row:
            return text
        inside = x - self.digits - 2
        if inside < 0 or text >= self.per_row:
            return None
        group, within = divmod(inside, 3 * _GROUP + 1)
        return min(_GROUP * group + min(within // 3, _GROUP - 1), self.per_row - 1)


class StyledRun(NamedTuple):
    """Columns [first, last) of a row with the same style."""

    first: int
    last: int
    style: Style
    marked: bool

    def groups(self) -> Iterator[tuple[int, int]]:
        """Yield the parts that the wide gaps of the row split it into."""
        at = self.first
        while at < self.last:
            end = min(at - at % _GROUP + _GROUP, self.last)
            yield at, end
            at = end


def styled_runs(
    places: Places, highlight: tuple[int, int], start: int, data: bytes, styles: Styles, changed: ChangedBytes
) -> Iterator[StyledRun]:
    """Yield the runs of a row; fields, the highlight, zeros and changes split them."""
    (low, high), at = highlight, 0
    new = {
        offset - start: SIGNS[item.kind]
        for item in changed.within(start, start + len(data))
        for offset in range(max(item.start, start), min(item.end, start + len(data)))
    }
    while at < len(data):
        place = places.at(start + at)
        stop = min(place.end - start, len(data))
        base = styles[place.kind if place.kind in KINDS else "other"]
        while at < stop:
            marked = low <= start + at < high
            zero, sign = data[at] == 0, new.get(at)
            end = at + 1
            while (
                end < stop
                and (data[end] == 0) == zero
                and (low <= start + end < high) == marked
                and new.get(end) == sign
            ):
                end += 1
            style = base + styles["zero"] if zero else base
            if sign is not None:
                style = styles["added" if sign == "+" else "changed"]
            yield StyledRun(at, end, style + styles["mark"] if marked else style, marked)
            at = end


def selection_words(start: int, end: int) -> str:
    """Return the number and range of selected bytes as text."""
    return f"{end - start} = {end - start:#x} bytes selected, {start:#x} to {end - 1:#x}"


def sign_of(changed: ChangedBytes, start: int, end: int) -> str:
    """Return the sign of a row for its changes: `+` if all of them are new bytes; empty without changes."""
    signs = {SIGNS[item.kind] for item in changed.within(start, end)}
    return "" if not signs else "+" if signs == {"+"} else "~"


def row_segments(
    columns: HexColumns,
    start: int,
    data: bytes | None,
    runs: list[StyledRun],
    styles: Styles,
    sign: str = "",
    without: str = "cannot be read",
) -> tuple[Segment, ...]:
    """Return the segments of the row at offset `start`, one for each run; `without` is shown if `data` is None."""
    offset = f"{start:0{columns.digits}X}"
    if data is None:
        return (Segment(f"{offset}  {without}", styles["offset"]),)
    out = [Segment(offset if sign else f"{offset}  ", styles["offset"])]
    if sign:
        out.append(Segment(f"{sign} ", styles["added" if sign == "+" else "changed"]))
    text, blank = data.hex(" ").upper(), ""
    for number, run in enumerate(runs):
        parts = [text[3 * low : 3 * high - 1] for low, high in run.groups()]
        after = "  " if run.last % _GROUP == 0 and run.last < columns.per_row else " "
        # The gap after a run has its style, except at the end of the highlight: a change of style is 37 bytes.
        ends = run.marked and not (number + 1 < len(runs) and runs[number + 1].marked)
        out.append(Segment(blank + "  ".join(parts) + ("" if ends else after), run.style))
        blank = after if ends else ""
    used = columns.hex_at(len(data)) - columns.hex_at(0) - (len(data) == columns.per_row) - len(blank)
    out.append(Segment(" " * (columns.text_at(0) - columns.hex_at(0) - used), styles["base"]))
    shown = data.translate(_ASCII).decode("ascii")
    out.extend(Segment(shown[run.first : run.last], run.style) for run in runs)
    return tuple(out)


def with_cursor(columns: HexColumns, strip: Strip, column: int, digit: str, styles: Styles, bright: bool) -> Strip:
    """Return the row with the cursor in both the digits and the text; `digit` is the first one of a typed byte."""
    cursor = styles["cursor" if bright else "idle"]
    hex_at, text_at = columns.hex_at(column), columns.text_at(column)
    parts = list(strip.divide([hex_at, hex_at + 2, text_at, text_at + 1, strip.cell_length]))
    for index in (1, 3):
        if index == 1 and digit:
            parts[index] = Strip([Segment(f"{digit}_".upper(), styles["base"] + cursor)])
        elif index < len(parts):
            marked = (Segment(part.text, (part.style or Style()) + cursor) for part in parts[index])
            parts[index] = Strip(marked)
    return Strip.join(parts)
