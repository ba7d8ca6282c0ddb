"""The list of lessons."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Static

from vmci_tui.common.errors import VmciError
from vmci_tui.common.safe_text import visible
from vmci_tui.lessons.lesson import LessonHeading, headings, key_of
from vmci_tui.settings.lesson_progress import DoneSteps
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.guarded import Guarded
from vmci_tui.tui.host import host
from vmci_tui.tui.style.cells import CHECK, Row, plain
from vmci_tui.tui.widgets.key_footer import KeyFooter
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.status_line import StatusLine


class LessonsScreen(Guarded, Screen[None]):
    """The titles, and below them the story of the lesson under the cursor."""

    lesson_name = "lessons"

    SCOPED_CSS = False
    DEFAULT_CSS = """
    LessonsScreen #lessons { border: round $accent; border-title-color: $accent; height: 1fr; }
    LessonsScreen #lessons { border-subtitle-color: $text-muted; }
    LessonsScreen #story { height: 5; padding: 0 1; color: $text-muted; border-top: solid $surface-lighten-1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "choose", "Begin", "Start this lesson on copies of its files", "lessons.begin"),
        bind("space", "advance", "Auto-advance", "Let the next step follow by itself, or no longer", "lessons.advance"),
        bind("escape,q", "back", "Back", "Go back, or quit", "lessons.back"),
    ]

    def __init__(self, folder: str | None, back: bool, last: str | None = None) -> None:
        """`back` says whether another screen is open below; `last` is the path of the lesson that just ended."""
        super().__init__()
        self._folder, self._back, self._last = folder, back, last
        self._found: tuple[LessonHeading, ...] = ()

    def compose(self) -> ComposeResult:
        yield StatusLine(" vmci: lessons, each on copies of its files", id="title")
        yield LineList(id="lessons", empty="no lessons here")
        yield Static(id="story")
        yield KeyFooter()

    def on_mount(self) -> None:
        listed = self.query_one("#lessons", LineList)
        try:
            self._found = headings(self._folder)
        except VmciError as error:
            listed.empty = str(error)
        paths = [heading.path for heading in self._found]
        self._show_lessons()
        if self._last in paths:
            steps = host(self).lesson_progress.lessons.get(key_of(self._last or ""))
            listed.select(paths.index(self._last) + (steps is not None and steps.is_complete))
        listed.focus()
        self._show_story()

    def _show_lessons(self) -> None:
        """Show what is done of each lesson, and whether steps follow by themselves."""
        known, listed = host(self).lesson_progress, self.query_one("#lessons", LineList)
        steps = [known.lessons.get(key_of(heading.path)) for heading in self._found]
        listed.set_rows([lesson_row(n, *both) for n, both in enumerate(zip(self._found, steps, strict=True), 1)])
        done = sum(item is not None and item.is_complete for item in steps)
        follows = "by itself, 2 seconds after a step is done" if known.advance else "by F7 or Ctrl+N"
        listed.border_title = f"Lessons: {done} of {len(steps)} done"
        listed.border_subtitle = f"the next step follows {follows}"

    def action_advance(self) -> None:
        host(self).switch_advance()
        self._show_lessons()

    @on(LineList.Moved, "#lessons")
    def _show_story(self) -> None:
        heading = self._heading()
        self.query_one("#story", Static).update(plain(visible(heading.story) if heading else ""))

    def _heading(self) -> LessonHeading | None:
        at = self.query_one("#lessons", LineList).cursor
        return self._found[at] if at < len(self._found) else None

    @on(LineList.Chosen, "#lessons")
    def action_choose(self) -> None:
        heading = self._heading()
        if heading is not None:
            host(self).start_lesson(heading.path)

    def action_back(self) -> None:
        if self._back:
            self.app.pop_screen()
        else:
            self.app.exit()


def lesson_row(number: int, heading: LessonHeading, steps: DoneSteps | None) -> Row:
    """Return the line of a lesson: its number, how much of it is done, title and story."""
    complete = steps is not None and steps.is_complete
    words = "" if steps is None else "done" if complete else f"{len(steps.done)} of {steps.of}"
    return (
        (f"  {number:>2} ", "dim"),
        (CHECK if complete else " ", "good"),
        (f" {words:<8} ", "good" if complete else "warning"),
        (f"{visible(heading.title):<32} ", "key"),
        (visible(heading.story), "dim"),
    )
