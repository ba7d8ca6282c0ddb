"""Test the fault bench: choose faults by key and by mouse, see the verdicts, save, open."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.driving import main_screen, running, said, settled, shown, type_text
from vmci_tui.bench import DEFECTS, chosen
from vmci_tui.tui.screens.bench_screen import BenchScreen, DefectList
from vmci_tui.tui.widgets.status_line import StatusLine


def _screen(pilot: Pilot[Any]) -> BenchScreen:
    screen = pilot.app.screen
    assert isinstance(screen, BenchScreen)
    return screen


def _words(pilot: Pilot[Any]) -> str:
    return str(_screen(pilot).query_one("#words", Static).content)


async def _at(pilot: Pilot[Any], name: str) -> None:
    """Put the cursor on a defect."""
    screen = _screen(pilot)
    screen.query_one(DefectList).select(screen._lines.index(chosen([name])[0]))
    await pilot.pause()


async def _flip(pilot: Pilot[Any], *names: str) -> None:
    for name in names:
        await _at(pilot, name)
        await pilot.press("space")
        await settled(pilot)


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_the_strip_and_the_findings_follow_what_is_chosen(size: tuple[int, int]) -> None:
    async with running(size=size) as pilot:
        await pilot.press("X")
        await settled(pilot)
        lines = shown(pilot).split("\n")
        assert "x86_64, no fault" in lines[0] and "qemu ok" in lines[1] and "no>" not in lines[1]
        assert lines[0].startswith(" Craft") and lines[1].startswith(" qemu"), "in the column of the title"
        assert "[ ] E01 two-halves" in shown(pilot) and "no findings" in _words(pilot)
        await _flip(pilot, "size-11", "type-1")
        lines = shown(pilot).split("\n")
        assert "2 faults" in lines[0] and "qemu no" in lines[1] and "crash no" in lines[1] and "drgn ok" in lines[1]
        assert "Now 2 findings" in _words(pilot) and "rejected by: crash, makedumpfile, eu-readelf" in _words(pilot)
        assert "$ vmci craft --defect type-1,size-11" in shown(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert "1 fault," in shown(pilot).split("\n")[0]
        await pilot.press("x")
        await settled(pilot)
        assert "no fault" in shown(pilot).split("\n")[0]


async def test_by_mouse() -> None:
    async with running() as pilot:
        await pilot.press("X")
        await settled(pilot)
        await pilot.click(DefectList, offset=(2, 5))  # the box of the fourth line
        await settled(pilot)
        assert "[x] E02" in shown(pilot) and "1 fault," in shown(pilot)
        await pilot.click(DefectList, offset=(12, 8))
        await settled(pilot)
        assert "1 fault," in shown(pilot) and _words(pilot).startswith("E05 size-11")
        await pilot.click(DefectList, offset=(12, 8), times=2)
        await settled(pilot)
        assert "[x] E05" in shown(pilot)
        await pilot.click(DefectList, offset=(2, 1))  # a heading has no box
        await settled(pilot)
        assert "2 faults," in shown(pilot)


async def test_a_defect_without_effect_is_reported() -> None:
    async with running(size=(80, 24)) as pilot:
        await pilot.press("X")
        await _flip(pilot, "long-line", "empty")
        assert _words(pilot).startswith("T05 long-line does not show beside T10 empty")
        await pilot.press("space")
        await settled(pilot)
        assert "does not show" not in _words(pilot)


async def test_machines() -> None:
    async with running() as pilot:
        await pilot.press("X", "right")
        await settled(pilot)
        assert "a faulty dump: i386" in shown(pilot) and "Now 1 finding" in _words(pilot)
        await _flip(pilot, "byte-order")
        assert "a faulty dump: s390x, 1 fault" in shown(pilot) and "the guest is now s390x" in said(pilot)
        await _flip(pilot, "phys-base")
        assert "T16 phys-base can only be made on x86_64" in said(pilot) and "s390x, 1 fault" in shown(pilot)
        await pilot.press("right")
        await settled(pilot)
        assert "a faulty dump: x86_64, no fault" in shown(pilot)
        assert "1 of the faults cannot be made on x86_64" in said(pilot)


async def test_groups_by_key() -> None:
    async with running(size=(80, 24)) as pilot:
        await pilot.press("X", "right_square_bracket")
        await settled(pilot)
        assert _words(pilot).startswith("N01") and "The notes" in shown(pilot)
        await pilot.press("left_square_bracket", "left_square_bracket")
        await settled(pilot)
        assert _words(pilot).startswith("M01")


async def test_saving_shows_the_command_and_overwrites_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "made here"
    async with running(size=(80, 24)) as pilot:
        await pilot.press("X")
        await _flip(pilot, "size-11")
        await pilot.press("s")
        await settled(pilot)
        await type_text(pilot, str(folder))
        await pilot.press("enter")
        await settled(pilot)
        assert "saved E05.elf and its files" in said(pilot)
        assert json.loads((folder / "E05.manifest.json").read_text())["defects"][0]["name"] == "size-11"
        words = _screen(pilot).query_one("#status", StatusLine)._text  # a passing message lies over it
        assert words == f"$ vmci craft --defect size-11 -o '{folder}'"
        await pilot.press("s")
        await settled(pilot)
        await type_text(pilot, str(folder))
        await pilot.press("enter")
        await settled(pilot)
        assert "exists" in str(pilot.app.screen.query_one("#hint", Static).content)
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(pilot.app.screen, BenchScreen)


async def test_the_dump_is_opened_with_its_entry(tmp_path: Path) -> None:
    async with running(size=(120, 36)) as pilot:
        await pilot.press("X")
        await _flip(pilot, "size-11", "escape")
        await pilot.press("o")
        await settled(pilot)
        await type_text(pilot, str(tmp_path / "new"))
        await pilot.press("enter")
        await settled(pilot)
        document = main_screen(pilot).document
        assert document.state.entry is not None and document.state.entry.entry.size == 11
        assert "T01-E05.elf" in shown(pilot) and "E05" in shown(pilot)
        assert document.state.vmcoreinfo is not None and b"\x1b[31m" in document.state.vmcoreinfo.text
        assert "\x1b[31mred" not in shown(pilot)


async def test_saved_files_are_opened(tmp_path: Path) -> None:
    async with running(size=(80, 24)) as pilot:
        await pilot.press("X")
        await _flip(pilot, "no-note")
        await pilot.press("s")
        await settled(pilot)
        await type_text(pilot, str(tmp_path))
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("o")
        await settled(pilot)
        document = main_screen(pilot).document
        assert document.state.entry is None and document.state.note is None and "N01.elf" in shown(pilot)


async def test_from_the_start_screen_and_back() -> None:
    async with running(size=(80, 24)) as pilot:
        before = shown(pilot)
        assert "Craft a faulty dump" in before and "X Craft" in before
        await pilot.press("X", "escape")
        await settled(pilot)
        assert shown(pilot) == before


async def test_the_palette_has_it(sample: Callable[[str], str]) -> None:
    for files in ((), (sample("crlf.elf"),)):
        async with running(*files, size=(80, 24)) as pilot:
            titles = [command.title for command in pilot.app.get_system_commands(pilot.app.screen)]
            assert any("Craft a faulty dump" in title for title in titles)


async def test_help_describes_it() -> None:
    async with running(size=(80, 24)) as pilot:
        await pilot.press("X", "f1")
        await settled(pilot)
        seen = shown(pilot)
        assert "Help: Fault bench" in seen and "A good guest with the faults that you pick" in seen
        assert "Add or remove this fault" in seen
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(pilot.app.screen, BenchScreen)


async def test_over_an_open_file_and_back(sample: Callable[[str], str]) -> None:
    async with running(sample("crlf.elf"), size=(80, 24)) as pilot:
        await pilot.press("X", "X")
        await settled(pilot)
        assert "Craft a faulty dump" in shown(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert main_screen(pilot) is pilot.app.screen and "crlf.elf" in shown(pilot)


async def test_every_key_has_a_description_and_a_name() -> None:
    for binding in BenchScreen.BINDINGS:
        assert binding.id and binding.tooltip, binding  # type: ignore[union-attr]
    assert len(DEFECTS) == len({item.name for item in DEFECTS})


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_what_does_not_go_together_is_named(size: tuple[int, int]) -> None:
    async with running(size=size) as pilot:
        await pilot.press("X")
        await _flip(pilot, "15-bytes")
        assert "E01 two-halves           not with 15-bytes: " in shown(pilot), "it would be undone"
        assert "E02 never-written        not with 15-bytes: " in shown(pilot), "it would hide 15-bytes"
        await _flip(pilot, "two-halves")
        assert _words(pilot).startswith("E01 two-halves does not go with E01 15-bytes: remove one of them")
        await pilot.press("x", "right")
        await settled(pilot)
        assert "not with" not in shown(pilot)
        await _at(pilot, "phys-base")
        assert "T16 phys-base            only on x86_64: " in shown(pilot)


async def test_the_filter_shows_only_faults_with_a_text() -> None:
    async with running(size=(80, 24)) as pilot:
        await pilot.press("X")
        await pilot.press("slash", *"halves")
        await settled(pilot)
        names = [line.name for line in _screen(pilot)._lines if not isinstance(line, str)]
        assert "two-halves" in names and len(names) < 5 and _words(pilot).startswith("E01")
        await pilot.press("enter", "space")
        await settled(pilot)
        assert "[x] E01 two-halves" in shown(pilot) and "1 fault," in shown(pilot)
        await pilot.press("slash")
        await type_text(pilot, "no such text")
        await pilot.press("enter", "space")
        assert "no fault has this text" in shown(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert len(_screen(pilot)._lines) > len(DEFECTS)
        await pilot.press("escape")
        await settled(pilot)
        assert not isinstance(pilot.app.screen, BenchScreen)
