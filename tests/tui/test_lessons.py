"""Test a lesson's panel, by keys and by mouse, the widgets that it marks, and a trainer's own lessons."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.limits import PATIENCE
from tests.paths import DOCS, ROOT
from tests.tui.driving import choose, main_screen, running, said, settled, shown, type_text, until
from vmci_tui.cli.run import main
from vmci_tui.lessons.conditions import WORDS, holds, parse
from vmci_tui.lessons.lesson import TYPE, UNTIL, find_lesson, headings
from vmci_tui.settings.lesson_progress import load_progress
from vmci_tui.settings.settings import Settings, recent
from vmci_tui.tui.app import VmciApp
from vmci_tui.tui.lessons import teacher
from vmci_tui.tui.lessons.list_screen import LessonsScreen
from vmci_tui.tui.lessons.observe import ui_state
from vmci_tui.tui.lessons.panel import LessonBar, LessonPanel
from vmci_tui.tui.style.cells import CHECK
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.pane_bar import PaneBar

_ALL = headings()
_SIZES = [(80, 24), (200, 60)]
_REPEATS = 60


@asynccontextmanager
async def lessons(
    name: str | None = None, size: tuple[int, int] = (80, 24), folder: str | None = None
) -> AsyncIterator[tuple[VmciApp, Pilot[None]]]:
    """Run the app on a lesson, or on the list of lessons."""
    app = VmciApp(None, Settings(blink=False))
    app.animation_level = "none"
    app.teach(find_lesson(name, headings(folder)).path if name else None, folder, None)
    async with app.run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
        yield app, pilot


async def look(app: VmciApp, pilot: Pilot[Any]) -> None:
    """Check the step as the timer does; twice, because the first check mounts the panel of a new screen."""
    for _ in range(2):
        app.check_step()
        await pilot.pause()


async def press(app: VmciApp, pilot: Pilot[Any], item: str) -> list[str]:
    """Do what a lesson says; return the pressed keys."""
    pressed = [item]
    if item.startswith(TYPE):
        await type_text(pilot, item.removeprefix(TYPE))
    elif UNTIL in item:
        key, _, condition = item.partition(UNTIL)
        pressed = []
        while not holds(parse(condition), ui_state(app, changed=False)):
            assert len(pressed) < _REPEATS, f"{item}: it never is"
            await pilot.press(key)
            await settled(pilot)
            pressed.append(key)
    else:
        await pilot.press(item)
    await settled(pilot)
    return pressed


async def do_step(app: VmciApp, pilot: Pilot[Any]) -> list[str]:
    """Press the step's keys until its condition holds; return them."""
    run = app.lesson
    assert run is not None
    step = run.lesson.steps[run.at]
    where = f"{run.lesson.name}, step {run.at + 1}"
    if step.done is not None:
        assert not holds(step.done, ui_state(app, run.changed())), f"{where}: it is done before anything was pressed"
    keys = []
    for before, item in zip(("", *step.press), step.press, strict=False):
        if item == before == "enter":
            await pilot.pause(0.3)  # a second press that comes at once is a slip: Textual's buttons ignore it
        keys += await press(app, pilot, item)
    deadline = time.monotonic() + PATIENCE
    while not run.done and time.monotonic() < deadline:
        await look(app, pilot)
        await asyncio.sleep(0.02)
    assert run.done, f"{where}: not done by {step.press}:\n{shown(pilot)}\n{said(pilot)}"
    return keys


async def do_lesson(app: VmciApp, pilot: Pilot[Any]) -> list[list[str]]:
    """Do each step by its own keys; return the keys that each needed."""
    run = app.lesson
    assert run is not None
    keys = []
    for at in range(len(run.lesson.steps)):
        assert run.at == at
        await look(app, pilot)
        keys.append(await do_step(app, pilot))
        await look(app, pilot)
        panel = app.screen.query_one(LessonPanel)
        assert panel.has_class("done") and "F7" in shown(pilot), shown(pilot)
        await pilot.press("f7")
        await settled(pilot)
    assert app.lesson is None and isinstance(app.screen, LessonsScreen)
    return keys


async def test_the_example_of_the_page_works_at_the_first_try(tmp_path: Path) -> None:
    page = (DOCS / "lessons.md").read_text()
    name, name_there = re.findall(r"`(?:mine/)?([\w-]+\.toml)`", page)[:2]
    assert name == name_there
    text = re.search(r"```toml\n(.*?)```", page, re.DOTALL)
    assert text is not None
    (tmp_path / name).write_text(text[1])
    assert "vmci lessons broken-line --folder mine" in page
    async with lessons("broken-line", folder=str(tmp_path)) as (app, pilot):
        await do_lesson(app, pilot)
        assert "Broken line ends" in shown(pilot)


async def test_back_skip_reset_and_leave_by_keys() -> None:
    cwd = os.getcwd()
    async with lessons("entry") as (app, pilot):
        run = app.lesson
        assert run is not None and os.path.samefile(os.getcwd(), run.folder)
        await look(app, pilot)
        assert "1/5" in shown(pilot) and "not done yet" in shown(pilot) and "F7 Skip" in shown(pilot)
        await pilot.press("f6")
        assert run.at == 0
        await pilot.press("f7", "f7")
        assert run.at == 2 and not run.done
        await pilot.press("f6")
        assert run.at == 1
        await do_step(app, pilot)
        await pilot.press("f7")
        await do_step(app, pilot)
        assert main_screen(pilot).document.modified
        await pilot.press("f7", "f6")
        await look(app, pilot)
        assert run.at == 2 and run.done, "what was done stays done"
        await pilot.press("s", "enter")
        await settled(pilot)
        assert len(os.listdir(run.folder)) == 2
        await pilot.press("f8")
        await settled(pilot)
        await look(app, pilot)
        assert run.at == 0 and not main_screen(pilot).document.modified and os.listdir(run.folder) == ["good.entry"]
        assert "MODIFIED" not in shown(pilot) and "1/5" in shown(pilot)
        await pilot.press("f9")
        await settled(pilot)
        assert isinstance(app.screen, LessonsScreen) and not os.path.exists(run.folder) and os.getcwd() == cwd
        assert app.screen.query_one("#lessons", LineList).cursor == 0, "it is not done: the cursor stays on it"
        await pilot.press("f7", "f8")
        assert app.lesson is None, "no lesson, no keys of it"
        await pilot.press("enter")
        await settled(pilot)
        assert app.lesson is not None and app.lesson.lesson.name == "entry", "it goes on with the lesson that was left"
    assert os.getcwd() == cwd
    assert recent() == (), "copies are not recent files"


async def test_the_panel_is_on_every_screen_and_typed_letters_are_no_keys_of_it() -> None:
    async with lessons("missing-note") as (app, pilot):
        for key, back in (("v", "escape"), ("R", "escape"), ("s", "escape"), ("a", "escape")):
            await pilot.press(key)
            await settled(pilot)
            await look(app, pilot)
            text = shown(pilot)
            assert "Lesson: A note that is missing  1/4" in text and "[F7 Skip]" in text, key
            await pilot.press(back)
            await settled(pilot)
        await pilot.press("s")
        await settled(pilot)
        await look(app, pilot)
        await pilot.press("f7")
        assert app.lesson is not None and app.lesson.at == 1, "a dialog does not hold the lesson up"


@pytest.mark.parametrize("size", _SIZES, ids=str)
async def test_the_panel_by_mouse(size: tuple[int, int]) -> None:
    async with lessons(None, size) as (app, pilot):
        await pilot.click("#lessons", offset=(5, 6), times=2)
        await settled(pilot)
        await look(app, pilot)
        run = app.lesson
        assert run is not None and run.lesson.name == "broken-text"
        drgn, at, times = ("#title", (20, 3), 1) if size[0] == 80 else ("#readers", (5, 3), 2)
        await pilot.click(drgn, offset=at, times=times)
        await settled(pilot)
        await look(app, pilot)
        assert run.done
        await pilot.click(LessonBar, offset=(12, 0))
        assert run.at == 1
        await pilot.click(LessonBar, offset=(2, 0))
        assert run.at == 0
        await pilot.click(LessonBar, offset=(23, 0))
        await settled(pilot)
        await look(app, pilot)
        assert run.at == 0 and app.lesson is run and main_screen(pilot) is app.screen
        await pilot.click(LessonBar, offset=(34, 0))
        await settled(pilot)
        assert app.lesson is None and isinstance(app.screen, LessonsScreen)


@pytest.mark.parametrize("size", _SIZES, ids=str)
async def test_only_the_widget_of_a_step_is_marked(size: tuple[int, int]) -> None:
    async with lessons("entry", size) as (app, pilot):
        for at, pane in enumerate(("entry", "hex", "entry")):
            assert app.lesson is not None and app.lesson.at == at
            await look(app, pilot)
            assert [widget.id for widget in app.screen.query(".pointed")] == [pane]
            assert app.screen.query_one(PaneBar).pointed == pane
            await pilot.press("f7")
        await pilot.press("f9")
        await settled(pilot)
        assert not app.screen.query(".pointed") and not app.screen.query(LessonPanel)


async def test_from_the_start_screen_and_from_the_palette(sample: Callable[[str], str]) -> None:
    async with running() as pilot:
        await choose(pilot, "Lessons")
        assert isinstance(pilot.app.screen, LessonsScreen)
        await pilot.press("end", "enter")
        await settled(pilot)
        app = pilot.app
        assert isinstance(app, VmciApp) and app.lesson is not None and app.lesson.lesson.name == _ALL[-1].name
    async with running(sample("good.entry")) as pilot:
        commands = {command.title: command for command in pilot.app.get_system_commands(pilot.app.screen)}
        title = next(title for title in commands if "Learn step by step" in title)
        done = commands[title].callback()
        if done is not None:
            await done
        await settled(pilot)
        assert isinstance(pilot.app.screen, LessonsScreen)
        await pilot.press("escape")
        assert main_screen(pilot).is_current
        await pilot.press("w", "enter", "L", "enter")  # an edit that is not saved
        await settled(pilot)
        assert "unsaved edits" in said(pilot) and main_screen(pilot).document.unsaved


@pytest.mark.parametrize("size", _SIZES, ids=str)
async def test_a_finished_step_is_praised_and_its_keys_are_no_longer_asked_for(size: tuple[int, int]) -> None:
    async with lessons("entry", size) as (app, pilot):
        await look(app, pilot)
        text = shown(pilot)
        assert "Press: Down until the cursor is on size" in text and "Well done" not in text
        top = next(at for at, line in enumerate(text.splitlines()) if "Lesson: " in line)
        assert top == 0 if size[0] > 80 else top > 12, "at the top where there is room"
        await do_step(app, pilot)
        await look(app, pilot)
        text = shown(pilot)
        assert f"{CHECK} Well done: F7 goes on." in text and "Press:" not in text
        assert f"done    {CHECK} . . . ." in text
        await pilot.press("ctrl+n")
        await look(app, pilot)
        assert app.lesson is not None and app.lesson.at == 1 and f"not done yet    {CHECK} . . . ." in shown(pilot)
        await pilot.press("ctrl+o")
        assert app.lesson.at == 0
        await pilot.press("ctrl+g")
        await settled(pilot)
        assert app.lesson is None and f"Lessons: 0 of {len(_ALL)} done" in shown(pilot) and "1 of 5" in shown(pilot)


async def test_the_pane_of_a_step_has_a_thick_frame() -> None:
    async with lessons("missing-note", (120, 36)) as (app, pilot):
        await look(app, pilot)
        assert "▀ 1 Findings ▀" in shown(pilot)


async def test_what_was_done_is_kept(tmp_path: Path) -> None:
    async with lessons("sizes") as (app, pilot):
        await do_lesson(app, pilot)
        assert f"Lessons: 1 of {len(_ALL)} done" in shown(pilot)
    async with running() as pilot:
        assert f"1 of {len(_ALL)} done" in shown(pilot)
        await pilot.press("L")
        await settled(pilot)
        row = next(line for line in shown(pilot).splitlines() if " Sizes " in line)
        assert f"{CHECK} done" in row
    app = VmciApp(None, Settings(blink=False))
    app.teach(None, None, str(tmp_path))  # a user in a browser
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert f"Lessons: 0 of {len(_ALL)} done" in shown(pilot)


async def test_the_next_step_follows_by_itself_where_the_user_wants_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teacher, "_REST", 0.01)
    async with lessons() as (app, pilot):
        await pilot.press("space")
        assert "by itself" in shown(pilot) and load_progress().advance
        await pilot.press("enter")
        await settled(pilot)
        run = app.lesson
        assert run is not None and run.at == 0
        await press(app, pilot, "down until field == size")
        await look(app, pilot)
        await until(pilot, lambda: run.at == 1)
        assert run.at == 1
        await pilot.press("f6")
        await look(app, pilot)
        await asyncio.sleep(0.1)
        await look(app, pilot)
        assert run.at == 0 and run.done, "not after going back"
        assert "F7 goes on" in shown(pilot)


async def test_a_lesson_with_missing_files_is_reported(tmp_path: Path) -> None:
    shutil.copy(_ALL[0].path, tmp_path / "01-mine.toml")
    async with lessons(None, folder=str(tmp_path)) as (app, pilot):
        (tmp_path / "01-mine.toml").write_text('title = "x"')
        await pilot.press("enter")
        await settled(pilot)
        assert app.lesson is None and "story is missing" in said(pilot)


def test_every_screen_has_its_name_in_conditions() -> None:
    """A condition can distinguish all screens that lessons lead to."""
    named = {
        match
        for path in (ROOT / "vmci_tui" / "tui").rglob("*.py")
        for match in re.findall(r'^    lesson_name = "(\w+)"$', path.read_text(), re.MULTILINE)
    }
    assert named | {"other"} == set(WORDS["screen"][1])


def test_the_command_lists_them(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["lessons", "--list"]) == 0
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == [heading.name for heading in _ALL]
    assert main(["lessons", "sizes", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["lessons"]
    assert [lesson["name"] for lesson in listed] == ["sizes"] and listed[0]["steps"][0]["press"] == ["f"]
    assert main(["lessons", "--folder", str(tmp_path / "gone"), "--list"]) == 3
    assert "is not a folder with lessons" in capsys.readouterr().err
    assert main(["lessons", "entry"]) == 2
    assert "need a terminal" in capsys.readouterr().err
