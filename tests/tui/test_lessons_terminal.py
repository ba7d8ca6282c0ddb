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


def _in_turn(first: int) -> pytest.MarkDecorator:
    """Parametrize by lesson and size: the sizes take turns; the other size of each lesson is a long test."""
    cases = [
        pytest.param(heading, size, marks=() if (number + place + first) % 2 == 0 else pytest.mark.long)
        for number, heading in enumerate(_ALL)
        for place, size in enumerate(_SIZES)
    ]
    names = [f"{heading.name}-{columns}x{rows}" for heading in _ALL for columns, rows in _SIZES]
    return pytest.mark.parametrize(("heading", "size"), cases, ids=names)


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


@_in_turn(0)
async def test_by_keys_alone(heading: LessonHeading, size: tuple[int, int]) -> None:
    """Do the steps in a headless app, where conditions can be checked, then with the same keys in a terminal."""
    _need_programs(heading)
    async with lessons(heading.name, size) as (app, pilot):
        assert app.lesson is not None
        folder = app.lesson.folder
        steps = await do_lesson(app, pilot)
        assert not os.path.exists(folder)
    _drive(heading, size, steps, LessonTerminal.press, "f7")


@_in_turn(1)
def test_by_mouse_alone(heading: LessonHeading, size: tuple[int, int]) -> None:
    _need_programs(heading)
    steps = _MOUSE[heading.name]
    assert len(steps) == len(load(heading.path).steps)
    _drive(heading, size, steps, LessonTerminal.use_mouse, "click [F7 ")
