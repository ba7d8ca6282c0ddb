"""Test messages: they stay until the next key, say how to take an edit back, and can be read again."""

from __future__ import annotations

from collections.abc import Callable

from textual.command import CommandPalette

from tests.tui.driving import main_screen, running, said, settled, shown
from vmci_tui.tui.panes.keys import KeysList

Sample = Callable[[str], str]


async def test_a_message_stays_until_the_next_key(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(80, 24)) as pilot:
        await pilot.press("4", "alt+down")
        await settled(pilot)
        line = shown(pilot).split("\n")[-2]
        assert "done: move line 1 down" in line and line.strip().endswith("u takes it back"), line
        assert all(item.timeout > 3600 for item in pilot.app._notifications)
        await pilot.press("down")
        await settled(pilot)
        assert "takes it back" not in shown(pilot)


async def test_messages_can_be_read_again(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        await pilot.press("4", "alt+down", "u", "down")
        command = next(c for c in pilot.app.get_system_commands(pilot.app.screen) if "Messages" in c.title)
        command.callback()
        await settled(pilot)
        text = shown(pilot)
        assert text.index("undone: move") < text.index("done: move", text.index("undone: move") + 10)


async def test_the_note_is_removed_by_no_plain_letter(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        document = main_screen(pilot).document
        await pilot.press("4", "x", "J", "K", "r", "escape")
        assert document.state == document.opened
        await pilot.press("ctrl+x")
        await settled(pilot)
        assert document.state.note is None and "remove the VMCOREINFO note; u takes it back" in said(pilot)
        await pilot.press("u")
        assert document.state == document.opened
        await pilot.press("ctrl+r")
        assert document.state.note is None


async def test_ctrl_c_says_what_q_does(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        await pilot.press("ctrl+c")
        await settled(pilot)
        assert "q quits" in said(pilot) and pilot.app.is_running


async def test_letters_go_to_the_ends_of_a_list(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        keys = main_screen(pilot).query_one(KeysList)
        await pilot.press("4", "G")
        assert keys.cursor == len(keys.rows) - 1
        await pilot.press("g", "g")
        assert keys.cursor == 0


async def test_a_colon_opens_the_palette(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        await pilot.press("colon")
        await settled(pilot)
        assert isinstance(pilot.app.screen, CommandPalette)
