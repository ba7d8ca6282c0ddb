"""Test what is kept of the user's progress in lessons, in a file that anyone may have written."""

from __future__ import annotations

import json
import os

import pytest

from vmci_tui.settings.lesson_progress import (
    DoneSteps,
    LessonProgress,
    load_progress,
    progress_file,
    store_progress,
)
from vmci_tui.settings.own_files import LIMIT


def _write(data: bytes) -> None:
    progress_file().parent.mkdir(parents=True, exist_ok=True)
    progress_file().write_bytes(data)


def test_steps_are_added_and_kept() -> None:
    assert load_progress() == LessonProgress()
    progress = LessonProgress().with_step("a", 1, 2).with_step("b", 3, 3).with_step("a", 2, 2)
    assert list(progress.lessons) == ["b", "a"] and progress.lessons["a"].is_complete
    assert not progress.lessons["b"].is_complete
    store_progress(progress._replace(advance=True))
    assert load_progress() == progress._replace(advance=True)


def test_a_lesson_with_other_steps_begins_anew() -> None:
    progress = LessonProgress().with_step("a", 1, 2).with_step("a", 2, 3)
    assert progress.lessons["a"] == DoneSteps(frozenset({2}), 3)


@pytest.mark.parametrize(
    "item",
    [
        {"done": [0, -1, 3, "1", True, None, 1.0], "of": 2}, {"done": [1], "of": 0}, {"done": [1], "of": True},
        {"done": [1], "of": 201}, {"done": 1, "of": 2}, {"of": 2}, [], "x", None,
    ],
)  # fmt: skip
def test_malformed_parts_are_dropped(item: object) -> None:
    _write(json.dumps({"advance": 1, "lessons": {"a": item, "x" * 5000: {"done": [1], "of": 1}}}).encode())
    known = load_progress()
    assert not known.advance and not [steps for steps in known.lessons.values() if steps.done]


@pytest.mark.parametrize("data", [b"[1]", b"\xff", b"[" * 100_000, b"{", b'{"lessons": 5}', b"{}" + b" " * LIMIT])
def test_a_damaged_file_counts_as_empty_and_is_kept(data: bytes) -> None:
    _write(data)
    assert load_progress() == LessonProgress()
    store_progress(LessonProgress(advance=True))
    kept = progress_file().with_name("lessons.json.damaged")
    if len(data) > LIMIT:
        assert progress_file().read_bytes() == data, "a file that is refused is left alone"
    elif data != b'{"lessons": 5}':
        assert kept.read_bytes() == data and load_progress().advance


def test_the_number_of_lessons_is_bounded() -> None:
    store_progress(LessonProgress({f"{number}": DoneSteps(frozenset({1}), 1) for number in range(1000)}))
    assert len(load_progress().lessons) == 500 and "999" in load_progress().lessons


def test_a_folder_that_cannot_be_written_is_no_error() -> None:
    progress_file().parent.parent.mkdir(parents=True, exist_ok=True)
    progress_file().parent.touch()
    store_progress(LessonProgress(advance=True))
    assert load_progress() == LessonProgress() and not os.path.isdir(progress_file().parent)
