"""The lesson that runs in the app: its folder, its current step, and the check whether the step is done."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from textual.timer import Timer

from vmci_tui.common.errors import UsageError, VmciError
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.host import host
from vmci_tui.tui.style.cells import safe

if TYPE_CHECKING:
    from textual.app import App

    from vmci_tui.lessons.lesson import Lesson

LessonAction = Literal["back", "next", "reset", "end"]
_EVERY = 0.1
"""Seconds between two checks of the state."""


class LessonRun:
    """A lesson in progress."""

    def __init__(self, lesson: Lesson, folder: str, before: str) -> None:
        """`folder` has the copies of its files and is the working directory; `before` was that before the lesson."""
        self.lesson, self.folder, self.before = lesson, folder, before
        self.at = 0
        self.done = False
        """Whether the condition of this step held since it began."""
        self._file: tuple[tuple[int, ...], bool] = ((), False)

    @property
    def opened(self) -> str:
        return os.path.basename(self.lesson.files[0])

    def changed(self) -> bool:
        """Return whether the opened copy differs from the lesson's file; compare only if its status changed."""
        try:
            status = os.stat(os.path.join(self.folder, self.opened))
            stamp = status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
            if stamp != self._file[0]:
                import filecmp

                self._file = stamp, not filecmp.cmp(os.path.join(self.folder, self.opened), self.lesson.files[0], False)
        except OSError:
            return True
        return self._file[1]


_KEYS: tuple[tuple[str, LessonAction, str, str], ...] = (
    ("f6", "back", "back", "Go to the previous step"),
    ("f7", "next", "next", "Go to the next step"),
    ("f8", "reset", "reset", "Restart with fresh copies"),
    ("f9", "end", "leave", "Back to the lessons"),
)
LESSON_BINDINGS = (
    bind("L", "app.lessons", "Lessons", "Learn step by step, on copies of files", "lessons", show=False),
    *(
        replace(bind(key, f"app.lesson('{name}')", f"Lesson: {label}", tip, f"lesson.{name}", False), priority=True)
        for key, name, label, tip in _KEYS
    ),
)
"""Bindings of the app: they work on every screen, dialogs included."""


class Teacher:
    """Runs lessons in an app."""

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self.run: LessonRun | None = None
        """The running lesson."""
        self.folder: str | None = None
        """The folder of lessons; None for the bundled ones."""
        self.begins = False
        """Whether the app starts with lessons."""
        self._first: str | None = None
        self._timer: Timer | None = None

    def teach(self, path: str | None, folder: str | None) -> None:
        """Begin with this lesson, or with the list of the folder's; call it before the app runs."""
        self.begins, self._first, self.folder = True, path, folder

    def _show_list(self, back: bool = True) -> None:
        """Show the list of lessons; `back` says whether another screen is open below it."""
        from vmci_tui.tui.lessons.list_screen import LessonsScreen

        self._app.push_screen(LessonsScreen(self.folder, back))

    def show_list(self) -> None:
        """Show the list of lessons over the open file; not in a lesson, which F9 leaves."""
        from vmci_tui.tui.lessons.list_screen import LessonsScreen

        if self.run is None and not isinstance(self._app.screen, LessonsScreen):
            self._show_list()

    def begin(self) -> None:
        """Show what `teach` asked for; the app runs now."""
        self._show_list(back=False)
        if self._first is not None:
            self.start(self._first)

    def start(self, path: str) -> None:
        """Copy the lesson's files and start it; report an error if that fails."""
        from vmci_tui.lessons.lesson import copy_files, load

        if self.run is None and host(self._app).has_unsaved():
            self._say(UsageError("there are unsaved edits", "save or undo them first"))
            return
        try:
            lesson = load(path)
            self.drop()
            run = LessonRun(lesson, tempfile.mkdtemp(prefix="vmci-lesson-"), _current())
            self.run = run
            copy_files(lesson, run.folder)
        except (VmciError, OSError) as error:
            self.drop()
            self._say(error)
            return
        # File names that the user types in a lesson mean the lesson's files.
        os.chdir(run.folder)
        host(self._app).versions = {}  # a lesson is about the default ones
        self._open_files(run)
        self._app.refresh_bindings()
        self._timer = self._timer or self._app.set_interval(_EVERY, self.check_step)

    def _open_files(self, run: LessonRun) -> None:
        if not host(self._app).open(run.opened, run.lesson.entry):
            self.drop()

    def _say(self, error: Exception) -> None:
        self._app.notify(safe(str(error)), severity="error", markup=False)

    def check_step(self) -> None:
        """Check whether the step is done, and show it on the topmost screen."""
        from vmci_tui.lessons.conditions import holds
        from vmci_tui.tui.lessons.observe import point_at, ui_state
        from vmci_tui.tui.lessons.panel import ensure_panel

        run = self.run
        if run is None or (panel := ensure_panel(self._app.screen)) is None:
            return
        step = run.lesson.steps[run.at]
        if not run.done:
            run.done = step.done is None or holds(step.done, ui_state(self._app, run.changed()))
        if panel.show_step(run.lesson, run.at, run.done):
            point_at(self._app.screen, step.at)

    def act(self, name: LessonAction) -> None:
        """Do what a key of the lesson asks for."""
        {"back": self.back, "next": self.next, "reset": self.reset, "end": self.end}[name]()

    def next(self) -> None:
        """Go to the next step, whether this one is done or not; after the last step end the lesson."""
        if (run := self.run) is None:
            return
        if run.at + 1 == len(run.lesson.steps):
            self.end()
        else:
            self._go_to(run, run.at + 1)

    def back(self) -> None:
        """Go to the previous step; edits stay."""
        if (run := self.run) is not None and run.at:
            self._go_to(run, run.at - 1)

    def _go_to(self, run: LessonRun, at: int) -> None:
        run.at, run.done = at, False
        self.check_step()

    def reset(self) -> None:
        """Copy the files again and go to the first step."""
        from vmci_tui.lessons.lesson import copy_files

        if (run := self.run) is None:
            return
        try:
            copy_files(run.lesson, run.folder)
        except VmciError as error:
            self._say(error)
            return
        run.at, run.done = 0, False
        self._open_files(run)

    def end(self) -> None:
        """Remove the copies and show the list of lessons."""
        if self.run is not None:
            from vmci_tui.tui.lessons.list_screen import LessonsScreen

            name = self.run.lesson.name
            self.drop()
            # Deferred: removing the screen that is handling this click would deadlock.
            self._app.call_later(host(self._app).replace_screens, LessonsScreen(self.folder, False, name))

    def drop(self) -> None:
        run, self.run = self.run, None
        if run is not None:
            host(self._app).close_files()
            host(self._app).versions = host(self._app).settings.readers
            os.chdir(run.before)
            with contextlib.suppress(OSError):
                for name in os.listdir(run.folder):
                    os.unlink(os.path.join(run.folder, name))
                os.rmdir(run.folder)


def _current() -> str:
    """Return the working directory, or the root if it no longer exists."""
    try:
        return os.getcwd()
    except OSError:
        return "/"
