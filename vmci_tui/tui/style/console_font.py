"""The signs of a Linux text console: its font has 256, those of IBM's code page 437.

The kernel's table (drivers/tty/vt/cp437.uni) has no round corners, no heavy lines and few parts of blocks; a square
is shown for each of these.
"""

from __future__ import annotations

import os
from typing import Final

from rich.segment import Segment
from textual.app import App
from textual.color import Color
from textual.filter import LineFilter

CONSOLE: Final = "linux"
"""The value of TERM on a Linux text console."""
_OTHERS: Final = str.maketrans(
    {
        **dict(zip("\u256d\u256e\u256f\u2570", "\u250c\u2510\u2518\u2514", strict=True)),  # round corners
        **dict(zip("\u250f\u2513\u251b\u2517\u2501\u2503", "\u2554\u2557\u255d\u255a\u2550\u2551", strict=True)),
        **dict.fromkeys("\u2581\u2582\u2583\u2585", "\u2584"),  # lower parts of a block: its lower half
        **dict.fromkeys("\u2586\u2587", "\u2588"),
        **dict.fromkeys("\u2594", "\u2580"),
        **dict.fromkeys("\u258e\u258f\u258d\u258b\u258a\u2589", "\u258c"),  # left parts of a block: its left half
        **dict.fromkeys("\u2595", "\u2590"),
        "\u2026": ".",
        "\u25cf": "\u2022",
        "\u2717": "x",
        "\u2713": "\u221a",
        "\U0001f50e": "> ",  # the magnifying glass of the commands, two cells wide
    }
)
"""The most similar sign of the font for each that Textual and this app draw with."""


class ConsoleFont(LineFilter):
    """Draws with the signs that a Linux console has."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments with other signs where the font lacks one; each takes as many cells as before."""
        return [
            segment if segment.text.isascii() else segment._replace(text=segment.text.translate(_OTHERS))
            for segment in segments
        ]


def draw_with_its_font(app: App[None]) -> None:
    """Draw with the signs of the terminal, if it is a Linux text console."""
    if os.environ.get("TERM") == CONSOLE:
        app._filters.append(ConsoleFont())
