"""Which panes that follow others open by themselves, by the room that there is. A pure function."""

from __future__ import annotations

from typing import Final

from vmci_tui.tui.space.arrangement import THREE_COLUMNS

ROOM: Final = {"about": (THREE_COLUMNS, 40), "inspector": (192, 40), "map": (THREE_COLUMNS, 46)}
"""Cells and lines of the screen from which each of them leaves the others their room.

The inspector needs three columns with 16 bytes in a row of the hex view, as its numbers do.
"""


def companions(width: int, height: int) -> frozenset[str]:
    """Return the panes for which a screen of `width` x `height` cells has room."""
    return frozenset(name for name, (cells, lines) in ROOM.items() if width >= cells and height >= lines)
