"""Test that a move in one pane moves the others, and that keys and mouse reach every place."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.command import CommandPalette

from tests.tui.driving import main_screen, running, said, settled, shown, type_text
from vmci_tui.tui.panes.entry import EntryList
from vmci_tui.tui.panes.findings import FindingsList
from vmci_tui.tui.panes.hex import HexPane
from vmci_tui.tui.panes.keys import KeysList
from vmci_tui.tui.panes.notes import NotesList
from vmci_tui.tui.panes.readers import ReadersPane
from vmci_tui.tui.widgets.dialogs import Ask

Sample = Callable[[str], str]


async def test_a_key_is_marked_in_the_hex_view(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        screen = main_screen(pilot)
        await pilot.press("down", "down")
        view = screen.query_one(HexPane)
        start, end = view.highlight
        assert screen.document.read(start, end - start) == b"PAGESIZE=4096\n"
        assert view.cursor == start
        assert "key PAGESIZE" in shown(pilot)
        assert screen.query_one(NotesList).cursor == screen.document.state.index


async def test_the_lists_follow_the_hex_view(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        screen = main_screen(pilot)
        await pilot.press("5", "down", "down", "down")
        place = screen.query_one(HexPane).place()
        assert place is not None and place.line is not None
        keys = screen.query_one(KeysList)
        line = keys.line()
        assert line is not None and line.number == place.line
        await pilot.press("ctrl+home")
        assert "ELF header: magic" in shown(pilot)
        await pilot.press("right_square_bracket")
        assert "ELF header: EI_CLASS" in shown(pilot)
        await pilot.press("left_square_bracket")
        assert "ELF header: magic" in shown(pilot)


async def test_the_entry_leads_to_its_region(sample: Sample) -> None:
    files = sample("x86_64-linux-good.elf"), sample("x86_64-linux-good.entry")
    async with running(*files) as pilot:
        screen = main_screen(pilot)
        entry = screen.query_one(EntryList)
        await pilot.press("7")
        await pilot.press("end")
        target = entry.target()
        assert target is not None and target.key == "paddr"
        start, end = screen.query_one(HexPane).highlight
        assert end - start == 4132
        assert screen.document.read(start + 12, 11) == b"VMCOREINFO\0"


async def test_a_finding_leads_to_its_bytes(sample: Sample) -> None:
    async with running(sample("x86_64-bad-phys-base.elf")) as pilot:
        screen = main_screen(pilot)
        await pilot.press("1", "enter")
        await settled(pilot)
        finding = screen.query_one(FindingsList).finding()
        assert finding is not None and finding.span is not None
        assert screen.query_one(HexPane).highlight == (finding.span.offset, finding.span.offset + finding.span.length)
        assert screen.focused is screen.query_one(KeysList), "it is about a line of the text"


@pytest.mark.parametrize(
    ("typed", "offset"),
    [("0x100", 0x100), ("256", 256), ("p0x19c8000", None), ("paddr 0x19c8000", None), ("P 27033600", None)],
)
async def test_go_to(sample: Sample, typed: str, offset: int | None) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        screen = main_screen(pilot)
        wanted = screen.document.layout.memory.offset_of(0x19C8000) if offset is None else offset
        await pilot.press("5", "g")
        await type_text(pilot, typed)
        await pilot.press("enter")
        await settled(pilot)
        assert screen.query_one(HexPane).cursor == wanted


async def test_an_invalid_place_is_reported_and_the_dialog_stays(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        await pilot.press("5", "g")
        for typed, word in (("0x99999999", "outside"), ("p0xffff000000", "no byte at paddr"), ("abc", "not a number")):
            await type_text(pilot, typed)
            await pilot.press("enter")
            await pilot.pause()
            assert isinstance(pilot.app.screen, Ask)
            assert word in shown(pilot)
        await pilot.press("escape")
        assert not isinstance(pilot.app.screen, Ask)


@pytest.mark.parametrize(
    "typed", ["PAGESIZE=", "0x504147455349 5a453d", "50 41 47 45 53 49 5a 45 3d", r"\x50AGESIZE\x3d"]
)
async def test_search_finds_text_and_hex(sample: Sample, typed: str) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        screen = main_screen(pilot)
        await pilot.press("5", "ctrl+home", "slash")
        await type_text(pilot, typed)
        await pilot.press("enter")
        await settled(pilot)
        at = screen.query_one(HexPane).cursor
        assert screen.document.read(at, 9) == b"PAGESIZE="
        await pilot.press("n")
        await settled(pilot)
        assert screen.query_one(HexPane).cursor > at  # the copy in guest memory


async def test_search_reports_a_pattern_that_was_not_found(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        await pilot.press("5", "slash")
        await type_text(pilot, "no such text anywhere")
        await pilot.press("enter")
        await settled(pilot)
        assert "not found" in shown(pilot)


async def test_the_filter_keeps_file_order_and_is_left_by_escape(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        screen = main_screen(pilot)
        await pilot.press("slash", "p", "r", "b")
        keys = screen.query_one(KeysList)
        numbers = [line.number for line in keys.shown.lines]
        assert numbers == sorted(numbers) and 0 < len(numbers) < 40
        assert all(b"prb" in line.raw for line in keys.shown.lines)
        await pilot.press("enter", "down")
        assert keys.has_focus
        line = keys.shown.lines[1]
        start, end = screen.query_one(HexPane).highlight
        assert screen.document.read(start, end - start) == line.raw
        await pilot.press("escape")
        text = screen.document.state.vmcoreinfo
        assert text is not None and len(keys.rows) == len(text.lines)


async def test_narrow_shows_one_pane_at_a_time(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(80, 24)) as pilot:
        screen = main_screen(pilot)
        panes = ("findings", "readers", "notes", "keys", "hex")
        for number, name in enumerate(panes, 1):
            await pilot.press(str(number))
            await settled(pilot)
            seen = [other for other in panes if screen.query_one(f"#{other}").size.height > 0]
            assert seen == [name]
            assert screen.focused is screen.query_one(f"#{name}")


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_a_mouse_that_enters_a_pane_does_nothing(sample: Sample, size: tuple[int, int]) -> None:
    """Textual calls what has the name `on_enter` when the mouse comes in."""
    async with running(sample("x86_64-linux-good.elf"), sample("x86_64-linux-good.entry"), size=size) as pilot:
        screen = main_screen(pilot)
        for number, pane in zip(
            "134572", (FindingsList, NotesList, KeysList, HexPane, EntryList, ReadersPane), strict=True
        ):
            await pilot.press(number)
            await settled(pilot)
            await pilot.hover("#tabs")
            await pilot.hover(screen.query_one(pane))
        assert "failed" not in said(pilot)  # a failure is also counted, and fails each test


async def test_mouse_alone_reaches_every_pane(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(80, 24)) as pilot:
        screen = main_screen(pilot)
        await pilot.click("#tabs", offset=(33, 0))
        await settled(pilot)
        assert screen.focused is screen.query_one(NotesList)
        await pilot.click("#tabs", offset=(45, 0))
        await settled(pilot)
        keys = screen.query_one(KeysList)
        assert keys.has_focus
        await pilot.click(keys, offset=(5, 4))
        assert keys.cursor == 4
        await pilot.click(keys, offset=(keys.size.width - 1, keys.size.height - 1))
        assert keys.top > 50
        await pilot.click(keys, offset=(5, 1), times=2)
        await settled(pilot)
        assert isinstance(pilot.app.screen, Ask)
        await pilot.click("#cancel")
        await settled(pilot)
        await pilot.click("#tabs", offset=(58, 0))
        await settled(pilot)
        view = screen.query_one(HexPane)
        assert view.has_focus
        top = view.top
        await pilot.click(view, offset=(1 + 10 + 3 * 2, 2 + 2))  # behind the border and the header
        assert view.cursor == (top + 2) * 16 + 2
        await pilot.click(view, offset=(1 + 10 + 50 + 7, 2 + 3))
        assert view.cursor == (top + 3) * 16 + 7


async def test_mouse_on_frames_and_on_the_title(sample: Sample) -> None:
    """A click on a pane's frame focuses it too; a click on the title's sign lists all actions."""
    async with running(sample("amd64-cut-note.elf"), size=(120, 36)) as pilot:
        screen = main_screen(pilot)
        for frame, pane in (("#findings-pane", "findings"), ("#keys-pane", "keys"), ("#why", "findings")):
            await pilot.click(frame, offset=(3, 0))
            await settled(pilot)
            assert screen.focused is screen.query_one(f"#{pane}"), frame
        await pilot.click("#title", offset=(3, 0))
        assert pilot.app.screen is screen
        await pilot.click("#title", offset=(1, 0))
        assert isinstance(pilot.app.screen, CommandPalette)
        await settled(pilot)
        keys = shown(pilot).split("\n")[-1]
        assert "Enter Run" in keys and "Esc Close" in keys and "Save" not in keys, "the list's own keys"


async def test_bytes_that_cannot_be_read_do_not_end_the_app(sample: Sample) -> None:
    """A disk error, or a file that was closed while its screen is painted once more."""
    files = sample("x86_64-linux-good.elf"), sample("x86_64-linux-good.entry")
    async with running(*files) as pilot:
        screen = main_screen(pilot)
        screen.document.close()
        screen._changed("state")
        screen.session.judge()
        await pilot.press("5", "pagedown", "pagedown")
        await settled(pilot)
        assert "cannot be read" in shown(pilot) and pilot.app.is_running
