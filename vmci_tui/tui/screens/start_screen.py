"""The first screen without a file: recent files, lessons, samples, and new files to create."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, Static

from vmci_tui.common.safe_text import visible
from vmci_tui.common.samples import samples
from vmci_tui.settings import settings
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.guarded import Guarded
from vmci_tui.tui.host import host
from vmci_tui.tui.lessons.list_screen import lesson_rows
from vmci_tui.tui.style.cells import Row, plain
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.status_line import StatusLine


class StartScreen(Guarded, Screen[None]):
    """A list whose lines each open something."""

    lesson_name = "start"

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "choose", "Open this", "Open the selected item", "start.choose"),
        bind("o", "open", "Open a file", "Type the name of a file"),
        bind("n", "new", "New entry", "Create an entry", "start.new"),
        bind("c", "craft", "Craft", "Craft a faulty dump with faults you pick", "start.craft"),
        bind("escape", "back", "Back", "Go back to the open file", "start.back"),
        Binding("q", "app.quit", "Quit", id="quit"),
    ]

    def __init__(self, back: bool = False) -> None:
        super().__init__()
        self._back = back
        """Whether a file is open below this screen."""

    def action_back(self) -> None:
        if self._back:
            self.app.pop_screen()
        else:
            self.app.exit()

    def compose(self) -> ComposeResult:
        yield Static(plain("vmci  Inspect and repair the VMCOREINFO note in VM memory dumps"), id="title")
        yield LineList(id="start")
        yield StatusLine("Enter: open the selected item. o: open another file", id="status")
        yield Footer(compact=True)

    def on_mount(self) -> None:
        rows: list[Row] = []
        self._opens: list[tuple[str, str | None] | Callable[[], None] | None] = []

        def add(row: Row, opens: tuple[str, str | None] | Callable[[], None] | None) -> None:
            rows.append(row)
            self._opens.append(opens)

        add((("Create", "title"),), None)
        add(((f"  {'New entry':<34} ", "key"), ("a new entry, field by field", "dim")), self.action_new)
        words = "a test dump with faults you pick; see which tools reject it"
        add(((f"  {'Craft a faulty dump':<34} ", "key"), (words, "dim")), self.action_craft)
        add((("", "dim"),), None)
        shared = host(self).allowed is not None  # a user in a browser must not see files of this machine
        if found := () if shared else settings.recent():
            add((("Recent files", "title"),), None)
            for path, blob in found:
                beside = f"  + {visible(blob)}" if blob else ""
                add((("  ", "dim"), (visible(path), "value"), (beside, "dim")), (path, blob))
            add((("", "dim"),), None)
        add((("Lessons: step by step, on copies of files", "title"),), None)
        for row, path in lesson_rows(host(self).lessons_in):
            add(row, partial(host(self).start_lesson, path))
        add((("", "dim"),), None)
        add((("Samples", "title"),), None)
        for sample in () if shared else samples():
            add(((f"  {sample.name:<34} ", "key"), (sample.story, "dim")), (sample.path, sample.blob))
        listed = self.query_one("#start", LineList)
        listed.set_rows(rows)
        first = next((index for index, opens in enumerate(self._opens) if isinstance(opens, tuple)), 1)
        listed.select(first)
        listed.focus()

    @on(LineList.Moved, "#start")
    def _moved(self) -> None:
        """Show the whole story in the status line; the list may cut it."""
        listed = self.query_one("#start", LineList)
        self.query_one(StatusLine).set_text("".join(text for text, _ in listed.rows[listed.cursor][1:]))

    @on(LineList.Chosen)
    def action_choose(self) -> None:
        opens = self._opens[self.query_one("#start", LineList).cursor]
        if isinstance(opens, tuple):
            host(self).open(*opens)
        elif opens is not None:
            opens()

    def action_open(self) -> None:
        host(self).ask_open()

    def action_new(self) -> None:
        host(self).open_new()

    def action_craft(self) -> None:
        host(self).action_craft()
