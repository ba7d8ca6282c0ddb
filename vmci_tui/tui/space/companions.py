"""Which panes that follow others open by themselves, by the room that there is. A pure function."""

from __future__ import annotations

from typing import Final

from vmci_tui.tui.space.arrangement import FOUR_COLUMNS, THREE_COLUMNS

_INSPECTED: Final = 192
"""Cells from which three columns leave 16 bytes in a row to the hex view, which the inspector's numbers need too."""


def companions(width: int, height: int, text: bool, entry: bool) -> frozenset[str]:
    """Return the panes for which a screen of `width` x `height` cells has room.

    `text`: whether the dump has a text, whose keys have a meaning; `entry`: whether the panes of its entry are shown.
    """
    room = {
        "about": width >= THREE_COLUMNS and height >= 40 and text,
        "map": width >= THREE_COLUMNS and height >= 46,
        "inspector": width >= _INSPECTED and height >= (52 if entry else 40),
        "tree": (width >= FOUR_COLUMNS and height >= 40) or (width >= _INSPECTED and height >= 56 and not entry),
    }
    return frozenset(name for name, fits in room.items() if fits)
