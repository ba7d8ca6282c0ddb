"""Test the next commands, before and after a save, and the pane of a Windows header."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Static

from tests.tui.driving import main_screen, running, said, settled, shown
from vmci_tui.tui.panes.keys import KeysList
from vmci_tui.tui.screens.next_commands_screen import NextCommandsScreen
from vmci_tui.tui.widgets.line_list import LineList

Sample = Callable[[str], str]


def _commands(screen: object) -> list[str]:
    assert isinstance(screen, NextCommandsScreen)
    return [row[1][0] for row in screen.query_one("#steps", LineList).rows]


async def test_the_commands_are_listed_and_copied(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(sample("amd64-cut-note.elf"), "good.elf")
    async with running("good.elf", size=(80, 24)) as pilot:
        await pilot.press("W")
        await settled(pilot)
        assert "crash --osrelease good.elf" in _commands(pilot.app.screen)
        assert "DEBUGINFOD_URLS" in shown(pilot)
        await pilot.press("down")
        assert "linux-image-6.1.0-56-amd64-dbg" in shown(pilot)
        await pilot.press("down", "down", "enter")
        assert pilot.app.clipboard == "drgn -c good.elf"
        await pilot.press("down", "down", "c")
        assert pilot.app.clipboard == "makedumpfile --dump-dmesg good.elf good-dmesg.txt"
        await pilot.press("escape", "v", "c")
        reader = "libkdumpfile, the one that reads no memory of this cut dump, is where its screen opens"
        assert pilot.app.clipboard == "DRGN_USE_LIBKDUMPFILE_FOR_ELF=1 drgn -c good.elf", reader
        assert "Next:" in str(pilot.app.screen.query_one("#verdict", Static).content)


async def test_the_commands_are_for_the_copy_before_and_after_the_save(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(sample("crlf.elf"), "crlf.elf")
    async with running("crlf.elf") as pilot:
        await pilot.press("W")
        await settled(pilot)
        assert _commands(pilot.app.screen)[0] == "vmci repair crlf.elf -o crlf-fixed.elf"
        await pilot.press("escape", "v", "down", "c")
        assert "there is no next command" in said(pilot), "drgn refuses it"
        await pilot.press("f", "escape", "W")
        await settled(pilot)
        assert "drgn -c crlf-fixed.elf" in _commands(pilot.app.screen) and "once it is saved" in shown(pilot)
        await pilot.press("escape", "s", "enter")
        await settled(pilot)
        assert "readers accept it" in shown(pilot)
        await pilot.press("W")
        await settled(pilot)
        assert "drgn -c crlf-fixed.elf" in _commands(pilot.app.screen) and "once" not in shown(pilot).split("\n")[0]
        await pilot.press("escape", "u", "W")
        await settled(pilot)
        assert "drgn -c crlf.elf" not in _commands(pilot.app.screen), "the file itself did not change"


async def test_the_palette_has_it_and_an_entry_alone_leads_to_qemu(sample: Sample) -> None:
    async with running(sample("good.entry")) as pilot:
        commands = {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert "Repair: Show the next commands to run  (W)" in commands
        await pilot.press("W")
        assert "Q asks it" in said(pilot) and pilot.app.screen is main_screen(pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_a_windows_header_is_in_the_pane_of_the_keys(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("x86_64-windows.elf"), size=size) as pilot:
        screen = main_screen(pilot)
        keys = screen.query_one(KeysList)
        assert "4 Windows header" in shown(pilot) and "19041" in shown(pilot) and "none" not in shown(pilot)
        await pilot.press("4", "down")
        await settled(pilot)
        assert "Windows header: MinorVersion (4 bytes)" in shown(pilot)
        for key in ("enter", "d", "n", "i", "e"):
            await pilot.press(key)
            await settled(pilot)
            assert pilot.app.screen is screen and not screen.document.modified, key
        assert "a Windows header is never edited" in said(pilot)
        await pilot.press("c")
        assert pilot.app.clipboard.startswith("MinorVersion") and "19041" in pilot.app.clipboard
        await pilot.press("slash", *"debug")
        await settled(pilot)
        assert 0 < len(keys.rows) < 5
