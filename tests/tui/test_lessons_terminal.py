"""Test every lesson from start to end in a real terminal, by the keys of its steps and by mouse alone."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable

import pytest

from tests.paths import DATA
from tests.real import readers
from tests.tui.lesson_terminal import LessonTerminal
from tests.tui.test_lessons import do_lesson, lessons
from vmci_tui.lessons.lesson import LessonHeading, headings, load

_ALL = headings()
_SIZES = [(80, 24), (200, 60)]
_MOUSE: dict[str, list[list[str]]] = tomllib.loads((DATA / "lessons_by_mouse.toml").read_text())
each = pytest.mark.parametrize("heading", _ALL, ids=lambda heading: heading.name)
both_sizes = pytest.mark.parametrize("size", _SIZES, ids=str)


def _need_programs(heading: LessonHeading) -> None:
    if "qemu" in heading.name:  # it asks a real one
        readers.need("qemu-system-x86_64")


def _drive(
    heading: LessonHeading,
    size: tuple[int, int],
    steps: list[list[str]],
    do: Callable[[LessonTerminal, list[str]], None],
    onward: str,
) -> None:
    """Do each step, check that the panel shows it as done, continue by `onward`; at the end see the list."""
    with LessonTerminal(heading.name, size) as lesson:
        for number, step in enumerate(steps, 1):
            lesson.at_step(number, len(steps))
            do(lesson, step)
            lesson.is_done()
            do(lesson, [onward])
        lesson.until("Begin")


@both_sizes
@each
async def test_by_keys_alone(heading: LessonHeading, size: tuple[int, int]) -> None:
    """Do the steps in a headless app, where conditions can be checked, then with the same keys in a terminal."""
    _need_programs(heading)
    async with lessons(heading.name, size) as (app, pilot):
        assert app.lesson is not None
        folder = app.lesson.folder
        steps = await do_lesson(app, pilot)
        assert not os.path.exists(folder)
    _drive(heading, size, steps, LessonTerminal.press, "f7")


@both_sizes
@each
def test_by_mouse_alone(heading: LessonHeading, size: tuple[int, int]) -> None:
    _need_programs(heading)
    steps = _MOUSE[heading.name]
    assert len(steps) == len(load(heading.path).steps)
    _drive(heading, size, steps, LessonTerminal.use_mouse, "click [F7 ")
