"""The list of lessons."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Footer, Static

from vmci_tui.common.errors import VmciError
from vmci_tui.common.safe_text import visible
from vmci_tui.lessons.lesson import LessonHeading, headings
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.guarded import Guarded
from vmci_tui.tui.host import host
from vmci_tui.tui.style.cells import Row, plain
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.status_line import StatusLine


class LessonsScreen(Guarded, Screen[None]):
    """The titles, and below them the story of the lesson under the cursor."""

    lesson_name = "lessons"

    SCOPED_CSS = False
    DEFAULT_CSS = """
    LessonsScreen #lessons { border: round $accent; border-title-color: $accent; height: 1fr; }
    LessonsScreen #story { height: 5; padding: 0 1; color: $text-muted; border-top: solid $surface-lighten-1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "choose", "Begin", "Start this lesson on copies of its files", "lessons.begin"),
        bind("escape,q", "back", "Back", "Go back, or quit", "lessons.back"),
    ]

    def __init__(self, folder: str | None, back: bool, last: str | None = None) -> None:
        """`back` says whether another screen is open below; `last` is the lesson that just ended."""
        super().__init__()
        self._folder, self._back, self._last = folder, back, last
        self._found: tuple[LessonHeading, ...] = ()

    def compose(self) -> ComposeResult:
        yield StatusLine(" vmci: lessons, each on copies of its files", id="title")
        yield LineList(id="lessons", empty="no lessons here")
        yield Static(id="story")
        yield Footer(compact=True)

    def on_mount(self) -> None:
        listed = self.query_one("#lessons", LineList)
        listed.border_title = "Lessons"
        try:
            self._found = headings(self._folder)
        except VmciError as error:
            listed.empty = str(error)
        listed.set_rows([lesson_row(number, heading) for number, heading in enumerate(self._found, 1)])
        names = [heading.name for heading in self._found]
        if self._last in names:
            listed.select(names.index(self._last) + 1)
        listed.focus()
        self._show_story()

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


def lesson_rows(folder: str | None) -> list[tuple[Row, str]]:
    """Return a row and the path for each lesson of a folder; empty if the folder cannot be read."""
    try:
        return [(lesson_row(number, heading), heading.path) for number, heading in enumerate(headings(folder), 1)]
    except VmciError:
        return []


def lesson_row(number: int, heading: LessonHeading) -> Row:
    return ((f"  {number:>2}  ", "dim"), (f"{visible(heading.title):<32} ", "key"), (visible(heading.story), "dim"))
