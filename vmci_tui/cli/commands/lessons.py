"""`vmci lessons`: the list of lessons, one of them begun, or printed for a script."""

from __future__ import annotations

import argparse
import os
import tempfile

from vmci_tui.cli.output import print_json, print_lines
from vmci_tui.cli.streams import on_terminal
from vmci_tui.common.confinement import confine
from vmci_tui.common.errors import UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.common.samples import sample_path
from vmci_tui.lessons.lesson import Lesson, LessonHeading, bundled_folder, find_lesson, headings, load


def run(options: argparse.Namespace) -> int:
    """Run the parsed command; the exit code."""
    folder = os.path.abspath(options.folder) if options.folder else None
    found = headings(folder)
    wanted = find_lesson(options.name, found) if options.name else None
    if options.list or options.json:
        _print([wanted] if wanted else found, options.json)
        return 0
    if wanted is not None:
        load(wanted.path)  # what is wrong with it is said here, and not in an app without a lesson
    return _teach(wanted, folder, options.confined)


def _print(found: tuple[LessonHeading, ...] | list[LessonHeading], as_json: bool) -> None:
    """Every lesson is read whole, so that this finds what is wrong with one."""
    lessons = [load(heading.path) for heading in found]
    if as_json:
        print_json({"lessons": [_json(lesson) for lesson in lessons]})
    else:
        print_lines(
            f"{number:>2}  {visible(lesson.name):<18} {visible(lesson.title)}: {len(lesson.steps)} steps"
            for number, lesson in enumerate(lessons, 1)
        )


def _json(lesson: Lesson) -> dict[str, object]:
    return {
        "name": lesson.name,
        "title": lesson.title,
        "story": lesson.story,
        "files": [visible(os.path.basename(path)) for path in lesson.files],
        "steps": [{"text": step.text, "press": list(step.press)} for step in lesson.steps],
    }


def _teach(wanted: LessonHeading | None, folder: str | None, confined: bool) -> int:
    if not _can_draw():
        raise UsageError("lessons need a terminal", "vmci lessons --list prints them")
    from vmci_tui.tui.app import VmciApp

    app = VmciApp()
    path = wanted.path if wanted else None
    if not confined:
        app.teach(path, folder, None)
        app.run()
        return app.return_code or 0
    with tempfile.TemporaryDirectory(prefix="vmci-lessons-") as allowed:
        allowed = os.path.realpath(allowed)
        confine(allowed, filter(None, (sample_path(""), folder or bundled_folder())))
        app.teach(path, folder, allowed)
        try:
            app.run()
        finally:
            os.chdir(allowed)  # it is emptied by names that are relative
    return app.return_code or 0


def _can_draw() -> bool:
    """A terminal, or a driver of Textual's that draws elsewhere: in a browser."""
    return "TEXTUAL_DRIVER" in os.environ or on_terminal()
