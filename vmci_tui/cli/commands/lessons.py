"""`vmci lessons`: open the lessons in the app, or list them."""

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
    """Run the command and return its exit code."""
    folder = os.path.abspath(options.folder) if options.folder else None
    found = headings(folder)
    wanted = find_lesson(options.name, found) if options.name else None
    if options.list or options.json:
        _print([wanted] if wanted else found, options.json)
        return 0
    if wanted is not None:
        load(wanted.path)  # report a malformed lesson here, before the app opens
    return _teach(wanted, folder, options.confined)


def _print(found: tuple[LessonHeading, ...] | list[LessonHeading], as_json: bool) -> None:
    """Print the lessons. Each is loaded completely, so that errors in one are found."""
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
        raise UsageError("lessons need a terminal", "list them with vmci lessons --list")
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
            os.chdir(allowed)  # TemporaryDirectory removes its files by relative names
    return app.return_code or 0


def _can_draw() -> bool:
    """Return whether there is a terminal, or a Textual driver that draws elsewhere (in a browser)."""
    return "TEXTUAL_DRIVER" in os.environ or on_terminal()
