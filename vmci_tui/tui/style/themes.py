"""Themes: of high contrast, for projectors, bright rooms and weak eyes; and for terminals with 16 colours."""

from __future__ import annotations

from typing import Final

from textual.app import App
from textual.theme import Theme

from vmci_tui.tui.style.console_font import draw_with_its_font

CONTRAST: Final = "high-contrast"
"""The prefix of the names of themes without dim text."""
MARK: Final = "vmci-mark"
"""The theme variable for the background of highlighted bytes; without it the colour of borders is used."""

SIXTEEN: Final = "16-colors"
"""The theme for terminals that have only 16 colours: all others would get a bright red accent there."""

THEMES: Final = (
    Theme(
        name=SIXTEEN,
        primary="#0000aa",
        secondary="#aaaaaa",
        accent="#55ffff",
        warning="#ffff55",
        error="#ff5555",
        success="#55ff55",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#000000",
        variables={
            "text-muted": "#aaaaaa",
            "text-primary": "#55ffff",
            "text-secondary": "#ffffff",
            "surface-lighten-1": "#555555",
            "surface-lighten-2": "#555555",
            MARK: "#555555",
        },
    ),
    Theme(
        name=CONTRAST,
        primary="#00aaff",
        secondary="#ffffff",
        accent="#ffff00",
        warning="#ffb000",
        error="#ff8080",
        success="#00ff66",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#1a1a1a",
        text_alpha=1.0,
        variables={"text-muted": "#cccccc", "surface-lighten-2": "#909090", MARK: "#404040"},
    ),
    Theme(
        name=f"{CONTRAST}-light",
        primary="#003c8f",
        secondary="#000000",
        accent="#6a0080",
        warning="#6b4300",
        error="#9b0000",
        success="#004d1a",
        foreground="#000000",
        background="#ffffff",
        surface="#ffffff",
        panel="#e6e6e6",
        dark=False,
        text_alpha=1.0,
        variables={"text-muted": "#333333", "surface-lighten-2": "#707070", MARK: "#dddddd"},
    ),
)


def prepare(app: App[None]) -> None:
    """Make the themes known to an app, and draw with the signs that its terminal has."""
    for theme in THEMES:
        app.register_theme(theme)
    draw_with_its_font(app)
