"""The rows of a hex view as segments: where their columns are, their runs of one style, the cursor. Pure functions."""

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
"""The styles of bytes by kind, and `base`, `offset`, `zero`, `mark`, `cursor`."""


class HexColumns(NamedTuple):
    """The columns of a row: the offset, the bytes with a wider gap after eight, and their text."""

    digits: int
    """Digits of the offset."""
    per_row: int
    """Bytes in a row: 16, or 8 in a narrow pane."""

    @classmethod
    def of(cls, total: int, width: int) -> HexColumns:
        """Return the columns for a file of `total` bytes in a pane of `width` cells."""
        digits = 8 if total <= 1 << 32 else 10 if total <= 1 << 40 else 12
        return cls(digits, 16 if width >= digits + 68 else 8)

    def hex_at(self, column: int) -> int:
        """Return the first cell of a byte's two digits."""
        return self.digits + 2 + 3 * column + (column >= 8)

    def text_at(self, column: int) -> int:
        """Return the cell of a byte in the text."""
        return self.digits + 2 + 3 * self.per_row + 2 + column

    def column_at(self, x: int) -> int | None:
        """Return the byte of a row whose digits or text are at cell `x`; None for the offset, and after the text."""
        text = x - self.text_at(0)
        if 0 <= text < self.per_row:
            return text
        inside = x - self.digits - 2
        if inside < 0 or text >= self.per_row:
            return None
        half = 8 * 3 + 1
        return min(inside // 3 if inside < half else 8 + (inside - half) // 3, self.per_row - 1)


class StyledRun(NamedTuple):
    """Columns [first, last) of a row with the same style."""

    first: int
    last: int
    style: Style
    marked: bool

    def halves(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the parts before and after the wide gap in the middle of the row."""
        return (self.first, min(self.last, 8)), (max(self.first, 8), self.last)


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


def sign_of(changed: ChangedBytes, start: int, end: int) -> str:
    """Return the sign of a row for its changes: `+` if all of them are new bytes; empty without changes."""
    signs = {SIGNS[item.kind] for item in changed.within(start, end)}
    return "" if not signs else "+" if signs == {"+"} else "~"


def row_segments(
    columns: HexColumns, start: int, data: bytes | None, runs: list[StyledRun], styles: Styles, sign: str = ""
) -> tuple[Segment, ...]:
    """Return the segments of the row at offset `start`, one for each run; `data` is None if it cannot be read."""
    offset = f"{start:0{columns.digits}X}"
    if data is None:
        return (Segment(f"{offset}  cannot be read", styles["offset"]),)
    out = [Segment(offset if sign else f"{offset}  ", styles["offset"])]
    if sign:
        out.append(Segment(f"{sign} ", styles["added" if sign == "+" else "changed"]))
    text, blank = data.hex(" ").upper(), ""
    for number, run in enumerate(runs):
        parts = [text[3 * low : 3 * high - 1] for low, high in run.halves() if low < high]
        after = "  " if run.last == 8 else " "
        # The gap after a run has its style, except at the end of the highlight: a change of style is 37 bytes.
        ends = run.marked and not (number + 1 < len(runs) and runs[number + 1].marked)
        out.append(Segment(blank + "  ".join(parts) + ("" if ends else after), run.style))
        blank = after if ends else ""
    used = 3 * len(data) + (1 if len(data) >= 8 else 0) - len(blank)
    out.append(Segment(" " * (3 * columns.per_row + 2 - used), styles["base"]))
    shown = data.translate(_ASCII).decode("ascii")
    out.extend(Segment(shown[run.first : run.last], run.style) for run in runs)
    return tuple(out)


def with_cursor(columns: HexColumns, strip: Strip, column: int, digit: str, styles: Styles) -> Strip:
    """Return the row with the cursor in both the digits and the text; `digit` is the first one of a typed byte."""
    hex_at, text_at = columns.hex_at(column), columns.text_at(column)
    parts = list(strip.divide([hex_at, hex_at + 2, text_at, text_at + 1, strip.cell_length]))
    for index in (1, 3):
        if index == 1 and digit:
            parts[index] = Strip([Segment(f"{digit}_".upper(), styles["base"] + styles["cursor"])])
        elif index < len(parts):
            marked = (Segment(part.text, (part.style or Style()) + styles["cursor"]) for part in parts[index])
            parts[index] = Strip(marked)
    return Strip.join(parts)
