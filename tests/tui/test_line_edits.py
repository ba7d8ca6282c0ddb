"""Test moving, duplicating and renaming keys and notes, and overwriting bytes: each is one step of undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.driving import main_screen, running, said, settled, shown, type_text
from vmci_tui.tui.panes.hex import HexPane
from vmci_tui.tui.panes.keys import KeysList
from vmci_tui.tui.panes.notes import NotesList
from vmci_tui.tui.widgets.status_line import StatusLine

Sample = Callable[[str], str]


def _keys(pilot: Pilot[Any]) -> list[bytes | None]:
    text = main_screen(pilot).document.state.vmcoreinfo
    assert text is not None
    return [line.key for line in text.lines]


async def test_lines_are_moved_duplicated_and_renamed(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(80, 24)) as pilot:
        screen = main_screen(pilot)
        opened = _keys(pilot)
        await pilot.press("4", "alt+up")
        assert "is already first" in said(pilot)
        await pilot.press("alt+down", "alt+down")
        assert _keys(pilot)[:3] == [opened[1], opened[2], opened[0]]
        assert screen.query_one(KeysList).cursor == 2
        start, end = screen.query_one(HexPane).highlight
        assert screen.document.read(start, end - start).startswith(b"OSRELEASE=")
        await pilot.press("shift+up")
        assert _keys(pilot)[:3] == [opened[1], opened[0], opened[2]]
        await pilot.press("D")
        assert _keys(pilot)[1:3] == [opened[0], opened[0]] and screen.query_one(KeysList).cursor == 2
        await pilot.press("f2")
        await type_text(pilot, "OSRELEASE2")
        await pilot.press("enter")
        await settled(pilot)
        assert _keys(pilot)[2] == b"OSRELEASE2"
        assert len(screen.document.labels) == 5
        for _ in range(5):
            await pilot.press("u")
        assert screen.document.state == screen.document.opened


async def test_notes_are_moved_and_duplicated(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        screen = main_screen(pilot)
        last = len(screen.document.state.notes) - 1
        await pilot.press("3", "end", "alt+up")
        await settled(pilot)
        assert screen.document.state.index == last - 1 and screen.query_one(NotesList).cursor == last - 1
        await pilot.press("D")
        await settled(pilot)
        assert [n.is_vmcoreinfo for n in screen.document.state.notes[-3:]] == [True, True, False]
        assert "N05" in shown(pilot), "two notes of that name are found out"
        await pilot.press("u", "u")
        assert screen.document.state == screen.document.opened


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_bytes_of_a_note_are_typed_over(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("amd64-cut-note.elf"), size=size) as pilot:
        screen = main_screen(pilot)
        view = screen.query_one(HexPane)
        await pilot.press("4", "down", "down", "5", "right_square_bracket")
        at = view.cursor
        assert screen.document.read(at, 4) == b"4096"
        await pilot.press("enter", "3")
        assert "3_" in shown(pilot) and "Esc ends" in shown(pilot)
        await pilot.press(*"83139")
        await settled(pilot)
        assert screen.document.read(view.cursor - 3, 4) == b"8196", "the digits of other panes are digits here"
        assert len(screen.document.labels) == 1, "a run is one step"
        assert "$ vmci set " in shown(pilot) and "PAGESIZE=8196" in screen.query_one("#status", StatusLine)._text
        assert "write 38 31 39 at byte" in screen.document.labels[0]
        assert "T1" in shown(pilot) or "T2" in shown(pilot) or "1 Findings (" in shown(pilot)
        await pilot.press("left", *"3a")
        assert len(screen.document.labels) == 2, "elsewhere begins another step"
        await pilot.press("escape", "5")
        assert not view.writing and view.has_focus
        await pilot.press("u", "u")
        assert screen.document.state == screen.document.opened


async def test_a_notes_header_is_typed_over_too(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        screen = main_screen(pilot)
        index = screen.document.state.index
        assert index is not None
        screen.query_one(HexPane).arrive(screen.document.layout.note_offsets[index], 4)
        await pilot.press("5", "enter", "f", "f", "f", "f", "escape")
        await settled(pilot)
        broken = screen.document.state.notes[-1]
        assert broken.broken is not None and "namesz 65535" in broken.broken
        assert screen.document.state.note is None and "N0" in shown(pilot)
        await pilot.press("u")
        assert screen.document.state == screen.document.opened


async def test_bytes_outside_a_note_are_not_typed_over(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        screen = main_screen(pilot)
        view = screen.query_one(HexPane)
        await pilot.press("5", "ctrl+end", "enter")
        assert "guest memory is never edited" in said(pilot) and not view.writing
        await pilot.press("ctrl+home", "enter")
        assert "each save writes these bytes again" in said(pilot) and not view.writing
        index = screen.document.state.index
        assert index is not None
        layout = screen.document.layout
        screen.query_one(HexPane).arrive(layout.note_offsets[index] + len(layout.notes[index].raw) - 1, 1)
        await pilot.press("enter", *"0000")
        await settled(pilot)
        assert view.writing and not screen.document.modified, "zeros over zeros change nothing; memory follows"


async def test_the_entry_is_typed_over(sample: Sample) -> None:
    async with running(sample("good.entry")) as pilot:
        screen = main_screen(pilot)
        await pilot.press("3", "ctrl+home", "enter", *"0100", "escape")
        await settled(pilot)
        entry = screen.document.state.entry
        assert entry is not None and entry.entry.host_format == 1 and entry.present
        await pilot.press("u")
        assert screen.document.state == screen.document.opened
