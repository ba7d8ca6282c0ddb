"""Every lesson from start to end by its own keys, and what the panel does, at two sizes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.driving import said, settled, shown, type_text
from vmci_tui.core.conditions import holds, parse
from vmci_tui.core.lessons import TYPE, UNTIL, Heading, find_lesson, headings
from vmci_tui.settings import Settings
from vmci_tui.tui.app import VmciApp
from vmci_tui.tui.lessonlist import LessonsScreen
from vmci_tui.tui.lessonpanel import LessonPanel
from vmci_tui.tui.lessonseen import seen

_ALL = headings()
_SIZES = [(80, 24), (200, 60)]
_PATIENCE = 5.0
"""Seconds for a condition to hold after the keys: a real QEMU is asked in one lesson."""
_REPEATS = 60


@asynccontextmanager
async def lessons(
    name: str | None = None, size: tuple[int, int] = (80, 24), folder: str | None = None
) -> AsyncIterator[tuple[VmciApp, Pilot[None]]]:
    """The app on a lesson, or on the list of them."""
    app = VmciApp(None, Settings(blink=False))
    app.animation_level = "none"
    app.teach(find_lesson(name, headings(folder)).path if name else None, folder, None)
    async with app.run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
        yield app, pilot


async def look(app: VmciApp, pilot: Pilot[Any]) -> None:
    """As the timer does: twice, since the panel of a new screen is made by the first look."""
    for _ in range(2):
        app.look()
        await pilot.pause()


async def press(app: VmciApp, pilot: Pilot[Any], item: str) -> None:
    if item.startswith(TYPE):
        await type_text(pilot, item.removeprefix(TYPE))
    elif UNTIL in item:
        key, _, condition = item.partition(UNTIL)
        for _ in range(_REPEATS):
            if holds(parse(condition), seen(app, changed=False)):
                return
            await pilot.press(key)
            await settled(pilot)
        raise AssertionError(f"{item}: it never is")
    else:
        await pilot.press(item)
    await settled(pilot)


async def do_step(app: VmciApp, pilot: Pilot[Any]) -> None:
    """Press what the step says, until its condition holds."""
    run = app.lesson
    assert run is not None
    step = run.lesson.steps[run.at]
    where = f"{run.lesson.name}, step {run.at + 1}"
    if step.done is not None:
        assert not holds(step.done, seen(app, run.changed())), f"{where}: it is done before anything was pressed"
    for before, item in zip(("", *step.press), step.press, strict=False):
        if item == before == "enter":
            await pilot.pause(0.3)  # a second press that comes at once is a slip: Textual's buttons ignore it
        await press(app, pilot, item)
    deadline = time.monotonic() + _PATIENCE
    while not run.done and time.monotonic() < deadline:
        await look(app, pilot)
        await asyncio.sleep(0.02)
    assert run.done, f"{where}: not done by {step.press}:\n{shown(pilot)}\n{said(pilot)}"


async def do_lesson(app: VmciApp, pilot: Pilot[Any]) -> None:
    run = app.lesson
    assert run is not None
    for at in range(len(run.lesson.steps)):
        assert run.at == at
        await look(app, pilot)
        await do_step(app, pilot)
        await look(app, pilot)
        panel = app.screen.query_one(LessonPanel)
        assert panel.has_class("done") and "F7" in shown(pilot), shown(pilot)
        await pilot.press("f7")
        await settled(pilot)
    assert app.lesson is None and isinstance(app.screen, LessonsScreen)


@pytest.mark.parametrize("size", _SIZES, ids=str)
@pytest.mark.parametrize("heading", _ALL, ids=lambda heading: heading.name)
async def test_each_lesson_from_start_to_end(heading: Heading, size: tuple[int, int]) -> None:
    async with lessons(heading.name, size) as (app, pilot):
        assert app.lesson is not None
        folder = app.lesson.folder
        await do_lesson(app, pilot)
        assert not os.path.exists(folder)
