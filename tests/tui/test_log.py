"""Test the screen of the kernel's log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.driving import hint, main_screen, running, settled, shown, type_text
from vmci_tui.tui.lessons.observe import ui_state
from vmci_tui.tui.screens.log_screen import LogScreen
from vmci_tui.tui.widgets.line_list import LineList

Sample = Callable[[str], str]


async def _press(pilot: Pilot[Any], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


def _line(pilot: Pilot[Any]) -> str:
    return pilot.app.screen.query_one("#log", LineList).selected_text()


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_the_log_opens_at_its_end_and_goes_back(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("amd64-cut-note.elf"), size=size) as pilot:
        await _press(pilot, "P")
        assert isinstance(pilot.app.screen, LogScreen)
        assert _line(pilot) == "[    2.498182]     TERM=linux"
        assert "356 lines" in shown(pilot) and "record 352, debug, the kernel, task 1" in shown(pilot)
        await _press(pilot, "home")
        assert "record 0, notice" in shown(pilot)
        await _press(pilot, "escape")
        assert main_screen(pilot).is_current


async def test_the_log_of_a_panicked_guest_opens_at_the_reason(sample: Sample) -> None:
    async with running(sample("amd64-panic.kdump")) as pilot:
        await _press(pilot, "P")
        assert _line(pilot).endswith("sysrq: Trigger a crash") and "The kernel panicked" in shown(pilot)
        assert "Call Trace:" in shown(pilot), "what follows the reason is in sight"
        await _press(pilot, "right_square_bracket")
        assert _line(pilot).endswith("Kernel panic - not syncing: sysrq triggered crash")
        assert ui_state(pilot.app, False).record == 238


async def test_search_goes_on_from_the_other_end(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        await _press(pilot, "P", "home", "slash")
        await type_text(pilot, "COMMAND LINE")
        await _press(pilot, "enter")
        first = _line(pilot)
        assert "Command line: console=ttyS0" in first
        await _press(pilot, "n")
        assert "ommand line" in _line(pilot) and _line(pilot) != first
        await _press(pilot, "N")
        assert _line(pilot) == first
        await _press(pilot, "slash", "ctrl+u")
        await type_text(pilot, "no such words")
        await _press(pilot, "enter")
        assert _line(pilot) == first and "no line has" in shown(pilot)


async def test_levels_and_a_file_of_what_is_shown(sample: Sample, tmp_path: Path) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(120, 36)) as pilot:
        await _press(pilot, "P", "l")
        rows = pilot.app.screen.query_one("#log", LineList).rows
        assert 0 < len(rows) < 100 and "warnings and worse" in shown(pilot)
        await _press(pilot, "s", "ctrl+u")
        await type_text(pilot, str(tmp_path / "out.txt"))
        await _press(pilot, "enter")
        assert len((tmp_path / "out.txt").read_text().splitlines()) == len(rows)
        await _press(pilot, "s", "ctrl+u")
        await type_text(pilot, str(tmp_path / "out.txt"))
        await _press(pilot, "enter")
        assert "exists" in hint(pilot), "the dialog stays for another name"
        await _press(pilot, "escape")
        await _press(pilot, "l", "l")
        assert len(pilot.app.screen.query_one("#log", LineList).rows) == 356


async def test_a_dump_without_a_note_shows_the_log_of_the_one_in_memory(sample: Sample) -> None:
    async with running(sample("amd64-cut-nonote.elf"), size=(120, 36)) as pilot:
        await _press(pilot, "P")
        assert _line(pilot) == "[    2.498182]     TERM=linux" and "no note" in shown(pilot)


async def test_what_has_no_log_is_said(sample: Sample) -> None:
    async with running(sample("amd64-note.elf-win4k"), size=(120, 36)) as pilot:
        await _press(pilot, "P")
        assert "cannot be read" in shown(pilot) and "printk ring" in shown(pilot)
    async with running(sample("good.entry"), size=(120, 36)) as pilot:
        await _press(pilot, "P")
        assert main_screen(pilot).is_current and "open a dump" in shown(pilot)


async def test_what_is_remarked_on_the_log_is_shown_whole(sample: Sample) -> None:
    async with running(sample("amd64-cut-nonote.elf"), size=(80, 24)) as pilot:
        await _press(pilot, "P")
        words = " ".join(shown(pilot).replace("|", " ").split())
        assert "356 lines" in shown(pilot) and "No line reports a panic, an oops or a warning" in words
        remarks = pilot.app.screen.query_one("#remarks", Static)
        assert " ".join(str(remarks.content).split()) in words
