"""The lesson that runs in the app: its folder, its current step, and the check whether the step is done."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from textual.timer import Timer

from vmci_tui.common.errors import UsageError, VmciError
from vmci_tui.settings.lesson_progress import LessonProgress, load_progress, store_progress
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.host import host
from vmci_tui.tui.style.cells import safe

if TYPE_CHECKING:
    from textual.app import App

    from vmci_tui.lessons.lesson import Lesson

LessonAction = Literal["back", "next", "reset", "end"]
_EVERY = 0.1
"""Seconds between two checks of the state."""
_REST = 2.0
"""Seconds in which a learner sees that a step is done before the next one follows by itself."""


class LessonRun:
    """A lesson in progress."""

    def __init__(self, path: str, lesson: Lesson, folder: str, before: str) -> None:
        """`path` is that of the lesson's file.

        `folder` has the copies of its files and is the working directory; `before` was that before the lesson.
        """
        self.path, self.lesson, self.folder, self.before = path, lesson, folder, before
        self.at = 0
        self.done = False
        """Whether the condition of this step held since it began."""
        self.finished: frozenset[int] = frozenset()
        """The indices of all steps that were done in this run."""
        self.went_back = False
        """Whether this step was done before: the next one then does not follow by itself."""
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
    ("f6,ctrl+o", "back", "back", "Go to the previous step"),
    ("f7,ctrl+n", "next", "next", "Go to the next step"),
    ("f8,ctrl+t", "reset", "reset", "Restart with fresh copies"),
    ("f9,ctrl+g", "end", "leave", "Back to the lessons"),
)
"""The function keys are taken by byobu; no multiplexer, shell or field of text takes the control keys."""
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
        self._progress: LessonProgress | None = None

    def teach(self, path: str | None, folder: str | None) -> None:
        """Begin with this lesson, or with the list of the folder's; call it before the app runs."""
        self.begins, self._first, self.folder = True, path, folder

    @property
    def progress(self) -> LessonProgress:
        """Return what the user has done so far; in a browser's session only what was done in it."""
        if self._progress is None:
            stored = host(self._app).allowed is None
            self._progress = load_progress() if stored else LessonProgress()
        return self._progress

    def _keep(self, progress: LessonProgress) -> None:
        if progress != self.progress:
            self._progress = progress
            if host(self._app).allowed is None:
                store_progress(progress)

    def switch_advance(self) -> None:
        """Let the next step follow by itself, or no longer."""
        self._keep(self.progress._replace(advance=not self.progress.advance))

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
            run = LessonRun(path, lesson, tempfile.mkdtemp(prefix="vmci-lesson-"), _current())
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
        from vmci_tui.tui.lessons.panel import PanelState, ensure_panel

        run = self.run
        if run is None or (panel := ensure_panel(self._app.screen)) is None:
            return
        step = run.lesson.steps[run.at]
        if not run.done:
            run.done = step.done is None or holds(step.done, ui_state(self._app, run.changed()))
            if run.done:
                self._finish_step(run)
        follows = self.progress.advance and not run.went_back
        if panel.show_step(PanelState(run.lesson, run.at, run.done, run.finished, follows)):
            point_at(self._app.screen, step.at)

    def _finish_step(self, run: LessonRun) -> None:
        """Keep that the step is done, and let the next one follow if the user wants that."""
        from vmci_tui.lessons.lesson import key_of

        run.went_back = run.at in run.finished
        run.finished |= {run.at}
        self._keep(self.progress.with_step(key_of(run.path), run.at + 1, len(run.lesson.steps)))
        if self.progress.advance and not run.went_back and run.at + 1 < len(run.lesson.steps):
            self._app.set_timer(_REST, partial(self._follow, run, run.at))

    def _follow(self, run: LessonRun, at: int) -> None:
        """Go to the step after the one at index `at`, if that is still shown."""
        if self.run is run and run.at == at and run.done:
            self.next()

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
        run.at, run.done, run.went_back = at, False, False
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
        run.at, run.done, run.finished, run.went_back = 0, False, frozenset(), False
        self._open_files(run)

    def end(self) -> None:
        """Remove the copies and show the list of lessons."""
        if self.run is not None:
            from vmci_tui.tui.lessons.list_screen import LessonsScreen

            path = self.run.path
            self.drop()
            # Deferred: removing the screen that is handling this click would deadlock.
            self._app.call_later(host(self._app).replace_screens, LessonsScreen(self.folder, False, path))

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
