"""Test where the panes are: nothing overlaps, all room is used, and what is on which screen."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pytest

from tests.tui.driving import main_screen, running, settled, shown, until
from vmci_tui.tui.panes.entry import EntryList
from vmci_tui.tui.panes.hex import HexPane
from vmci_tui.tui.panes.notes import NotesList
from vmci_tui.tui.panes.pane_table import PANES
from vmci_tui.tui.panes.readers import ReadersPane
from vmci_tui.tui.space.arrangement import Box, arrange

Sample = Callable[[str], str]
_DUMP = ("findings", "readers", "notes", "keys", "hex")
_ROWS = {"readers": 10, "notes": 8, "inspector": 13, "entry": 9}
_SIZES = [(112, 20), (120, 30), (147, 30), (160, 39), (200, 54), (300, 74)]


def _overlap(one: Box, other: Box) -> bool:
    across = one.x < other.x + other.width and other.x < one.x + one.width
    return across and one.y < other.y + other.height and other.y < one.y + one.height


@pytest.mark.parametrize("more", [(), ("entry",), ("inspector",), ("about", "inspector", "entry")])
@pytest.mark.parametrize(("width", "height"), _SIZES)
def test_panes_fill_the_room_without_overlap(width: int, height: int, more: tuple[str, ...]) -> None:
    names = [name for name in (*_DUMP, *more) if not ("about" in more and name == "findings" and width < 160)]
    boxes = arrange(width, height, names, _ROWS)
    assert set(boxes) == set(names)
    assert sum(box.width * box.height for box in boxes.values()) == width * height
    assert not [pair for pair in combinations(boxes, 2) if _overlap(boxes[pair[0]], boxes[pair[1]])]


def test_one_pane_has_all_room() -> None:
    assert arrange(80, 16, ["keys"], {}) == {"keys": (0, 0, 80, 16)}


@pytest.mark.parametrize(("width", "height"), _SIZES)
def test_the_numbers_follow_the_reading_order(width: int, height: int) -> None:
    """From top to bottom in each column, the columns from the left; at two columns findings and readers are first."""
    boxes = arrange(width, height, _DUMP, _ROWS)
    if width >= 160:
        assert sorted(_DUMP, key=lambda name: (boxes[name].x, boxes[name].y)) == list(_DUMP)
    else:
        assert (boxes["findings"].y, boxes["readers"].y, boxes["readers"].height) == (0, 0, boxes["findings"].height)
        assert boxes["findings"].x < boxes["readers"].x and boxes["notes"].y < boxes["keys"].y
    numbers = [pane.number for pane in PANES if pane.number]
    assert numbers == sorted(numbers) and [pane.name for pane in PANES[:5]] == list(_DUMP)


def test_the_bytes_are_as_wide_as_the_text_allows() -> None:
    assert [arrange(width, 30, _DUMP, _ROWS)["hex"].width for width in (120, 150, 160, 200)] == [47, 79, 47, 79]


def test_the_inspector_has_room_for_its_numbers() -> None:
    for width in (120, 160, 191, 192, 200):
        boxes = arrange(width, 40, (*_DUMP, "inspector"), _ROWS)
        assert boxes["inspector"].width >= 76 and boxes["keys"].width >= 40, width


def test_without_a_text_the_findings_have_its_room() -> None:
    boxes = arrange(120, 30, _DUMP, _ROWS | {"keys": 4})
    assert boxes["keys"].height == 4 and boxes["findings"].height == 30 - 4 - boxes["notes"].height


@pytest.mark.parametrize("more", [(), ("tree", "map", "inspector"), ("entry", "qemu")])
def test_without_a_text_no_column_of_a_wide_screen_is_empty(more: tuple[str, ...]) -> None:
    for width in (160, 200, 260):
        rows = _ROWS | {"keys": 4, "map": 8, "tree": 16, "qemu": 10}
        boxes = arrange(width, 55, (*_DUMP, *more), rows)
        assert boxes["keys"].height == 4 and boxes["hex"].width == 79
        assert sum(box.width * box.height for box in boxes.values()) == width * 55
        assert width < 192 or "tree" not in boxes or boxes["tree"].height == 55


async def test_notes_are_a_table_with_a_header(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        rows = shown(pilot).split("\n")
        head = next(at for at, row in enumerate(rows) if "# name" in row and "CPU  length  offset" in row)
        notes = main_screen(pilot).query_one(NotesList)
        assert "".join(text for text, _ in notes.rows[1]).split() == ["1", "CORE", "NT_PRSTATUS", "1", "336", "0x444"]
        assert "".join(text for text, _ in notes.rows[4]).split()[:4] == ["4", "VMCOREINFO", "109", "lines"]
        await pilot.click(NotesList, offset=(5, 2))  # the first line below border and header
        await settled(pilot)
        assert notes.cursor == notes.top and head


async def test_readers_have_a_pane_with_their_own_words(sample: Sample) -> None:
    async with running(sample("crlf.elf")) as pilot:
        assert "1 Findings" in shown(pilot) and "2 Readers" in shown(pilot)
        readers = main_screen(pilot).query_one(ReadersPane)
        lines = {"".join(text for text, _ in row).split()[0]: "".join(text for text, _ in row) for row in readers.rows}
        assert lines["crash"].split(maxsplit=2)[1:] == ["ok", '"6.1.0-56-amd64\\x0d"']
        assert lines["libkdumpfile"].endswith("same as drgn") and "no entry open" in lines["qemu"]
        await pilot.press("1", "home", "f")
        await settled(pilot)
        assert "no    -> opens" in "".join(text for text, _ in readers.rows[1])
        await pilot.press("2", "home", "enter")
        await settled(pilot)
        assert pilot.app.screen.lesson_name == "readers"  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_an_entry_has_a_pane_only_where_one_is_open(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("amd64-cut-note.elf"), size=size) as pilot:
        assert not main_screen(pilot).query_one(EntryList).display
        await pilot.press("7")
        assert "Entry" not in shown(pilot)
    async with running(sample("amd64-cut-note.elf"), sample("good.entry"), size=size) as pilot:
        await pilot.press("7")
        await settled(pilot)
        assert "7 Entry" in shown(pilot) and isinstance(pilot.app.focused, EntryList)


async def test_bytes_have_sixteen_in_a_row_where_there_is_room(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(200, 60)) as pilot:
        assert main_screen(pilot).query_one(HexPane).per_row == 16
        await pilot.resize_terminal(120, 36)
        view = main_screen(pilot).query_one(HexPane)
        await until(pilot, lambda: view.per_row == 8)  # once the inspector is closed
        assert view.per_row == 8
