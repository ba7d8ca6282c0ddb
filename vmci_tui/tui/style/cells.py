"""Turn safe text into segments: the last check before the terminal."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.strip import Strip

from vmci_tui.common.safe_text import safe as safe

Cell = tuple[str, str]
"""A text and the name of its style; the text is `Safe`, or a constant of ours."""
Row = tuple[Cell, ...]


def plain(text: str) -> Content:
    """Return content for Textual's widgets, which would parse a plain str as markup."""
    return Content("\n".join(safe(line) for line in text.split("\n")))


def strip_of(row: Row, width: int, styles: dict[str, Style], base: Style) -> Strip:
    """Return one line of exactly `width` cells; a longer text is cut and ends in `..`."""
    segments: list[Segment] = []
    left = width
    for number, (text, name) in enumerate(row):
        text = safe(text)
        if len(text) > left:
            text = text[: left - 2] + ".." if left > 2 else text[:left]
        elif left - len(text) == 0 and number < len(row) - 1 and left > 2:
            text = text[: left - 2] + ".."
        style = styles.get(name)
        segments.append(Segment(text, base + style if style else base))
        left -= len(text)
        if left <= 0:
            break
    if left > 0:
        segments.append(Segment(" " * left, base))
    return Strip(segments, width)
