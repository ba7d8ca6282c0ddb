"""The kernel's log: its lines with the colour of their level, those that report a failure marked."""

from __future__ import annotations

import os
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from vmci_tui.adoption.text_to_read import text_to_read
from vmci_tui.common.errors import FileTaken
from vmci_tui.common.progress import Progress
from vmci_tui.common.safe_text import typed_path, visible
from vmci_tui.containers.guest import guest_of
from vmci_tui.kernel.log.read_log import read_log
from vmci_tui.kernel.log.record import KernelLog
from vmci_tui.render.kernel.log_view import VIEWS, LogLine, LogView, record_words, views_of
from vmci_tui.saving.new_file import write_new
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.prompts import ask, say
from vmci_tui.tui.session import Session
from vmci_tui.tui.style.cells import LazyRows, Row, plain
from vmci_tui.tui.widgets.key_footer import KeyFooter
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.status_line import StatusLine
from vmci_tui.tui.widgets.worker_screen import WorkerScreen

_LEVELS = ("error", "error", "error", "error", "warning", "title", "value", "dim")
"""The style of each level."""
_MARKS = {"panic": "!! ", "oops": "!  ", "warning": "*  ", None: "   "}
"""Before a line that reports a failure, because colours alone do not reach everyone."""


class LogScreen(WorkerScreen[None]):
    """Shows the log that the note of a session leads to."""

    lesson_name = "log"
    SCOPED_CSS = False
    DEFAULT_CSS = """
    LogScreen #log { height: 1fr; border: round $surface-lighten-2; }
    LogScreen #log:focus { border: round $accent; border-title-color: $accent; }
    LogScreen #told { height: 6; border: round $surface-lighten-2; padding: 0 1; }
    LogScreen #told:focus { border: round $accent; }
    LogScreen #remarks { height: auto; max-height: 4; color: $text-muted; padding: 0 1; display: none; }
    LogScreen #progress { height: 1; background: $surface; color: $text-muted; padding: 0 1; }
    """
    about = "Log: what the kernel printed, as dmesg shows it; !! panic, ! oops or BUG, * warning."
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("slash", "search", "Search", "Search for words, in any case", "log.search"),
        bind("n", "search_next(1)", "Next", "Go to the next match", "log.next"),
        bind("N", "search_next(-1)", "Previous", "Go to the match before", "log.previous", show=False),
        bind("right_square_bracket", "fault(1)", "Next fault", "Go to the next panic, oops or warning", "log.fault"),
        bind("l", "level", "Level", "Show all levels, warnings and worse, or errors and worse", "log.level"),
        bind("c,enter", "copy", "Copy", "Copy the record", "log.copy"),
        bind("s", "file", "To a file", "Write the lines that are shown to a new file", "log.file"),
        bind("escape,P,q", "leave", "Back", "Stop reading, or go back to the file", "log.back"),
    ]

    def __init__(self, session: Session) -> None:
        """`session` has a dump."""
        super().__init__()
        assert session.document.dump is not None
        self.session = session
        self._guest, self._own = guest_of(session.document.dump), session.document.state.vmcoreinfo
        self._views: tuple[LogView, ...] = (LogView((), (), 0, ""),) * len(VIEWS)
        """The lines for each level that can be shown."""
        self._level, self._words, self._remarks = 0, "", ""

    def compose(self) -> ComposeResult:
        yield StatusLine(" The kernel's log", id="title")
        yield LineList(id="log", empty="reading the log")
        yield Static(id="remarks")
        with VerticalScroll(id="told"):
            yield Static(id="record")
        yield StatusLine("", id="progress")
        yield KeyFooter()

    def on_mount(self) -> None:
        listed = self.query_one("#log", LineList)
        listed.border_title = "Log"
        self.query_one("#title", StatusLine).set_text(" The kernel's log", self.session.shell_words("log FILE"))
        listed.focus()
        known = self.session.candidates

        def work(progress: Progress) -> tuple[KernelLog, tuple[LogView, ...]]:
            chosen = text_to_read(self._own, self._guest, progress, known)
            log = read_log(chosen.text, self._guest) if chosen.text is not None else KernelLog((), "")
            remarks = (chosen.remark, *log.remarks) if chosen.remark else log.remarks
            return log._replace(remarks=remarks), views_of(log)

        self.start(work, self._read)

    @property
    def _view(self) -> LogView:
        return self._views[self._level]

    def _read(self, found: tuple[KernelLog, tuple[LogView, ...]]) -> None:
        log, self._views = found
        listed = self.query_one("#log", LineList)
        listed.empty = "the log has no lines" if log.form else "the log cannot be read"
        self._remarks = " ".join(log.remarks)
        remarks = self.query_one("#remarks", Static)
        remarks.update(plain(self._remarks))
        remarks.display = bool(self._remarks and self._view.all)
        self._show(self._view.start)

    def _show(self, cursor: int) -> None:
        listed, lines = self.query_one("#log", LineList), self._view.lines
        listed.set_rows(_Rows(lines))
        self._look(cursor)
        counted = f"{len(lines)} of {len(self._view.all)}" if len(lines) < len(self._view.all) else f"{len(lines)}"
        listed.border_subtitle = f"{counted} lines, {VIEWS[self._level][1]}"
        self.show_progress(self._view.failures)
        self._show_record()

    @property
    def _line(self) -> LogLine | None:
        cursor = self.query_one("#log", LineList).cursor
        return self._view.lines[cursor] if cursor < len(self._view.lines) else None

    @property
    def record_number(self) -> int | None:
        """Return the sequence number of the record under the cursor; None if it has none."""
        line = self._line if self.is_mounted else None
        return None if line is None else line.record.sequence

    @on(LineList.Moved, "#log")
    def _show_record(self) -> None:
        """Show the whole text of the record under the cursor, because lines are cut at the edge."""
        line = self._line
        words = f"{record_words(line.record)}\n{self._view.whole(line)}" if line is not None else self._remarks
        self.query_one("#record", Static).update(plain(words))
        self.query_one("#told").scroll_home(animate=False)

    def action_search(self) -> None:
        """Ask for words, and go to the next line that has them."""

        def accept(typed: str) -> None:
            self._words = typed
            self._search(0, 1)

        ask(self, "Search the log", accept, self._words, "words in any case; n goes to the next match, N back")

    def action_search_next(self, step: int) -> None:
        if self._words:
            self._search(step, step)
        else:
            self.action_search()

    def _search(self, offset: int, step: int) -> None:
        cursor = self.query_one("#log", LineList).cursor
        self._go(self._view.find(self._words, cursor + offset, step), step, f"no line has '{self._words}'")

    def action_fault(self, step: int) -> None:
        cursor = self.query_one("#log", LineList).cursor
        self._go(self._view.next_fault(cursor + step, step), step, "no line reports a panic, an oops or a warning")

    def _go(self, index: int | None, step: int, missing: str) -> None:
        listed = self.query_one("#log", LineList)
        if index is None:
            say(self, missing, "warning")
            return
        if (index - listed.cursor) * step < 0:
            say(self, "searched on from the other end")
        self._look(index)
        self._show_record()

    def _look(self, index: int) -> None:
        """Put the cursor on a line; one that is not in sight comes to the upper third, above what follows it."""
        listed = self.query_one("#log", LineList)
        height = listed.size.height
        hidden = not listed.top <= index < listed.top + height
        listed.select(index)
        if hidden:
            listed.top = index - height // 3

    def action_level(self) -> None:
        """Show the lines down to the next level; the cursor stays at its line, or at the next one that is shown."""
        line = self._line
        self._level = (self._level + 1) % len(VIEWS)
        self._show(self._view.index_of(line))

    @on(LineList.Chosen, "#log")
    def action_copy(self) -> None:
        line = self._line
        if line is not None:
            text = self._view.whole(line)
            self.app.copy_to_clipboard(text)
            say(self, f"copied {len(text)} characters")

    def action_file(self) -> None:
        """Write the lines that are shown to a new file."""
        lines = self._view.lines

        def accept(typed: str) -> None:
            path = typed_path(typed)
            self.session.refuse_outside(path)
            if os.path.lexists(path):
                raise FileTaken(f"{visible(path)} exists", "type another name")

            def work(_: Progress) -> str:
                write_new(path, "".join(f"{line.text}\n" for line in lines).encode("ascii"))
                return f"written: {visible(path)}"

            self.start(work, partial(say, self))

        ask(self, "Write the log to", accept, "log.txt", "a new file")


class _Rows(LazyRows):
    def __init__(self, lines: tuple[LogLine, ...]) -> None:
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    def row(self, index: int) -> Row:
        line = self._lines[index]
        level = line.record.level
        style = "error" if line.mark in ("panic", "oops") else "warning" if line.mark else "value"
        if not line.mark and level is not None:
            style = _LEVELS[level]
        return ((_MARKS[line.mark], style), (line.text, style))
