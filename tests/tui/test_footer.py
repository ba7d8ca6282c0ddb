"""Test the footer: it shows the keys that work and make sense now, and is never cut without a sign."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from tests.tui.driving import main_screen, running, settled, shown
from vmci_tui.tui.screens.help_screen import HelpScreen
from vmci_tui.tui.screens.readers_screen import ReadersScreen
from vmci_tui.tui.widgets.key_footer import FooterKey, FooterKeys

Sample = Callable[[str], str]


def _footer(pilot: Pilot[None]) -> str:
    return shown(pilot).split("\n")[-1]


def _key(label: str) -> FooterKey:
    return FooterKey(label[0], label[0], label)


def test_the_longer_side_loses_its_last_key_first() -> None:
    keys = FooterKeys((_key("Edit"), _key("New key"), _key("Delete")), (_key("Save"), _key("Undo")), (_key("Help"),))
    assert keys.fitted(80) == keys
    assert [key.label for key in keys.fitted(45).here] == ["Edit", "New key"]
    few = keys.fitted(20)
    assert (few.here, few.always) == ((_key("Edit"),), (_key("Help"),))
    assert keys.fitted(1) == FooterKeys((), (), keys.always)


@pytest.mark.parametrize("size", [(30, 10), (80, 24), (120, 36), (200, 60)])
async def test_the_footer_ends_with_quit_and_help_in_every_pane(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("x86_64-linux-good.elf"), sample("x86_64-linux-good.entry"), size=size) as pilot:
        for number in range(1, 6):
            await pilot.press(str(number))
            await settled(pilot)
            line = _footer(pilot)
            assert "q Quit" in line and ("F1 more" in line or "F1 Help" in line) and ".." not in line, (number, line)


async def test_the_footer_shows_what_makes_sense_now(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(200, 60)) as pilot:
        await pilot.press("4")
        await settled(pilot)
        for label in ("s Save", "u Undo", "Redo", "R Repair"):
            assert label not in _footer(pilot), label
        await pilot.press("d")
        await settled(pilot)
        line = _footer(pilot)
        assert "s Save" in line and "u Undo" in line and "Redo" not in line
        await pilot.press("u")
        await settled(pilot)
        line = _footer(pilot)
        assert "s Save" not in line and "u Undo" not in line and "Redo" in line


async def test_repair_is_shown_where_there_is_something_to_repair(sample: Sample) -> None:
    async with running(sample("crlf.elf")) as pilot:
        main_screen(pilot).session.settled()
        await settled(pilot)
        assert "R Repair" in _footer(pilot)


async def test_keys_of_a_finding_depend_on_the_finding(sample: Sample) -> None:
    async with running(sample("amd64-cut-nonote.elf"), size=(120, 36)) as pilot:
        screen = main_screen(pilot)
        await pilot.press("1")
        await settled(pilot)
        for finding in screen.session.found:
            line = _footer(pilot)
            assert ("f Fix" in line) == (finding.fix is not None), finding
            assert ("Enter Show" in line) == (finding.span is not None), finding
            await pilot.press("down")
            await settled(pilot)


async def test_a_dialog_shows_its_own_keys(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(80, 24)) as pilot:
        await pilot.press("4", "enter")
        await settled(pilot)
        line = _footer(pilot)
        assert "Enter OK" in line and "Esc Cancel" in line and "Quit" not in line
        await pilot.press("tab")
        await settled(pilot)
        assert "Enter OK" in _footer(pilot)
        await pilot.press("tab")
        await settled(pilot)
        assert "Enter Cancel" in _footer(pilot)
        await pilot.press("f1")
        await settled(pilot)
        assert isinstance(pilot.app.screen, HelpScreen) and "Close" in _footer(pilot)


async def test_a_click_presses_the_key(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(120, 36)) as pilot:
        await pilot.press("4")
        await settled(pilot)
        await pilot.click(offset=(_footer(pilot).index("v Readers") + 3, 35))
        await settled(pilot)
        assert isinstance(pilot.app.screen, ReadersScreen)


async def test_an_entry_is_opened_once(sample: Sample) -> None:
    async with running(sample("x86_64-linux-good.elf"), sample("x86_64-linux-good.entry")) as pilot:
        await pilot.press("2")
        await settled(pilot)
        line = _footer(pilot)
        assert "Enter Verdict" in line and "Open entry" not in line
