"""Where each pane is, by the room that there is: one column, two from 100 cells, three from 160. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

TWO_COLUMNS: Final = 100
THREE_COLUMNS: Final = 160
FOUR_COLUMNS: Final = 256
"""Cells from which the structure of the file has a column of its own; else it is below the bytes."""
_TREE: Final = 60
"""Cells of that column."""
_NARROW_BYTES, _WIDE_BYTES = 47, 79
"""Cells of the hex view with its border: 8 or 16 bytes in a row."""
_TEXT: Final = 66
"""Cells that the text needs beside a hex view with 16 bytes in a row."""
_ABOUT: Final = 14, 18
"""Lines of the meaning of a key with its border, at two and at three columns.

It names what goes wrong and the first readers without scrolling.
"""
_ABOUT_ENTRY: Final = 8
"""Lines of the explanation beside the panes of an entry alone."""
_LEAST: Final = 4
"""Lines of the smallest pane: its border, and two rows."""

_BYTES: Final = ("hex", "tree", "inspector", "entry")
"""The panes below the bytes, with them."""

Rows = Mapping[str, int]
"""The lines that a pane wants with its border; a pane without a number takes what is left."""


class Box(NamedTuple):
    """The place of a pane, in cells."""

    x: int
    y: int
    width: int
    height: int


def arrange(width: int, height: int, shown: Collection[str], rows: Rows) -> dict[str, Box]:
    """Return the box of each pane of `shown` in a room of `width` x `height` cells.

    Without a text an entry is open alone. `about`, the explanation, is below the text where there are three columns,
    else in place of the findings, or beside them in place of the readers.
    The inspector's numbers need the room of 16 bytes in a row, also where there are else three columns with 8.
    """
    if "keys" not in shown or len({"findings", "keys", "hex"} & {*shown}) < 2:
        order = [name for name in ("entry", "qemu", "hex", "inspector", "findings") if name in shown]
        about = min(height * 3 // 5, _ABOUT[0]) if len(shown) == 2 else _ABOUT_ENTRY
        heads = {**rows, "about": about}
        return _column(0, width, height, [*order, *(name for name in shown if name not in order)], heads)
    numbers = "inspector" in shown
    bytes_width = min(_WIDE_BYTES, width * 2 // 3) if numbers else _bytes_width(width)
    left: tuple[str, ...]
    columns: tuple[tuple[tuple[str, ...], int], ...]
    top = max(8, min(height * 2 // 5, 14))
    if width < THREE_COLUMNS + (_WIDE_BYTES - _NARROW_BYTES) * numbers:
        beside = {"findings", "about"} <= {*shown} and "readers" not in shown
        left = ("findings", *(() if beside else ("about",)), "qemu", "notes", "keys")
        heads = {**rows, "readers": top, "entry": min(rows.get("entry", _LEAST), max(height // 4, 6))}
        if "keys" not in rows:  # there is a text
            heads |= {"findings": top, "about": max(top, min(height // 2, _ABOUT[0]))}
        heads["notes"] = min(rows.get("notes", _LEAST), max(height // 4, _LEAST))
        columns = ((left, width - bytes_width), (("about" if beside else "readers", *_BYTES), bytes_width))
    elif "keys" in rows:
        heads = {**rows, "notes": min(rows.get("notes", _LEAST), height // 3), "about": min(height // 3, _ABOUT[1])}
        columns = _without_text(width, "tree" in shown)
        if "tree" in shown:
            heads.pop("tree", None)
    else:
        own = "tree" in shown and width >= FOUR_COLUMNS
        rest = width - bytes_width - _TREE * own
        first = max(min(rest * 42 // 100, 70), 50)
        heads = {**rows, "about": min(height // 2, _ABOUT[1]), "notes": min(rows.get("notes", _LEAST), height // 3)}
        left = "findings", "readers", "notes", "map"
        middle, right = ("keys", "about", "qemu"), tuple(name for name in _BYTES if name != "tree" or not own)
        columns = ((left, first), (middle, rest - first), (right, bytes_width))
        if own:
            heads.pop("tree", None)
            columns = (*columns[:2], (("tree",), _TREE), columns[2])
    out: dict[str, Box] = {}
    x = 0
    for names, cells in columns:
        out |= _column(x, cells, height, [name for name in names if name in shown], heads)
        x += cells
    return out


def _without_text(width: int, tree: bool) -> tuple[tuple[tuple[str, ...], int], ...]:
    """Return wide columns for a dump without a text: the structure is in place of it, else the others have its room."""
    left = "findings", "readers", "about", "notes", "qemu", "map", "keys"
    right = tuple(name for name in _BYTES if name != "tree")
    rest = width - _WIDE_BYTES
    if not tree:
        return (left, rest), (right, _WIDE_BYTES)
    return (left, rest - rest // 2), (("tree",), rest // 2), (right, _WIDE_BYTES)


def _bytes_width(width: int) -> int:
    """Return the width of the hex view: 16 bytes in a row where the other columns still have their room."""
    others = _TEXT + 50 if width >= THREE_COLUMNS else _TEXT
    return _WIDE_BYTES if width - _WIDE_BYTES >= others else min(_NARROW_BYTES, width // 2)


def _column(x: int, width: int, height: int, names: list[str], rows: Rows) -> dict[str, Box]:
    """Return the boxes of a column; panes without wanted lines share what the others leave, at least `_LEAST`."""
    elastic = [name for name in names if name not in rows] or names[:1]
    left = height - _LEAST * len(elastic)
    heights: dict[str, int] = {}
    for name in names:
        if name not in elastic:
            heights[name] = max(min(rows[name], left), 0)
            left -= heights[name]
    share, more = divmod(height - sum(heights.values()), max(len(elastic), 1))
    for number, name in enumerate(elastic):
        heights[name] = share + (number < more)
    out, y = {}, 0
    for name in names:
        out[name] = Box(x, y, width, heights[name])
        y += heights[name]
    return out
