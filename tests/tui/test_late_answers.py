"""While a screen is removed, a background job may end and the terminal may change: both without an error."""

from __future__ import annotations

import pytest
from textual.events import Resize
from textual.widget import Widget

from tests.paths import SAMPLES
from tests.tui.driving import main_screen, running, settled
from vmci_tui.tui.guarded import stands
from vmci_tui.tui.session import SessionEvent

_NO_NOTE = str(SAMPLES / "amd64-cut-nonote.elf")
_EVENTS: tuple[SessionEvent, ...] = ("judged", "tried", "edited", "state")


@pytest.mark.parametrize("key", ["", "R", "F", "m", "T"])
async def test_a_screen_that_is_being_removed_takes_no_answer(key: str) -> None:
    async with running(_NO_NOTE) as pilot:
        await settled(pilot)
        session = main_screen(pilot).session
        if key:
            await pilot.press(key)
            await settled(pilot)
        screen = pilot.app.screen
        assert stands(screen)
        removal = screen.remove()
        assert screen.is_attached and not stands(screen)
        for child in screen.walk_children(Widget, with_self=False):
            screen._nodes._remove(child)
        for event in _EVENTS:
            session.announce(event)
        await screen._dispatch_message(Resize(screen.size, screen.size))
        await removal


@pytest.mark.parametrize("key", ["", "R", "F"])
async def test_a_screen_may_be_removed_before_it_was_mounted(key: str) -> None:
    async with running(_NO_NOTE) as pilot:
        await settled(pilot)
        if key:
            await pilot.press(key)
            await settled(pilot)
        main_screen(pilot).session.changed.clear()  # as long as it was not mounted, it has not added its callback
