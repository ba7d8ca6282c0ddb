"""Test when the app searches for garbage: in pauses, and not while keys come."""

from __future__ import annotations

import gc

import pytest

from tests.tui.driving import running
from vmci_tui.tui import garbage
from vmci_tui.tui.garbage import Garbage


@pytest.fixture
def _as_before(monkeypatch: pytest.MonkeyPatch) -> object:
    """Leave the collector of the tests as it is."""
    monkeypatch.setattr(gc, "freeze", lambda: None)
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("_as_before")
async def test_garbage_is_searched_in_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[None] = []
    monkeypatch.setattr(gc, "collect", lambda: searched.append(None))
    monkeypatch.setattr(Garbage, "pause", 3600)
    async with running() as pilot:
        found = Garbage(pilot.app)
        assert gc.get_threshold()[2] > 10, "Python does not begin a whole search in a paint"
        monkeypatch.setattr(garbage, "_ENOUGH", 0)
        await pilot.press("down")
        found.search()
        assert not searched, "a key came just now"
        found.search()
        assert searched == [None]
        monkeypatch.setattr(garbage, "_ENOUGH", gc.get_count()[2] + 1000)
        found.search()
        assert searched == [None], "nothing to search"
