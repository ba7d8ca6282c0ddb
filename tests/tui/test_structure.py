"""Test the structure of the file in the app: the tree and the hex view follow each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.dumps import factory
from tests.tui.driving import main_screen, running, settled, shown, type_text
from vmci_tui.tui.panes.hex import HexPane
from vmci_tui.tui.screens.structure_screen import StructureBytes, StructureScreen
from vmci_tui.tui.widgets.structure_list import StructureList

Sample = Callable[[str], str]


async def _press(pilot: Pilot[Any], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


def _names(pilot: Pilot[Any]) -> str:
    return pilot.app.screen.query_one(StructureList).names()


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_from_a_note_down_to_a_register_and_back(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("amd64-cut-note.elf"), size=size) as pilot:
        await _press(pilot, "3", "home", "S")
        assert _names(pilot) == "notes / note 0: CORE / namesz"
        await _press(pilot, *["down"] * 4, "enter", "down")
        assert _names(pilot) == "notes / note 0: CORE / descriptor / si_signo"
        assert "the signal that stopped it" in shown(pilot) or size[0] == 80
        view = pilot.app.screen.query_one(StructureBytes)
        assert view.highlight == (view.cursor, view.cursor + 4) and f"offset {view.cursor:#x}" in shown(pilot)
        at = view.cursor
        await _press(pilot, "left", "left", "left")
        assert _names(pilot) == "notes / note 0: CORE", "closed, then the row around it"
        await _press(pilot, "left", "right", "right", "down", "right")
        assert _names(pilot) == "notes / note 0: CORE / descsz", "opened, and into it; a field does not open"
        await _press(pilot, "escape")
        screen = main_screen(pilot)
        assert screen.is_current and screen.focused is screen.query_one(HexPane)
        assert screen.query_one(HexPane).cursor == 0x2E4 < at, "descsz"


async def test_moving_in_the_hex_view_moves_the_rows(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        await _press(pilot, "5", "ctrl+home", "S")
        assert _names(pilot) == "ELF header / magic"
        await _press(pilot, "tab", "down")
        assert _names(pilot) == "ELF header / e_type"
        await _press(pilot, "g")
        await type_text(pilot, "0x41c")
        await _press(pilot, "enter")
        assert _names(pilot).startswith("notes / note 0: CORE / descriptor / ")
        await _press(pilot, "ctrl+end")
        assert "guest memory from paddr" in shown(pilot), "in no row"
        await _press(pilot, "escape")
        assert main_screen(pilot).query_one(HexPane).cursor == main_screen(pilot).document.layout.image.size - 1


async def test_leaving_without_a_move_changes_nothing(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        screen = main_screen(pilot)
        focused, view = screen.focused, screen.query_one(HexPane)
        before = view.cursor, view.highlight
        await _press(pilot, "S")
        assert isinstance(pilot.app.screen, StructureScreen) and _names(pilot).endswith("descriptor / OSRELEASE")
        await _press(pilot, "S")
        assert screen.is_current and screen.focused is focused and (view.cursor, view.highlight) == before


async def test_an_entry_and_a_hostile_name(sample: Sample, tmp_path: Path) -> None:
    async with running(sample("good.entry")) as pilot:
        await _press(pilot, "S", "home", "right")
        assert _names(pilot) == "entry / host_format"
    path = tmp_path / "hostile.elf"
    path.write_bytes(factory.elf((factory.note(b"x" * 8, b"\x1b[31m[red]\0", 7),)))
    async with running(str(path)) as pilot:
        await _press(pilot, "S", "left", "left", "down", "down")
        assert _names(pilot).startswith("note 0: \\x1b[31m[red]")


async def test_a_row_is_copied_and_many_headers_open_at_once(tmp_path: Path) -> None:
    path = tmp_path / "many.elf"
    path.write_bytes(factory.elf(loads=[factory.Load(0x1000 * at, b"") for at in range(30_000)]))
    async with running(str(path)) as pilot:
        await _press(pilot, "5", "g")
        await type_text(pilot, hex(64 + 56 * 20_000 + 24))
        await _press(pilot, "enter", "S")
        assert _names(pilot).endswith("19968 to 20223 / program header 20000 / p_paddr")
        await _press(pilot, "c")
        assert "p_paddr" in pilot.app.clipboard
