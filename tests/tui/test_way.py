"""Finding one's way: the inspector, the status line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.tui.driving import main_screen, running, said, settled, shown
from vmci_tui.tui.inspecting import Inspector
from vmci_tui.tui.panes import HexPane
from vmci_tui.tui.statusline import StatusLine

Sample = Callable[[str], str]


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_the_inspector_follows_the_cursor(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("amd64-cut-note.elf"), size=size) as pilot:
        screen = main_screen(pilot)
        await pilot.press("3", "I")
        await settled(pilot)
        assert screen.focused is screen.query_one(HexPane)
        await pilot.press("ctrl+home")
        await settled(pilot)
        seen = shown(pilot)
        assert "offset 0x0 = 0" in seen and "ELF header: magic, byte 1 of 4" in seen
        assert "32 bit little" in seen and str(int.from_bytes(b"\x7fELF", "little")) in seen
        assert "64 bit big" in seen and "0x7f454c4602010100" in seen
        await pilot.press("right")
        assert "byte 2 of 4" in shown(pilot)
        await pilot.press("I")
        await settled(pilot)
        assert "64 bit big" not in shown(pilot)


async def test_a_number_is_followed_to_memory(sample: Sample) -> None:
    async with running(sample("x86_64-linux-good.entry")) as pilot:
        await pilot.press("5", "I", "home", "down")
        await settled(pilot)
        assert "16 bit little" in shown(pilot) and "entry: " in shown(pilot)
    async with running(sample("amd64-cut-note.elf")) as pilot:
        screen = main_screen(pilot)
        layout = screen.document.layout
        header = next(r for r in layout.regions if r.kind == "segments")
        await pilot.press("5", "I")
        screen._arrive(header.offset + layout.record + 24, 8)  # p_paddr of the second program header
        await settled(pilot)
        assert "p_paddr" in shown(pilot)
        pane = screen.query_one(Inspector)
        pane.focus()
        await pilot.press("home", "enter")
        assert "put the cursor on a number" in said(pilot)
        await pilot.press("end", "up", "enter")  # 64 bit little
        await settled(pilot)
        view = screen.query_one(HexPane)
        number = layout.memory.paddr_of(view.cursor)
        assert number is not None and layout.memory.range_at(number).paddr == number  # type: ignore[union-attr]


async def test_the_status_line_says_file_addresses_and_edits(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(200, 60)) as pilot:
        screen = main_screen(pilot)
        last = screen.document.layout.image.size - 1
        paddr = screen.document.layout.memory.paddr_of(last)
        await pilot.press("5", "ctrl+end")
        line = screen.query_one("#status", StatusLine).render_line(0).text
        assert f"offset {last:#x} = {last}  paddr {paddr:#x} = {paddr}" in line
        assert "amd64-cut-note.elf  elf  not modified" in line
        await pilot.press("x")
        await settled(pilot)
        assert "amd64-cut-note.elf  elf  modified" in shown(pilot)
