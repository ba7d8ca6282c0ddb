"""The first screen without a file: open one, take the tour, recent files, new files to create, lessons, samples."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static

from vmci_tui.common.errors import VmciError
from vmci_tui.common.samples import samples
from vmci_tui.lessons.lesson import LessonHeading, headings, key_of
from vmci_tui.opening.folder_listing import pasted_path
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.guarded import Guarded
from vmci_tui.tui.host import host
from vmci_tui.tui.screens.open_screen import NAME, recent_row
from vmci_tui.tui.style.cells import Row, plain
from vmci_tui.tui.widgets.key_footer import KeyFooter
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.recent_files import RecentFiles
from vmci_tui.tui.widgets.status_line import StatusLine

_TOUR: Final = "missing-note"
"""The name of the lesson that most users came for: a dump that crash calls unknown."""
_RECENT: Final = 8
"""Recent files that are shown at most; all are in the prompt of `o`."""
_OTHERS: Final = 17
"""Lines of a screen for all but recent files: they stay in sight on a screen of 24."""


class StartScreen(Guarded, Screen[None]):
    """A list whose lines each open something; a letter that is not a key begins the name of a file."""

    lesson_name = "start"

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "choose", "Open this", "Open the selected item", "start.choose"),
        bind("o", "open", "Open a file", "Type the name of a file"),
        bind("X", "app.craft", "Craft", "Craft a faulty dump with faults you pick", "start.craft"),
        bind("L", "app.lessons", "Lessons", "Learn step by step, on copies of files", "start.lessons"),
        bind("escape", "back", "Back", "Go back to the open file", "start.back"),
        Binding("q", "app.quit", "Quit", id="quit"),
    ]

    def __init__(self, back: bool = False) -> None:
        super().__init__()
        self._back = back
        """Whether a file is open below this screen."""
        self._opens: list[Callable[[], object] | None] = []
        """What each line does; None for a heading, where the cursor does not stop."""
        self._unfolded = False
        """Whether the samples are listed."""
        self._recent = RecentFiles(self, self._show)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._back if action == "back" else super().check_action(action, parameters)

    def action_back(self) -> None:
        self.app.pop_screen()

    def compose(self) -> ComposeResult:
        yield Static(plain("vmci  Inspect and repair the VMCOREINFO note in VM memory dumps"), id="title")
        yield LineList(id="start")
        yield StatusLine("", id="status")
        yield KeyFooter()

    def on_mount(self) -> None:
        self._look()
        self.query_one("#start", LineList).focus()
        self._moved()

    def on_screen_resume(self) -> None:
        self._look()

    def _look(self) -> None:
        """Show the lines, with the recent files that exist; a user in a browser must not see those of this machine."""
        if host(self).allowed is None:
            self._recent.look()
        self._show()

    def on_resize(self) -> None:
        self._show()

    @property
    def _recent_shown(self) -> int:
        return max(1, min(_RECENT, self.size.height - _OTHERS))

    def _show(self) -> None:
        rows: list[Row] = []
        self._opens = []

        def add_row(row: Row, opens: Callable[[], object]) -> None:
            rows.append(row)
            self._opens.append(opens)

        def add(name: str, words: str, opens: Callable[[], object]) -> None:
            add_row(((f"  {name:<{NAME}} ", "key"), (words, "dim")), opens)

        def head(words: str) -> None:
            rows.extend(((("", "dim"),), ((words, "title"),)))
            self._opens.extend((None, None))

        lessons = _lessons(host(self).lessons_in)
        tour = next((lesson for lesson in (*lessons, *_lessons(None)) if lesson.name == _TOUR), None)
        add("Open a dump, image or entry...", "type its name here, or press o", self.action_open)
        if tour is not None:
            words = "a 2-minute tour: find the lost note"
            add('My crash says "unknown"', words, partial(host(self).start_lesson, tour.path))
        if found := self._recent.files[: self._recent_shown]:
            head("Recent files")
            for item in found:
                add_row(recent_row(item), partial(host(self).open_recent, item.path, item.blob))
        head("Create")
        add("New entry", "a guest's 16 bytes, field by field", host(self).open_new)
        words = "a test dump with faults you pick (X)"
        add("Craft a faulty dump", words, host(self).action_craft)
        head("Learn")
        if lessons:
            steps = (host(self).lesson_progress.lessons.get(key_of(lesson.path)) for lesson in lessons)
            done = sum(item is not None and item.is_complete for item in steps)
            words = f"{f'{done} of ' if done else ''}{len(lessons)}{' done' if done else ', step by step'} (L)"
            add("Lessons", words, partial(self.call_later, self.run_action, "app.lessons"))
        if bundled := samples() if host(self).allowed is None else ():
            add("Samples", f"{len(bundled)} small files, each with one story", self._fold)
            for sample in bundled if self._unfolded else ():
                add(f"  {sample.name}", sample.story, partial(host(self).open, sample.path, sample.blob))
        headings = [number for number, opens in enumerate(self._opens) if opens is None]
        listed = self.query_one("#start", LineList)
        chosen = listed.rows[listed.cursor] if listed.rows else None
        listed.set_rows(rows, headings)
        if chosen in rows:  # others may have come above it
            listed.select(rows.index(chosen))

    def _fold(self) -> None:
        self._unfolded = not self._unfolded
        self._show()

    @on(LineList.Moved, "#start")
    def _moved(self) -> None:
        """Show the whole line in the status line; the list may cut it."""
        listed = self.query_one("#start", LineList)
        words = "  ".join(text.strip() for text, _ in listed.rows[listed.cursor])
        self.query_one(StatusLine).set_text(f"Enter: {words}")

    @on(LineList.Chosen)
    def action_choose(self) -> None:
        opens = self._opens[self.query_one("#start", LineList).cursor]
        if opens is not None:
            opens()

    def on_key(self, event: events.Key) -> None:
        """Take a letter that is not a key as the beginning of a file's name."""
        if event.is_printable and event.character and event.key not in self.active_bindings:
            event.stop()
            host(self).ask_open(event.character)

    def on_paste(self, event: events.Paste) -> None:
        """Take a pasted path: terminals paste that of a file that is dropped on them, in quotes."""
        event.stop()
        host(self).ask_open(pasted_path(event.text))

    def action_open(self) -> None:
        host(self).ask_open()


def _lessons(folder: str | None) -> tuple[LessonHeading, ...]:
    """Return the lessons of a folder; none if it cannot be read."""
    try:
        return headings(folder)
    except VmciError:
        return ()
