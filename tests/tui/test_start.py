"""Test the start screen and the prompt for a file."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.events import Paste
from textual.widgets import Input, TextArea

from tests.paths import SAMPLES
from tests.tui.driving import hint, main_screen, running, said, settled, shown, type_text, until
from vmci_tui.common.samples import samples
from vmci_tui.opening.folder_listing import pasted_path
from vmci_tui.settings.settings import recent, remember
from vmci_tui.tui.app import VmciApp
from vmci_tui.tui.disk import disk_watch
from vmci_tui.tui.screens.open_screen import OpenScreen
from vmci_tui.tui.screens.start_screen import StartScreen
from vmci_tui.tui.widgets.dialogs import EditText
from vmci_tui.tui.widgets.line_list import LineList

Sample = Callable[[str], str]
_SIZES = [(80, 24), (200, 60)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with three dumps and another folder."""
    work = tmp_path / "work"
    (work / "more").mkdir(parents=True)
    for name in ("crlf.elf", "zero-note.elf", "two-notes.elf"):
        shutil.copy(SAMPLES / name, work)
    shutil.copy(SAMPLES / "good.entry", work / "more")
    monkeypatch.chdir(work)
    return work


@pytest.mark.parametrize("size", _SIZES, ids=str)
async def test_it_says_what_the_program_is_for_and_begins_with_opening(size: tuple[int, int]) -> None:
    async with running(size=size) as pilot:
        text = shown(pilot)
        assert "Inspect and repair the VMCOREINFO note in VM memory dumps" in text
        lines = [line.strip("│ ") for line in text.splitlines()]
        wanted = (
            "Open a dump, image or entry...",
            'My crash says "unknown"',
            "Create",
            "New entry",
            "Craft",
            "Learn",
            "Lessons",
        )
        places = [next(at for at, line in enumerate(lines) if line.startswith(start)) for start in wanted]
        assert places == sorted(places)
        assert ".." not in "".join(lines[places[0] + 1 : places[-1] + 2]), "nothing is cut"
        assert "Back" not in text, "there is nothing to go back to"
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, OpenScreen)


async def test_the_tour_is_the_lesson_on_a_missing_note() -> None:
    async with running() as pilot:
        await pilot.press("down", "enter")
        await settled(pilot)
        app = pilot.app
        assert isinstance(app, VmciApp) and app.lesson is not None and app.lesson.lesson.name == "missing-note"


async def test_samples_are_folded() -> None:
    async with running() as pilot:
        assert f"{len(samples())} small files" in shown(pilot) and "amd64-cut-note.elf" not in shown(pilot)
        await pilot.press("end", "enter")
        await settled(pilot)
        listed = pilot.app.screen.query_one("#start", LineList)
        assert "amd64-cut-note.elf" in shown(pilot) and len(listed.rows) > 47
        await pilot.press("enter")
        assert "amd64-cut-note.elf" not in shown(pilot)


async def test_recent_files_come_before_what_is_created(sample: Sample) -> None:
    remember(sample("x86_64-linux-good.elf"), sample("x86_64-linux-good.entry"))
    async with running(size=(200, 60)) as pilot:
        text = shown(pilot)
        assert text.index("Recent files") < text.index("x86_64-linux-good.elf") < text.index("Create")
        await pilot.press("down", "down", "enter")  # headings and blank lines are no stops
        await settled(pilot)
        assert main_screen(pilot).document.blob_name


async def test_recent_files_leave_the_last_rows_in_sight(tmp_path: Path) -> None:
    for number in range(9):
        path = tmp_path / f"dump-{number}"
        path.touch()
        remember(str(path))
    for size, most in (((80, 24), 8), ((120, 36), 8)):
        async with running(size=size) as pilot:
            text = shown(pilot)
            assert "Samples" in text and 3 <= text.count("dump-") <= most
            await pilot.press("end")
            assert "Samples" in shown(pilot)


async def test_the_cursor_stops_only_on_what_opens_something() -> None:
    async with running(size=(80, 24)) as pilot:
        listed = pilot.app.screen.query_one("#start", LineList)
        stops = {listed.cursor}
        for _ in range(12):
            await pilot.press("down")
            stops.add(listed.cursor)
        screen = pilot.app.screen
        assert isinstance(screen, StartScreen)
        assert stops == {number for number, opens in enumerate(screen._opens) if opens is not None}


async def test_a_typed_path_runs_no_hot_key(folder: Path) -> None:
    """The letters of `craft` and `next` were keys once."""
    async with running() as pilot:
        await pilot.press(*"crlf")
        await settled(pilot)
        assert isinstance(pilot.app.screen, OpenScreen) and pilot.app.screen.query_one(Input).value == "crlf"
        await until(pilot, lambda: "9.1 KiB" in shown(pilot))
        assert "zero-note" not in shown(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert main_screen(pilot).document.name == "crlf.elf"


async def test_a_dropped_file_is_pasted_as_a_path(folder: Path) -> None:
    async with running() as pilot:
        pilot.app.screen.post_message(Paste("'/tmp/my dump'\n"))
        await settled(pilot)
        assert pilot.app.screen.query_one(Input).value == "/tmp/my dump"
    assert [pasted_path(text) for text in ("a\\ b", "it's", "a b", "", "x\ny")] == ["a b", "it's", "a b", "", "x"]


async def test_o_asks_for_a_file_and_lists_recent_ones_and_the_folder(folder: Path, sample: Sample) -> None:
    remember(sample("amd64-cut-note.elf"))
    async with running(sample("good.entry"), size=(80, 24)) as pilot:
        await pilot.press("o")
        await until(pilot, lambda: "This folder" in shown(pilot))
        text = shown(pilot)
        assert (
            text.index("Recent files") < text.index("amd64-cut-note.elf") < text.index("crlf.elf") < text.index("more/")
        )
        await pilot.press("down", "down", "down", "enter")  # over the heading
        await settled(pilot)
        assert main_screen(pilot).document.name == "two-notes.elf"
        await pilot.press("o", "escape")
        assert main_screen(pilot).is_current


async def test_tab_completes_and_enter_lists_a_folder(folder: Path, sample: Sample) -> None:
    async with running(sample("good.entry")) as pilot:
        await pilot.press("o", *"mo")
        await until(pilot, lambda: "more/" in shown(pilot))
        await pilot.press("tab")
        assert pilot.app.screen.query_one(Input).value == "more/"
        await until(pilot, lambda: "16 bytes" in shown(pilot))
        await type_text(pilot, str(folder))
        await pilot.press("enter")
        assert pilot.app.screen.query_one(Input).value == f"{folder}/"
        await until(pilot, lambda: "zero-note.elf" in shown(pilot))
        await pilot.press(*"zz")
        await settled(pilot)
        assert "nothing here begins like that" in shown(pilot)
        await pilot.press("enter")
        assert "no such file" in hint(pilot)


async def test_the_prompt_by_mouse(folder: Path, sample: Sample) -> None:
    async with running(sample("good.entry")) as pilot:
        await pilot.press("o", *"t")
        await until(pilot, lambda: "two-notes.elf" in shown(pilot))
        await pilot.click("#choices", offset=(5, 0), times=2)
        await settled(pilot)
        assert main_screen(pilot).document.name == "two-notes.elf"


async def test_names_of_files_reach_the_screen_as_printable_text(folder: Path, sample: Sample) -> None:
    hostile = os.fsencode(folder) + b"/\x1b[31m\xff.elf"
    shutil.copy(SAMPLES / "crlf.elf", os.fsdecode(hostile))
    async with running(sample("good.entry")) as pilot:
        await pilot.press("o")
        await until(pilot, lambda: r"\x1b[31m\xff.elf" in shown(pilot))
        await pilot.press("down", "tab", "enter")
        await settled(pilot)
        assert r"\x1b[31m\xff.elf" in main_screen(pilot).document.name


async def test_edits_are_not_lost_by_opening_another_file(sample: Sample) -> None:
    async with running(sample("good.entry")) as pilot:
        for key in ("o", "O"):
            await pilot.press("w", "enter")
            await settled(pilot)
            await pilot.press(key)
            await settled(pilot)
            assert "There are unsaved edits" in shown(pilot)
            await pilot.press("escape", "u")
        await pilot.press("O")
        await settled(pilot)
        assert isinstance(pilot.app.screen, StartScreen) and "Back" in shown(pilot)
        await pilot.press("escape")
        assert main_screen(pilot).is_current and recent()


async def test_a_pasted_entry_is_shown_as_p_would(sample: Sample) -> None:
    async with running(sample("amd64-cut-nonote.elf")) as pilot:
        pilot.app.screen.post_message(Paste("19c8000 1024\n"))
        await until(pilot, lambda: isinstance(pilot.app.screen, EditText))
        assert pilot.app.screen.query_one(TextArea).text == "19c8000 1024\n"
        await pilot.press("ctrl+s")
        await settled(pilot)
        entry = main_screen(pilot).document.state.entry
        assert entry is not None and entry.entry.paddr == 0x19C8000


async def test_a_pasted_path_is_asked_for_and_anything_else_is_explained(folder: Path, sample: Sample) -> None:
    async with running(sample("good.entry")) as pilot:
        pilot.app.screen.post_message(Paste(f"'{folder}/crlf.elf'"))
        await until(pilot, lambda: isinstance(pilot.app.screen, OpenScreen))
        await pilot.press("enter")
        await settled(pilot)
        assert main_screen(pilot).document.name.endswith("crlf.elf")
        pilot.app.screen.post_message(Paste("x" * 100_000))
        await until(pilot, lambda: said(pilot))
        assert "neither an entry" in said(pilot) and main_screen(pilot).is_current


@pytest.mark.parametrize(
    ("mark", "words"),
    [("DELETED", "was deleted or moved"), ("REPLACED", "another file is named"), ("CHANGED ON DISK", "has changed")],
)
async def test_a_file_that_does_not_stay_on_the_disk(
    mark: str, words: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_watch, "_EVERY", 0.05)
    path = folder / "crlf.elf"
    before = path.read_bytes()
    async with running(str(path)) as pilot:
        await asyncio.sleep(0.2)
        assert mark not in shown(pilot)
        if mark == "DELETED":
            path.unlink()
        elif mark == "REPLACED":
            shutil.copy(path, folder / "new")
            (folder / "new").rename(path)
        else:
            with path.open("ab") as file:
                file.write(b"more")
        await until(pilot, lambda: mark in shown(pilot))
        assert mark in shown(pilot) and said(pilot).count(words) == 1
        await asyncio.sleep(0.2)
        assert said(pilot).count(words) == 1, "it is said once"
        document = main_screen(pilot).document
        assert document.source.read(0, len(before)) == before, "what was opened is still there"


async def test_a_save_in_place_of_ones_own_is_not_a_change_by_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_watch, "_EVERY", 0.15)
    async with running(str(folder / "more" / "good.entry")) as pilot:
        await pilot.press("T", "o")
        await settled(pilot)
        await pilot.press("s")
        await settled(pilot)
        await pilot.click("#in-place")
        await settled(pilot)
        await pilot.press("down", "enter")
        await settled(pilot)
        assert "in place; U undoes it" in said(pilot)
        await asyncio.sleep(0.5)
        assert "ON DISK" not in shown(pilot) and "another program" not in said(pilot)


async def test_a_narrow_title_says_everything_in_fewer_words(sample: Sample) -> None:
    for width, words in ((120, "ELF 64 bit LE x86_64, 636 KiB, 2 CPUs"), (66, "ELF x86_64, 636 KiB, 2 CPUs")):
        async with running(sample("amd64-cut-note.elf"), size=(width, 24)) as pilot:
            assert words in shown(pilot).split("\n")[0]
    files = sample("x86_64-linux-good.elf"), sample("x86_64-linux-good.entry")
    async with running(*files, size=(80, 24)) as pilot:
        assert "x86_64-linux-good.elf + .entry  ELF x86_64, 144 KiB, 1 CPU" in shown(pilot).split("\n")[0]
