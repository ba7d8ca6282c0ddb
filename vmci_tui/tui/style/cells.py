"""The styles of lines and bytes, made once from the theme's colours, and safe text in them.

The styles are not component classes: Textual styles each of those like a widget at every change, and
sixty of them took a third of the time to the first paint.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, overload

from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.content import Content
from textual.strip import Strip

from vmci_tui.common.safe_text import safe as safe
from vmci_tui.tui.style.themes import CONTRAST, MARK

Cell = tuple[str, str]
"""A text and the name of its style; the text is `Safe`, or a constant of ours."""
Row = tuple[Cell, ...]


CHECK: Final = "\u221a"
"""The sign of what is done: the one text of cells that is not ASCII; fonts of text consoles have it."""

_TEXTS: Final = frozenset(("success", "warning", "error", "text-primary", "text-secondary"))
"""The colours of text that a theme may have too pale."""
_LIGHT: Final = 0.5
"""The brightness from which a background is light."""
_LIGHT_LEAST, _DARK_LEAST, _STEPS = 4.5, 3.0, 10
"""The contrast that text has at least: WCAG's for text, and for large text; steps towards the foreground."""


class LazyRows(Sequence[Row]):
    """Rows that are built when they are shown."""

    @abstractmethod
    def row(self, index: int) -> Row:
        """Return one row; `index` is from 0 to the last one."""

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        positions = range(len(self))[index]
        return self.row(positions) if isinstance(positions, int) else [self.row(position) for position in positions]


_LINES = {
    "value": ("foreground", ""),
    "key": ("text-primary", ""),
    "info": ("text-primary", ""),
    "good": ("success", ""),
    "warning": ("warning", ""),
    "error": ("error", "bold"),
    "title": ("foreground", "bold"),
    "offer": ("accent", "bold"),
    "bar": ("muted", ""),
    "dim": ("muted", ""),
    "press": ("accent", "bold"),
    "added": ("success", "bold"),
    "changed": ("warning", "bold"),
    "removed": ("error", "bold"),
    "gone": ("muted", "strike"),
}
_BYTES = {
    "offset": ("muted", ""),
    "header": ("text-primary", ""),
    "segments": ("text-secondary", ""),
    "sections": ("warning", ""),
    "note": ("accent", ""),
    "name": ("success", "bold"),
    "desc": ("foreground", ""),
    "key": ("text-primary", ""),
    "value": ("success", ""),
    "entry": ("success", ""),
    "padding": ("muted", ""),
    "gap": ("muted", ""),
    "other": ("warning", ""),
    "memory": ("foreground", ""),
    "added": ("success", "bold underline"),
    "changed": ("warning", "bold underline"),
}

ADDED: Final = frozenset(("zero", "mark", "cursor", "idle"))
"""The styles that are added to another one; `idle` is the cursor of a hex view without the focus."""


def line_styles(app: App[Any]) -> dict[str, Style]:
    """Return the styles of a list's cells, by name; `cursor` is added to another style."""
    return _made(_variables(app), True, app.no_color, app.theme.startswith(CONTRAST))


def byte_styles(app: App[Any]) -> dict[str, Style]:
    """Return the styles of bytes, by kind; those in `ADDED` are added to another style."""
    return _made(_variables(app), False, app.no_color, app.theme.startswith(CONTRAST))


def _variables(app: App[Any]) -> tuple[tuple[str, str], ...]:
    names = ("foreground", "background", "accent", "success", "warning", "error")
    found = app.theme_variables
    mark = found.get(MARK, found.get("surface-lighten-2", ""))
    return (*((name, found.get(name, "")) for name in (*names, "text-primary", "text-secondary")), ("mark", mark))


def readable(color: Color, foreground: Color, background: Color) -> Color:
    """Return a colour of text, as much nearer to the foreground as it takes to read it on the background.

    Light themes of Textual have a warning in bright yellow on white.
    """
    least = _LIGHT_LEAST if background.brightness > _LIGHT else _DARK_LEAST
    steps = (color.blend(foreground, step / _STEPS) for step in range(_STEPS + 1))
    return next((item for item in steps if _contrast(item, background) >= least), foreground)


def _contrast(one: Color, other: Color) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.1, relative luminance)."""
    low, high = sorted(_luminance(color) for color in (one, other))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: Color) -> float:
    parts = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in color.normalized)
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


@lru_cache(maxsize=8)
def _made(variables: tuple[tuple[str, str], ...], lines: bool, no_color: bool, bright: bool) -> dict[str, Style]:
    """Return the styles. `no_color`: cursor and mark must be visible without colours; `bright`: nothing is dim."""
    colors = {name: Color.parse(value) for name, value in variables}
    foreground, background = colors["foreground"], colors["background"]
    # An ANSI theme uses the terminal's colours, which cannot be blended.
    ansi = foreground.ansi is not None
    colors["muted"] = foreground if ansi else foreground.blend(background, 0.2 if bright else 0.35)
    if not ansi:
        colors |= {name: readable(color, foreground, background) for name, color in colors.items() if name in _TEXTS}
    out = {
        name: Style(
            color=colors[color].rich_color,
            bold="bold" in how or None,
            underline="underline" in how or None,
            strike="strike" in how or None,
            dim=(ansi and color == "muted") or None,
        )
        for name, (color, how) in (_LINES if lines else _BYTES).items()
    }
    mark = Style(reverse=True) if ansi else Style(bgcolor=colors["mark"].rich_color)
    if no_color:
        return out | {
            "zero": Style(),
            "mark": Style(underline=True),
            "cursor": Style(reverse=True, bold=True),
            "idle": Style(reverse=True),
        }
    grey = colors["muted"].rich_color
    cursor = Style(color=background.rich_color, bgcolor=colors["accent"].rich_color, bold=True, dim=False)
    return out | {
        "zero": Style() if bright else Style(dim=True),
        "mark": mark,
        "idle": Style(reverse=True, dim=True) if ansi else Style(color=background.rich_color, bgcolor=grey, dim=False),
        "cursor": Style(reverse=True, bold=True) if ansi else cursor,
    }


def plain(text: str) -> Content:
    """Return content for Textual's widgets, which would parse a plain str as markup."""
    return Content("\n".join(safe(line) for line in text.split("\n")))


def strip_of(row: Row, width: int, styles: dict[str, Style], base: Style) -> Strip:
    """Return one line of exactly `width` cells; a longer text is cut and ends in `..`."""
    segments: list[Segment] = []
    left = width
    for number, (text, name) in enumerate(row):
        text = text if text == CHECK else safe(text)
        if len(text) > left:
            text = text[: left - 2] + ".." if left > 2 else text[:left]
        elif len(text) == left > 2 and any(later for later, _ in row[number + 1 :]):
            text = text[: left - 2] + ".."
        style = styles.get(name)
        segments.append(Segment(text, base + style if style else base))
        left -= len(text)
        if left <= 0:
            break
    if left > 0:
        segments.append(Segment(" " * left, base))
    return Strip(segments, width)
