"""Test the verdict line, and what runs for it in the background."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.opened_files import open_document
from tests.tui.driving import main_screen, running, settled, shown, type_text
from vmci_tui.tui.app import VmciApp
from vmci_tui.tui.panes.findings import FindingsList
from vmci_tui.tui.panes.keys import KeysList
from vmci_tui.tui.screens.candidates_screen import CandidatesScreen
from vmci_tui.tui.screens.repair_screen import RepairScreen
from vmci_tui.tui.screens.saved_screen import SavedScreen
from vmci_tui.tui.session import Session
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
        assert "After saving, 6 of 6 readers accept this dump (now: 0 of 6)" in rows[0]
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


async def test_after_a_save_the_panel_says_what_the_copy_is_worth(sample: Sample, tmp_path: Path) -> None:
    out = tmp_path / "out.elf"
    async with running(sample("amd64-cut-nonote.elf")) as pilot:
        await pilot.press("R", "enter")
        await settled(pilot)
        assert main_screen(pilot).focused is main_screen(pilot).query_one(KeysList), "at the note"
        await pilot.press("s")
        await settled(pilot)
        await type_text(pilot, str(out))
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, SavedScreen)
        words = shown(pilot)
        assert "6 of 6 readers accept it, 1 finds no memory (before: 0 of 6)." in words and "no -> ok" in words
        assert f"crash --osrelease {out}"[:40] in words
        await pilot.resize_terminal(80, 24)
        await settled(pilot)
        assert "linux-image-6.1.0-56-amd64-dbg (Debian)" in shown(pilot), "what the command needs is not cut"
        await pilot.press("c")
        assert pilot.app.clipboard in {step.command for step in pilot.app.screen._steps}
        await pilot.press("enter")
        await settled(pilot)
        assert main_screen(pilot).session.path == str(out) and "All 6 readers accept this dump." in shown(pilot)


async def test_a_command_is_not_run_where_there_is_no_terminal(sample: Sample, tmp_path: Path) -> None:
    async with running(sample("crlf.elf")) as pilot:
        await pilot.press("1", "f", "s")
        await settled(pilot)
        await type_text(pilot, str(tmp_path / "out.elf"))
        await pilot.press("enter")
        await settled(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, SavedScreen) and not screen.check_action("run", ())


@pytest.mark.parametrize("key", ["4", "down"])
async def test_whoever_presses_a_key_before_the_file_is_judged_stays_in_the_pane(
    sample: Sample, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    app = VmciApp(open_document(sample("crlf.elf")))
    with monkeypatch.context() as late:
        late.setattr(Session, "judge", lambda session: None)
        async with app.run_test() as pilot:
            await pilot.press(key)
            late.undo()
            main_screen(pilot).session.judge()
            await settled(pilot)
            assert main_screen(pilot).focused is main_screen(pilot).query_one(KeysList)


async def test_the_app_opens_on_the_finding_that_a_key_repairs(sample: Sample) -> None:
    async with running(sample("crlf.elf"), size=(80, 24)) as pilot:
        assert main_screen(pilot).focused is main_screen(pilot).query_one(FindingsList)
        await pilot.press("f")
        await settled(pilot)
        assert "After saving, 6 of 6 readers accept this dump (now: 3 of 6)." in shown(pilot)
    async with running(sample("amd64-cut-nonote.elf")) as pilot:
        assert "N01 [R]" in shown(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, RepairScreen)
    async with running(sample("amd64-cut-note.elf")) as pilot:
        assert main_screen(pilot).focused is main_screen(pilot).query_one(KeysList), "all is well"
