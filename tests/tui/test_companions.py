"""Test the panes that open by themselves where there is room, and follow the others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.driving import main_screen, running, settled, shown, until
from vmci_tui.tui.companions.inspector import Inspector
from vmci_tui.tui.companions.structure_column import StructureColumn
from vmci_tui.tui.panes.hex import HexPane
from vmci_tui.tui.panes.panes import Panes
from vmci_tui.tui.space.arrangement import arrange
from vmci_tui.tui.space.companions import companions

Sample = Callable[[str], str]


def test_what_has_room_at_which_size() -> None:
    assert companions(200, 60, True, False) == {"about", "inspector", "map", "tree"}
    assert companions(200, 60, False, True) == {"inspector", "map"}
    assert companions(160, 45, True, True) == {"about"}
    assert companions(120, 36, True, False) == companions(200, 30, True, False) == frozenset()
    names = ["findings", "readers", "notes", "keys", "hex"]
    for width, height in product(range(160, 320, 8), range(40, 90, 10)):
        rows = {"readers": 10, "notes": 9, "map": 9, "inspector": 15}
        for entry in (False, True):
            shown = [*names, *companions(width, height, True, entry), *(("entry", "qemu") if entry else ())]
            boxes = arrange(width, height - 5, shown, {**rows, "tree": 16, "entry": 14, "qemu": 10})
            assert min(box.height for box in boxes.values()) >= 4, (width, height)
            assert boxes["hex"].height >= 14 and boxes["keys"].height >= 7, (width, height, entry)
            assert ("tree" in boxes and boxes["tree"].x != boxes["hex"].x) == (width >= 256)
            taken = sum(box.width * box.height for box in boxes.values())
            assert taken == width * (height - 5), "no cell is empty, and none has two panes"


async def test_they_open_by_themselves_follow_and_stay_closed(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(200, 60)) as pilot:
        screen = main_screen(pilot)
        panes, view = screen.query_one(Panes), screen.query_one(HexPane)
        await until(pilot, lambda: all(map(panes.is_open, ("about", "inspector", "map", "tree"))))
        await until(pilot, lambda: "File map" in shown(pilot))
        assert "guest memory" in shown(pilot)
        await pilot.press("4", "down", "down")
        about = screen.query_one("#about-text", Static)
        await until(pilot, lambda: "PAGESIZE" in str(about.content))
        inspector = screen.query_one(Inspector)
        assert inspector.inspected is not None and inspector.inspected.offset == view.cursor
        await pilot.press("5", "ctrl+home")
        await until(pilot, lambda: inspector.inspected is not None and inspector.inspected.offset == 0)
        await pilot.press("escape")
        assert not panes.is_open("inspector") and panes.is_open("about"), "of the bytes"
        await pilot.press("4", "escape")
        screen.session.judge(1)
        await settled(pilot)
        assert not panes.is_open("about") and not panes.is_open("inspector"), "also after the next judgement"
        await pilot.press("i")
        assert panes.is_open("about")


async def test_less_room_closes_what_no_key_opened(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(120, 36)) as pilot:
        panes = main_screen(pilot).query_one(Panes)
        await pilot.press("4", "i")
        await settled(pilot)
        assert panes.is_open("about") and not panes.is_open("map")
        await pilot.resize_terminal(200, 60)
        await until(pilot, lambda: panes.is_open("map"))
        await pilot.resize_terminal(120, 36)
        await until(pilot, lambda: not panes.is_open("map"))
        assert panes.is_open("about") and not panes.is_open("inspector")


@pytest.mark.parametrize("name", ["amd64-cut-nonote.elf"])
async def test_the_map_shows_where_the_parts_will_be(sample: Sample, name: str) -> None:
    async with running(sample(name), size=(200, 60)) as pilot:
        panes = main_screen(pilot).query_one(Panes)
        await until(pilot, lambda: panes.is_open("map"))
        assert not panes.is_open("about"), "there is no text"
        await pilot.press("R")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        await until(pilot, lambda: "File map: now and once saved" in shown(pilot))
        row = next(line for line in shown(pilot).splitlines() if "KiB    VMCOREINFO note" in line)
        assert "+      -  0x940  3.2 KiB    VMCOREINFO note" in row
        await pilot.click("#map", offset=(20, 3))
        await settled(pilot)
        assert main_screen(pilot).query_one(HexPane).cursor == 0x40


@pytest.mark.parametrize("size", [(200, 60), (260, 50)])
async def test_the_structure_and_the_bytes_follow_each_other(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("amd64-cut-note.elf"), size=size) as pilot:
        screen = main_screen(pilot)
        panes, view = screen.query_one(Panes), screen.query_one(HexPane)
        await pilot.press("5", "ctrl+home")
        await until(pilot, lambda: panes.is_open("tree") and "e_type" in shown(pilot))
        assert "ELF header" in shown(pilot) and "e_machine" in shown(pilot)
        tree = screen.query_one(StructureColumn)
        tree.focus()
        while (node := tree.node()) is not None and node.name != "e_machine":
            await pilot.press("down")
        assert view.cursor == 18 and view.highlight == (18, 20)
        await pilot.press("u")  # nothing to undo: the rows stay
        assert tree.node() is node
        await pilot.press("4", "down")
        await until(pilot, lambda: "BUILD-ID" in str(tree.rows[tree.cursor]))
        assert "e_machine" not in str([*tree.rows]), "only what leads to the byte is open"


def _is_shown(pilot: Pilot[None], words: str) -> bool:
    return words in shown(pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_what_is_under_the_cursor_is_explained_in_every_pane(sample: Sample, size: tuple[int, int]) -> None:
    expected = {
        "1": "Explain: finding T02",
        "2": "Explain: reader crash",
        "3": "Explain: note 4",
        "4": "Explain: OSRELEASE",
        "5": "Explain: OSRELEASE",
    }
    async with running(sample("crlf.elf"), size=size) as pilot:
        panes = main_screen(pilot).query_one(Panes)
        await pilot.press("i")
        for key, words in expected.items():
            await pilot.press(key)
            await until(pilot, partial(_is_shown, pilot, words))
            assert words in shown(pilot)
            box = main_screen(pilot).query_one(f"#{main_screen(pilot)._active}")
            assert box.has_focus and box.size.height > 1 and "(i or Esc closes)" in shown(pilot)
            assert key not in "134" or "i Explain" in shown(pilot).splitlines()[-1]
        await pilot.press("ctrl+home")
        await until(pilot, lambda: "ELF header / magic" in shown(pilot))
        assert "every reader begins here" in " ".join(str(panes.query_one("#about-text", Static).content).split())
        await pilot.press("escape")
        assert not panes.is_open("about")


async def test_a_row_of_the_structure_is_explained(sample: Sample) -> None:
    async with running(sample("crlf.elf"), size=(260, 50)) as pilot:
        panes = main_screen(pilot).query_one(Panes)
        await until(pilot, lambda: panes.is_open("tree") and panes.is_open("about"))
        await pilot.press("5", "ctrl+home")
        await until(pilot, lambda: "e_type" in shown(pilot))
        tree = panes.query_one(StructureColumn)
        tree.focus()
        tree.select(next(at for at, row in enumerate(tree.outline) if row.node.name == "program headers"))
        await pilot.press("enter", "down")
        await until(pilot, lambda: "Explain: program headers / program header 0" in shown(pilot))
        words = " ".join(str(panes.query_one("#about-text", Static).content).split())
        assert "which bytes are which guest memory" in words and "PT_NOTE: notes" in words


async def test_an_entry_is_explained_field_by_field_and_step_by_step(sample: Sample) -> None:
    async with running(sample("two-halves.write.json"), size=(120, 36)) as pilot:
        await pilot.press("i", "down", "down")
        await until(pilot, lambda: "Explain: guest_format" in shown(pilot))
        assert "QEMU accepts only 1" in shown(pilot)
        await pilot.press("end")
        await until(pilot, lambda: "Explain: write 2 of 2" in shown(pilot))
        assert "Explain: write 2 of 2" in shown(pilot)
        await pilot.press("2", "down")
        await until(pilot, lambda: "Explain: QEMU: present" in shown(pilot))
        assert "the guest's last write was all 16 bytes" in shown(pilot)


async def test_a_line_that_r_would_put_back_is_explained_too(sample: Sample) -> None:
    async with running(sample("amd64-cut-nonote.elf"), size=(120, 36)) as pilot:
        await until(pilot, lambda: "OSRELEASE" in shown(pilot))
        await pilot.press("4", "i", "down", "down")
        await until(pilot, lambda: "Explain: PAGESIZE" in shown(pilot))
        assert "a page" in shown(pilot).partition("Explain: PAGESIZE")[2]


async def test_at_80_columns_the_explanation_and_the_inspector_take_turns(sample: Sample) -> None:
    async with running(sample("crlf.elf"), size=(80, 24)) as pilot:
        for key, words in ("I", "Inspector (I or"), ("i", "Explain: "), ("I", "Inspector (I or"):
            await pilot.press(key)
            await until(pilot, partial(_is_shown, pilot, words))
            assert shown(pilot).count("or Esc closes)") == 1
