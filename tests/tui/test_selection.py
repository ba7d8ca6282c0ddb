"""Test selecting bytes in the hex view, by keys and by mouse, and copying them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.driving import main_screen, running, said, settled, shown
from vmci_tui.tui.panes.hex import HexPane
from vmci_tui.tui.widgets.hex_view import HexView

Sample = Callable[[str], str]
_AT = 10
"""Cells before the first byte."""


async def _at_start(pilot: Pilot[Any]) -> HexPane:
    await pilot.press("5", "ctrl+home")
    await settled(pilot)
    return pilot.app.screen.query_one(HexPane)


def _selected(pilot: Pilot[Any]) -> bytes:
    piece = main_screen(pilot).query_one(HexPane).selection_reader()()
    assert piece is not None
    return piece.data


async def test_by_keys_and_back_to_the_field(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        view = await _at_start(pilot)
        await pilot.press("right", "shift+right", "shift+right", "shift+down")
        last = 3 + view.per_row
        assert view.highlight == (1, last + 1) and view.cursor == last
        assert f"{last} = {last:#x} bytes selected, 0x1 to {last:#x}" in shown(pilot)
        assert _selected(pilot) == view.document.read(1, last)
        await pilot.press("shift+up", "shift+left", "shift+left", "shift+left")
        assert view.highlight == (0, 2) and view.cursor == 0, "over where it began"
        await pilot.press("c")
        assert pilot.app.clipboard == "00000000: 7F 45                                             .E"
        await pilot.press("shift+left", "shift+up")
        assert view.highlight == (0, 2), "there is nothing before"
        await pilot.press("right")
        assert view.highlight == (0, 4) and "selected" not in shown(pilot), "the field again, the magic"
        await pilot.press("shift+right", "4", "down", "5")
        await settled(pilot)
        assert not view.selected, "another pane points somewhere else"


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_by_mouse(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("amd64-cut-note.elf"), size=size) as pilot:
        view = await _at_start(pilot)
        await pilot.mouse_down(view, offset=(1 + _AT + 3 * 4, 2))
        assert view.cursor == 4 and not view.selected
        await pilot.hover(view, offset=(1 + _AT + 3 * 6, 4))
        await pilot.mouse_up(view, offset=(1 + _AT + 3 * 6, 4))
        await pilot.pause()
        last = 6 + 2 * view.per_row
        assert view.highlight == (4, last + 1) and view.cursor == last
        assert _selected(pilot) == view.document.read(4, last - 3)
        await pilot.hover(view, offset=(1 + _AT, 7))
        assert view.highlight == (4, last + 1), "the button is up"
        await pilot.click(view, offset=(1 + _AT + 3 * 2, 3))
        assert not view.selected and view.cursor == 2 + view.per_row
        await pilot.click(view, offset=(5, 0))
        assert view.cursor == 2 + view.per_row, "that is the frame"
        await pilot.click(view, offset=(1 + _AT, 1))
        assert view.cursor == 2 + view.per_row, "that is the header"


async def test_a_dialog_ends_a_selection_by_mouse(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        view = await _at_start(pilot)
        await pilot.mouse_down(view, offset=(1 + _AT + 3 * 4, 2))
        await pilot.press("g")
        await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)
        await pilot.hover(view, offset=(1 + _AT + 3 * 6, 4))
        await pilot.pause()
        assert view.cursor == 4 and not view.selected


async def test_the_view_scrolls_when_the_mouse_goes_below_it(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(80, 24)) as pilot:
        view = await _at_start(pilot)
        rows = view.size.height
        await pilot.mouse_down(view, offset=(1 + _AT, 2))
        for _ in range(3):
            await pilot.hover("#status", offset=(5 + _AT, 0))
            await pilot.hover("#status", offset=(6 + _AT, 0))
        assert view.top > 0 and view.highlight[0] == 0 and view.highlight[1] > rows * 16


async def test_a_selection_too_large_for_the_clipboard_is_reported(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        view = await _at_start(pilot)
        view.select_to(100_000)
        await pilot.press("c")
        assert "only the first 65536 bytes" in said(pilot)
        await pilot.press("C")
        await settled(pilot)
        assert "Copy the first 64 KiB of the highlighted bytes, 65536 bytes, as" in shown(pilot)


async def test_guest_memory_is_copied_too(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        await pilot.press("M")
        await settled(pilot)
        view = pilot.app.screen.query_one(HexView)
        start = view.cursor
        await pilot.press("shift+right", "shift+right")
        assert f"3 = 0x3 bytes selected, {start:#x} to {start + 2:#x}" in shown(pilot)
        await pilot.press("c")
        assert pilot.app.clipboard.startswith(f"{start:08X}: ") and "copied" in said(pilot)
        await pilot.press("C")
        await settled(pilot)
        assert "C array" in shown(pilot)
