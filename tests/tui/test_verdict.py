"""Test the verdict line, and what runs for it in the background."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.tui.driving import main_screen, running, settled, shown
from vmci_tui.tui.screens.candidates_screen import CandidatesScreen
from vmci_tui.tui.screens.repair_screen import RepairScreen
from vmci_tui.tui.verdict import ahead
from vmci_tui.tui.widgets.verdict_strip import TitleBar

Sample = Callable[[str], str]


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_the_first_screen_says_what_is_wrong_and_which_key_repairs_it(
    sample: Sample, size: tuple[int, int]
) -> None:
    async with running(sample("amd64-cut-nonote.elf"), size=size) as pilot:
        rows = shown(pilot).split("\n")[1:3]
        assert "No reader can use this dump: its VMCOREINFO note is missing." in rows[0]
        assert "[R] Put it back: 6 of 6 readers accept" in rows[1]


@pytest.mark.parametrize("small", [True, False], ids=["thread", "process"])
async def test_what_was_tried_ahead_is_not_tried_again(
    sample: Sample, monkeypatch: pytest.MonkeyPatch, small: bool
) -> None:
    monkeypatch.setattr(ahead, "_SMALL", 1 << 20 if small else 0)
    async with running(sample("amd64-cut-nonote.elf")) as pilot:
        assert "6 of 6 readers accept" in shown(pilot)
        for name in ("repair_screen.repair", "candidates_screen.find"):
            monkeypatch.setattr(f"vmci_tui.tui.screens.{name}", None)  # called, it would fail
        await pilot.press("F")
        await settled(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, CandidatesScreen) and screen._judged
        await pilot.press("escape", "R")
        await settled(pilot)
        assert isinstance(pilot.app.screen, RepairScreen) and pilot.app.screen._done is not None
        await pilot.press("enter")
        await settled(pilot)
        rows = shown(pilot).split("\n")[1:3]
        assert "After saving, 6 of 6 readers accept this dump (now: 0 of 6)." in rows[0]
        assert "[s] Save" in rows[1] and "[u] Undo" in rows[1]


async def test_the_repair_screen_waits_for_what_runs(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "_SMALL", 0)
    async with running(sample("amd64-cut-nonote.elf")) as pilot:
        session = main_screen(pilot).session
        assert session.ahead is not None
        session.ahead.adoption, session.ahead._opened = None, None
        session.ahead.judged(session.judgement)
        assert session.ahead.running
        await pilot.press("R")
        await settled(pilot)
        while pilot.app.screen._done is None:  # type: ignore[attr-defined]
            await pilot.pause(0.02)
        assert not session.ahead.running and session.ahead.adoption is not None


async def test_a_click_on_a_key_of_the_verdict_presses_it(sample: Sample) -> None:
    async with running(sample("crlf.elf")) as pilot:
        at = shown(pilot).split("\n")[2].index("[R]")
        await pilot.click(TitleBar, offset=(at + 1, 2))
        await settled(pilot)
        assert isinstance(pilot.app.screen, RepairScreen)
