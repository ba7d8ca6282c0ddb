"""A lesson that runs in the app: its folder, its step, and the look at the state that tells whether it is done."""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.screen import Screen
from textual.timer import Timer

from vmci_tui.common.errors import UsageError, VmciError

if TYPE_CHECKING:
    from textual.app import App

    from vmci_tui.lessons.lesson import Lesson

    _Base = App[None]
else:
    _Base = object  # a second class of Textual's for one app would be 3 ms of the first paint

_EVERY = 0.1
"""Seconds between two looks at the state."""
_ACTIONS = ("lesson_back", "lesson_next", "lesson_reset", "lesson_end")


class Run:
    """A lesson and how far it is."""

    def __init__(self, lesson: Lesson, folder: str, before: str) -> None:
        """`folder` has the copies of its files, and is the current one while it runs; `before` was it before."""
        self.lesson, self.folder, self.before = lesson, folder, before
        self.at = 0
        self.done = False
        """Whether the condition of this step held since it began."""
        self._file: tuple[tuple[int, ...], bool] = ((), False)

    @property
    def opened(self) -> str:
        return os.path.basename(self.lesson.files[0])

    def changed(self) -> bool:
        """Whether the file that was opened is another than the lesson's; read only where it may have changed."""
        try:
            status = os.stat(os.path.join(self.folder, self.opened))
            stamp = status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
            if stamp != self._file[0]:
                import filecmp

                self._file = stamp, not filecmp.cmp(os.path.join(self.folder, self.opened), self.lesson.files[0], False)
        except OSError:
            return True
        return self._file[1]


LESSON_BINDINGS = (
    Binding("L", "app.lessons", "Lessons", tooltip="Learn it step by step, on copies", id="lessons", show=False),
    Binding("f6", "app.lesson_back", "Lesson: back", tooltip="The step before", id="lesson.back", show=False,
            priority=True),
    Binding("f7", "app.lesson_next", "Lesson: next", tooltip="Next step, or skip it", id="lesson.next", show=False,
            priority=True),
    Binding("f8", "app.lesson_reset", "Lesson: reset", tooltip="From the first step, files anew", id="lesson.reset",
            show=False, priority=True),
    Binding("f9", "app.lesson_end", "Lesson: leave", tooltip="Back to the lessons", id="lesson.end", show=False,
            priority=True),
)  # fmt: skip
"""For the app: they work on every screen, dialogs too."""


class LessonApp(_Base):
    """The part of the app that teaches."""

    lesson: Run | None = None
    lessons_in: str | None = None
    """The folder of lessons; None for the bundled ones."""
    allowed: str | None = None
    """The only folder whose files may be opened and saved; None for all."""
    teaching = False
    """Whether the app began with lessons."""
    _first_lesson: str | None = None
    _looks: Timer | None = None

    def teach(self, path: str | None, folder: str | None, allowed: str | None) -> None:
        """To be called before the app runs: begin with this lesson, or with the list of the folder's."""
        self.teaching = True
        self._first_lesson, self.lessons_in, self.allowed = path, folder, allowed

    def open(self, path: str, blob: str | None = None) -> bool:
        raise NotImplementedError

    async def put_in_place(self, screen: Screen[None]) -> None:
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.lesson is not None if action in _ACTIONS else super().check_action(action, parameters)

    def show_lessons(self, back: bool = True) -> None:
        """The list of lessons; `back` tells whether something is open below it."""
        from vmci_tui.tui.lessons.list_screen import LessonsScreen

        self.push_screen(LessonsScreen(self.lessons_in, back))

    def action_lessons(self) -> None:
        """The list of lessons, over what is open; from within one there is its own way back (F9)."""
        from vmci_tui.tui.lessons.list_screen import LessonsScreen

        if self.lesson is None and not isinstance(self.screen, LessonsScreen):
            self.show_lessons()

    def begin_lessons(self) -> None:
        """What `teach` asked for, when the app is there."""
        self.show_lessons(back=False)
        if self._first_lesson is not None:
            self.start_lesson(self._first_lesson)

    def start_lesson(self, path: str) -> None:
        """Copy the lesson's files and begin; what is wrong with it is said."""
        from vmci_tui.lessons.lesson import copy_files, load

        if self.lesson is None and self.has_unsaved():
            self._say(UsageError("there are edits that are not saved", "save or undo them first"))
            return
        try:
            lesson = load(path)
            self._drop_lesson()
            run = Run(lesson, tempfile.mkdtemp(prefix="vmci-lesson-"), _current())
            self.lesson = run
            copy_files(lesson, run.folder)
        except (VmciError, OSError) as error:
            self._drop_lesson()
            self._say(error)
            return
        # Names typed in a lesson mean its own files.
        os.chdir(run.folder)
        self._open_files(run)
        self.refresh_bindings()
        self._looks = self._looks or self.set_interval(_EVERY, self.look)

    def _open_files(self, run: Run) -> None:
        if not self.open(run.opened, run.lesson.entry):
            self._drop_lesson()

    def _say(self, error: Exception) -> None:
        from vmci_tui.tui.style.cells import safe

        self.notify(safe(str(error)), severity="error", markup=False)

    def look(self) -> None:
        """Whether the step is done by now; show it, on the screen that is on top."""
        from vmci_tui.lessons.conditions import holds
        from vmci_tui.tui.lessons.observe import point_at, seen
        from vmci_tui.tui.lessons.panel import put_in

        run = self.lesson
        if run is None or (panel := put_in(self.screen)) is None:
            return
        step = run.lesson.steps[run.at]
        if not run.done:
            run.done = step.done is None or holds(step.done, seen(self, run.changed()))
        if panel.show_step(run.lesson, run.at, run.done):
            point_at(self.screen, step.at)

    def action_lesson_next(self) -> None:
        """The next step, whether this one is done or skipped; after the last the lessons again."""
        if (run := self.lesson) is None:
            return
        if run.at + 1 == len(run.lesson.steps):
            self.action_lesson_end()
        else:
            self._go_to(run, run.at + 1)

    def action_lesson_back(self) -> None:
        """The step before; what was done stays."""
        if (run := self.lesson) is not None and run.at:
            self._go_to(run, run.at - 1)

    def _go_to(self, run: Run, at: int) -> None:
        run.at, run.done = at, False
        self.look()

    def action_lesson_reset(self) -> None:
        """The files as they were, and the first step."""
        from vmci_tui.lessons.lesson import copy_files

        if (run := self.lesson) is None:
            return
        try:
            copy_files(run.lesson, run.folder)
        except VmciError as error:
            self._say(error)
            return
        run.at, run.done = 0, False
        self._open_files(run)

    def action_lesson_end(self) -> None:
        """Away with the copies; the list of lessons again."""
        if self.lesson is not None:
            from vmci_tui.tui.lessons.list_screen import LessonsScreen

            name = self.lesson.lesson.name
            self._drop_lesson()
            # Later: the screen that is taken away may be the one whose click this is, and would wait for itself.
            self.call_later(self.put_in_place, LessonsScreen(self.lessons_in, False, name))

    def has_unsaved(self) -> bool:
        """Whether what is open was edited and not saved."""
        raise NotImplementedError

    def let_go(self) -> None:
        """Close the files that are open."""
        raise NotImplementedError

    def _drop_lesson(self) -> None:
        run, self.lesson = self.lesson, None
        if run is not None:
            self.let_go()
            os.chdir(run.before)
            with contextlib.suppress(OSError):
                for name in os.listdir(run.folder):
                    os.unlink(os.path.join(run.folder, name))
                os.rmdir(run.folder)

    def on_unmount(self) -> None:
        self._drop_lesson()


def _current() -> str:
    """The current folder; the root where it is gone."""
    try:
        return os.getcwd()
    except OSError:
        return "/"
