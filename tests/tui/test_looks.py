"""Test themes, NO_COLOR, and that messages cover nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rich.color import ColorSystem
from textual.app import App
from textual.color import Color
from textual.widgets._toast import Toast

from tests.tui.driving import main_screen, running, settled, shown
from vmci_tui.tui.panes.hex import HexPane
from vmci_tui.tui.panes.keys import KeysList
from vmci_tui.tui.style.cells import byte_styles, line_styles
from vmci_tui.tui.style.themes import CONTRAST, SIXTEEN, THEMES
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.status_line import StatusLine

Sample = Callable[[str], str]


def _luminance(color: Color) -> float:
    parts = (part / 255 for part in color.rgb)
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: Color, other: Color) -> float:
    """Return the contrast as WCAG defines it, 1 to 21; its level AAA, for weak eyes, needs 7."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", [theme.name for theme in THEMES if theme.name.startswith(CONTRAST)])
async def test_high_contrast_is_high(sample: Sample, name: str) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(80, 24)) as pilot:
        app: App[Any] = pilot.app
        app.theme = name
        await settled(pilot)
        background = Color.parse(app.theme_variables["background"])
        for styles in (line_styles(app), byte_styles(app)):
            assert styles.keys() >= {"cursor"}
            on_mark = styles["mark"]
            for key, style in styles.items():
                if "gap" in styles and style.color is not None and style.bgcolor is None:
                    assert _contrast(Color.from_rich_color(style.color), Color.from_rich_color(on_mark.bgcolor)) >= 4.5
                if style.color is not None:
                    on = background if style.bgcolor is None else Color.from_rich_color(style.bgcolor)
                    assert _contrast(Color.from_rich_color(style.color), on) >= 7, (key, style)
                assert not style.dim, key
        line = main_screen(pilot).query_one("#status", StatusLine).rich_style
        assert line.color is not None and line.bgcolor is not None
        assert _contrast(Color.from_rich_color(line.color), Color.from_rich_color(line.bgcolor)) >= 7


async def test_no_color_has_no_colour_and_shows_cursor_mark_and_focus(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(sample("amd64-cut-note.elf")) as pilot:
        screen = main_screen(pilot)
        await pilot.press("4", "down")
        strips = screen._compositor.render_strips()
        filtered = [strip.apply_filter(f, Color(0, 0, 0)) for strip in strips for f in pilot.app._filters if f.enabled]
        colors = {
            color
            for strip in filtered
            for segment in strip
            if segment.style is not None
            for color in (segment.style.color, segment.style.bgcolor)
            if color is not None and not color.is_default
        }
        assert pilot.app.no_color and filtered and not colors
        keys, view = screen.query_one(KeysList), screen.query_one(HexPane)
        line = list(keys.render_line(keys.cursor - keys.top))[:-1]  # but for the bar
        assert line and all(segment.style is not None and segment.style.reverse for segment in line)
        row = view.render_line(view.cursor // view.per_row - view.top + 1)  # after the header
        assert any(s.style is not None and s.style.underline for s in row)
        assert screen.query_one("#keys-pane").styles.border_top[0] == "heavy"
        assert view.styles.border_top[0] == "round"


async def test_a_message_is_on_the_line_above_the_footer(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(80, 24)) as pilot:
        await pilot.press("4", "c")
        await settled(pilot)
        toast = pilot.app.screen.query_one(Toast)
        assert toast.region.height == 1 and toast.region.y == 22, toast.region
        assert isinstance(main_screen(pilot).query_one("#keys"), LineList)


async def test_only_the_pane_with_the_focus_has_a_bright_cursor(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        await pilot.press("4")
        await settled(pilot)
        app: App[Any] = pilot.app
        keys, bright = main_screen(pilot).query_one(KeysList), line_styles(app)["cursor"]
        assert any(part.style and part.style.bgcolor == bright.bgcolor for part in keys.render_line(keys.cursor))
        await pilot.press("5")
        await settled(pilot)
        assert not any(part.style and part.style.bgcolor == bright.bgcolor for part in keys.render_line(keys.cursor))


def test_the_theme_for_16_colours_keeps_red_for_errors() -> None:
    theme = next(theme for theme in THEMES if theme.name == SIXTEEN)
    palette = {
        name: Color.parse(value).rich_color.downgrade(ColorSystem.STANDARD).number
        for name, value in (
            ("accent", theme.accent),
            ("primary", theme.primary),
            ("error", theme.error),
            ("warning", theme.warning),
        )
        if value
    }
    assert palette["error"] in (1, 9) and not {palette["accent"], palette["primary"], palette["warning"]} & {1, 9}


async def test_a_theme_is_shown_before_it_is_chosen(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(80, 24)) as pilot:
        before = pilot.app.theme
        pilot.app.action_change_theme()
        await settled(pilot)
        assert f"* {before}" in shown(pilot) and "Enter Keep" in shown(pilot)
        await pilot.press("down")
        assert pilot.app.theme != before
        await pilot.press("escape")
        await settled(pilot)
        assert pilot.app.theme == before and main_screen(pilot) is pilot.app.screen
