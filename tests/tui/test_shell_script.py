"""Test that each edit shows its shell command, and that all commands make a script."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.driving import main_screen, running, settled, shown, type_text
from vmci_tui.tui.screens.script_screen import CommandsScreen
from vmci_tui.tui.widgets.status_line import StatusLine

Sample = Callable[[str], str]


def _status(pilot: Pilot[Any]) -> str:
    return main_screen(pilot).query_one("#status", StatusLine)._text


async def test_each_edit_shows_its_command_and_all_are_a_script(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(sample("amd64-cut-note.elf"), "a.elf")
    async with running("a.elf", size=(80, 24)) as pilot:
        await pilot.press("4", "down", "down", "enter")
        await type_text(pilot, "8192")
        await pilot.press("enter")
        await settled(pilot)
        assert _status(pilot) == "$ vmci set a.elf PAGESIZE=8192 -o a-fixed.elf"
        assert "$ vmci set a.elf PAGESIZE=8192 -o a-fixed.elf" in shown(pilot)
        await pilot.press("d")
        assert _status(pilot) == "command 2, $ lists all: vmci set a-fixed.elf --delete PAGESIZE --in-place"
        await pilot.press("down")
        assert _status(pilot).startswith("offset"), "until the cursor moves"
        await pilot.press("3", "home", "d")
        await settled(pilot)
        await pilot.press("dollar_sign")
        await settled(pilot)
        assert isinstance(pilot.app.screen, CommandsScreen)
        seen = shown(pilot)
        assert "$ vmci set a.elf PAGESIZE=8192" in seen and "# delete note 0" in seen and "vmci check a.elf" in seen
        await pilot.press("home", "enter")
        assert pilot.app.clipboard == "vmci set a.elf PAGESIZE=8192 -o a-fixed.elf"
        await pilot.press("C")
        assert pilot.app.clipboard.startswith("#!/bin/sh\nset -e\nvmci set")
        await pilot.press("s", "enter")
        await settled(pilot)
        await pilot.press("escape")
        assert main_screen(pilot).is_current
    script = Path("commands.sh").read_text()
    assert "# in the app only: delete note 0" in script
    ran = subprocess.run(["sh", "-n", "commands.sh"], capture_output=True)
    assert ran.returncode == 0, ran.stderr
    assert sys.executable


async def test_a_repair_has_one_command(sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(sample("amd64-note.elf-win4k"), "a.elf")
    async with running("a.elf", size=(120, 36)) as pilot:
        await pilot.press("R")
        await settled(pilot)
        assert "$ vmci repair a.elf -o a-fixed.elf" in shown(pilot).split("\n")[0]
        await pilot.press("enter")
        await settled(pilot)
        assert _status(pilot) == "$ vmci repair a.elf -o a-fixed.elf"


async def test_screens_that_only_show_have_a_command(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(sample("amd64-cut-note.elf"), "a.elf")
    async with running("a.elf", size=(200, 60)) as pilot:
        for key, command in (("v", "$ vmci check a.elf"), ("F", "$ vmci find a.elf")):
            await pilot.press(key)
            await settled(pilot)
            assert command in shown(pilot).split("\n")[0]
            await pilot.press("escape")
            await settled(pilot)
    async with running("a.elf", size=(120, 36)) as pilot:  # where there is more room, explain is open already
        await pilot.press("4", "i")
        await settled(pilot)
        pilot.app.screen.query_one("#about").scroll_end(animate=False)
        await settled(pilot)
        assert "$ vmci explain OSRELEASE=6.1.0-56-amd64" in shown(pilot)


async def test_a_fix_shows_a_short_command(sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(sample("crlf.elf"), "a.elf")
    async with running("a.elf") as pilot:
        await pilot.press("1", "home")
        await pilot.press("f")
        await settled(pilot)
        assert _status(pilot) == "$ vmci repair a.elf --only T02 -o a-fixed.elf"
