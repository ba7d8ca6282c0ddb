"""Test that changes are seen until they are saved, and the keys that go from one to the next."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.tui.driving import main_screen, running, said, settled, shown
from vmci_tui.document import edit_text
from vmci_tui.document.edit import Edit
from vmci_tui.tui.panes.findings import FindingsList
from vmci_tui.tui.panes.hex import HexPane
from vmci_tui.tui.panes.keys import KeysList
from vmci_tui.tui.panes.notes import NotesList

Sample = Callable[[str], str]
_SIZES = [(80, 24), (120, 36), (200, 60)]


@pytest.mark.parametrize("size", _SIZES)
async def test_signs_of_lines_notes_and_bytes_until_undone(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("amd64-cut-note.elf"), size=size) as pilot:
        screen = main_screen(pilot)
        keys, notes, view = screen.query_one(KeysList), screen.query_one(NotesList), screen.query_one(HexPane)
        plain = [*keys.rows]
        screen.session.edit(Edit.of(edit_text.set_line, 3, b"PAGESIZE=8192"))
        screen.session.edit(Edit.of(edit_text.delete_line, 5))
        screen.session.edit(Edit.of(edit_text.add_key, b"NEW", b"1"))
        await settled(pilot)
        heads = ["".join(text for text, _ in row[:2]) for row in keys.rows]
        assert {number: head for number, head in enumerate(heads, 1) if head.strip()} == {
            3: " ~ ",
            5: "-      ",
            110: " + ",
        }
        assert [row[1][0] for row in notes.rows] == ["  ", "  ", "  ", "  ", "~ "]
        assert {item.kind for item in view.changed.ranges} >= {"changed", "added"}
        for _ in range(3):
            await pilot.press("u")
        await settled(pilot)
        assert [*keys.rows] == plain and not view.changed.ranges


async def test_keys_go_from_change_to_change(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        screen = main_screen(pilot)
        keys = screen.query_one(KeysList)
        await pilot.press("full_stop")
        assert "nothing unsaved" in shown(pilot)
        screen.session.edit(Edit.of(edit_text.set_line, 3, b"PAGESIZE=8192"))
        screen.session.edit(Edit.of(edit_text.delete_line, 7))
        await settled(pilot)
        said = []
        for _ in range(4):
            await pilot.press("full_stop")
            await pilot.pause()
            said.append(shown(pilot).partition("change ")[2].partition("\n")[0].rstrip())
        assert [words.partition(", ")[0] for words in said] == [f"{n} of 3" for n in (1, 2, 3, 1)]
        assert "line 3 changed: PAGESIZE=8192, was 4096" in said[0] and "1 line was removed here: " in said[1]
        assert said[2].endswith("program header changed")
        await pilot.press("comma", "comma", "comma")
        await pilot.pause()
        assert "change 1 of 3" in shown(pilot) and keys.cursor == 2 and screen.focused is keys


async def test_fixed_findings_stay_below_the_others_until_undone(sample: Sample) -> None:
    async with running(sample("crlf.elf")) as pilot:
        screen = main_screen(pilot)
        found = screen.query_one(FindingsList)
        before = [item.code for item in screen.session.found]
        found.select(before.index("T02"))
        found.focus()
        await pilot.press("f")
        await settled(pilot)
        fixed = [row for row in found.rows if row[0][0] == "fixed "]
        assert [item.code for item in found.fixed] == [code for code in before if code == "T02"]
        assert [*found.rows[-len(fixed) :]] == fixed and len(found.rows) == len(screen.session.found) + len(fixed)
        await pilot.press("u")
        await settled(pilot)
        assert not found.fixed and [item.code for item in screen.session.found] == before


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_the_text_that_r_puts_back_is_shown_and_cannot_be_edited(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("amd64-cut-nonote.elf"), size=size) as pilot:
        await pilot.press("4")
        await settled(pilot)
        assert "found at 0x19c8000 and proved: [R] puts it back" in shown(pilot)
        assert "109 lines, not in the file yet" in shown(pilot)
        assert " +   1 OSRELEASE" in shown(pilot) and " +   2 BUILD-ID" in shown(pilot)
        screen = main_screen(pilot)
        await pilot.press("down", "down")
        view = screen.query_one(HexPane)
        assert view.document.read(view.cursor, 13) == b"PAGESIZE=4096", "its bytes in guest memory"
        await pilot.press("enter")
        await pilot.press("d", "D")
        assert "not in the file yet: R puts them back" in said(pilot) and not screen.document.modified
        await pilot.press("slash", *"BUILD", "enter")
        await settled(pilot)
        assert len(screen.query_one(KeysList).rows) == 1


async def test_removed_lines_are_rows_until_undone_and_have_no_keys(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        screen = main_screen(pilot)
        keys = screen.query_one(KeysList)
        await pilot.press("4", "home", "down", "d", "d")
        await settled(pilot)
        line = keys.line()
        assert line is not None and line.number == 2 and line.key == b"SYMBOL(init_uts_ns)", "the next line, to go on"
        assert [row[0] for row in keys.rows[1:3]] == [("-  ", "removed")] * 2
        assert keys.rows[2][2:] == (("PAGESIZE", "gone"), (" " * (keys.shown._width - 7), "dim"), ("4096", "gone"))
        assert "107 of 107 lines" in shown(pilot)
        await pilot.press("up", "d", "enter")
        assert "this line was removed: u undoes that" in said(pilot) and keys.line() is None
        await pilot.press("ctrl+x")
        await settled(pilot)
        assert len(keys.rows) == 109 and {row[0][0] for row in keys.rows} == {"-  "}, "the whole text"
        await pilot.press("u", "u", "u")
        await settled(pilot)
        assert len(keys.rows) == 109 and keys.line() is not None
