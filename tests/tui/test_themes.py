"""Test that text can be read in every theme, and drawn on every terminal."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.renderables.background_screen import BackgroundScreen

from tests.tui.driving import running, settled
from vmci_tui.tui.style.cells import _contrast, line_styles, readable
from vmci_tui.tui.style.console_font import ConsoleFont
from vmci_tui.tui.style.dimmed import _Dimmed

_CP437 = (
    "\u2502\u2524\u2561\u2562\u2556\u2555\u2563\u2551\u2557\u255d\u255c\u255b\u2510\u2514\u2534\u252c\u251c\u2500\u253c\u255e\u255f"
    "\u255a\u2554\u2569\u2566\u2560\u2550\u256c\u2567\u2568\u2564\u2565\u2559\u2558\u2552\u2553\u256b\u256a\u2518\u250c\u2588\u2584\u258c\u2590\u2580"
    "\u2591\u2592\u2593\u2022\u25cb\u25cf\u2190\u2191\u2192\u2193\u2261\u221a\u25a0\u00b7\u00b0"
).replace("\u25cf", "")
"""Signs beside ASCII that a Linux console has (drivers/tty/vt/cp437.uni), as far as programs draw with them."""


async def test_words_in_colour_can_be_read_in_every_theme(sample: Callable[[str], str]) -> None:
    async with running(sample("crlf.elf"), size=(80, 24)) as pilot:
        for name in pilot.app.available_themes:
            if name.startswith("ansi"):
                continue  # the terminal's own colours
            pilot.app.theme = name
            styles, background = line_styles(pilot.app), Color.parse(pilot.app.theme_variables["background"])
            for kind in ("warning", "error", "good", "key"):
                color = styles[kind].color
                assert color is not None and color.triplet is not None
                least = 4.5 if background.brightness > 0.5 else 3
                assert _contrast(Color(*color.triplet), background) >= least, (name, kind)


def test_a_colour_that_can_be_read_stays_and_a_pale_one_gets_darker() -> None:
    white, black = Color(255, 255, 255), Color(0, 0, 0)
    assert readable(Color(0, 0, 170), black, white) == Color(0, 0, 170)
    assert _contrast(readable(Color(255, 230, 0), black, white), white) >= 4.5
    assert round(_contrast(black, white)) == 21


@pytest.mark.parametrize("keys", [(), ("f1",), ("s",), ("v",), ("colon",), ("L", "enter")])
async def test_a_linux_console_has_every_sign(
    sample: Callable[[str], str], keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "linux")
    async with running(sample("crlf.elf"), size=(80, 24)) as pilot:
        pilot.app.theme = "16-colors"
        for key in keys:
            await pilot.press(key)
            await settled(pilot)
        strips = pilot.app.screen._compositor.render_strips()
        (font,) = (item for item in pilot.app._filters if isinstance(item, ConsoleFont))
        text = "".join(part.text for strip in strips for part in font.apply(list(strip), Color(0, 0, 0)))
        assert {sign for sign in text if not sign.isascii()} <= set(_CP437)


def test_a_console_sign_takes_one_cell() -> None:
    segments = [Segment("\u256d\u2500\u256e"), Segment("plain")]
    assert [s.text for s in ConsoleFont().apply(segments, Color(0, 0, 0))] == ["\u250c\u2500\u2510", "plain"]


def test_each_style_below_a_dialog_is_dimmed_once_and_as_textual_does(monkeypatch: pytest.MonkeyPatch) -> None:
    segments = [Segment(f"{at}", Style(color="red" if at % 2 else "blue", bgcolor="black")) for at in range(100)]
    wanted = list(BackgroundScreen.process_segments(segments, Color(9, 9, 9, 0.6)))
    counted: list[object] = []
    real = Style.from_color

    def count(*given: object) -> Style:
        counted.append(given)
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(Style, "from_color", count)
    assert list(_Dimmed.process_segments(segments, Color(9, 9, 9, 0.6))) == wanted and len(counted) == 2
