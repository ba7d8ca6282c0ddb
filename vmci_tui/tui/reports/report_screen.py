"""A report of what the kernel left in guest memory: its lines, which can be copied, as its command prints them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from vmci_tui.adoption.located_cpus import locate_cpus
from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import guest_of
from vmci_tui.render.kernel.cpu_report import cpus_text, unsaid
from vmci_tui.render.kernel.proof_report import lines_text
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.prompts import say
from vmci_tui.tui.session import Session
from vmci_tui.tui.style.cells import plain
from vmci_tui.tui.widgets.key_footer import KeyFooter
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.status_line import StatusLine
from vmci_tui.tui.widgets.worker_screen import WorkerScreen

Work = Callable[[Progress], Sequence[str]]
"""Returns the lines of a report; it runs in a thread."""
NO_LINES = "no line can be proved: the kernel's tables are not in this dump's memory, or are still being read"


class ReportScreen(WorkerScreen[None]):
    """Shows lines once they are made; below them the one under the cursor in full."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    ReportScreen #report { height: 1fr; border: round $surface-lighten-2; }
    ReportScreen #report:focus { border: round $accent; border-title-color: $accent; }
    ReportScreen #whole { height: 5; border: round $surface-lighten-2; padding: 0 1; }
    ReportScreen #progress { height: 1; background: $surface; color: $text-muted; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("c,enter", "copy", "Copy", "Copy the line", "report.copy"),
        bind("escape,q", "leave", "Back", "Stop, or go back to the file", "report.back"),
    ]

    def __init__(self, title: str, command: str, work: Work, empty: str) -> None:
        """`command` prints the same; `empty` says why there are no lines."""
        super().__init__()
        self.about = f"{title}: as the command above prints it."
        self._title, self._command, self._work, self._empty = title, command, work, empty
        self._lines: Sequence[str] = ()

    def compose(self) -> ComposeResult:
        yield StatusLine(f" {self._title}", id="title")
        yield LineList(id="report", empty="reading memory")
        with VerticalScroll(id="whole"):
            yield Static(id="line")
        yield StatusLine("", id="progress")
        yield KeyFooter()

    def on_mount(self) -> None:
        listed = self.query_one("#report", LineList)
        listed.border_title = self._title
        self.query_one("#title", StatusLine).set_text(f" {self._title}", self._command)
        listed.focus()
        self.start(self._work, self._show)

    def _show(self, lines: Sequence[str]) -> None:
        listed = self.query_one("#report", LineList)
        self._lines, listed.empty = lines, self._empty
        listed.set_rows([((line, "value"),) for line in lines])
        self.show_progress("")
        self._show_whole()

    def on_line_list_moved(self) -> None:
        self._show_whole()

    def _show_whole(self) -> None:
        """Show the line under the cursor, which may be cut at the edge."""
        self.query_one("#line", Static).update(plain(self._line()))
        self.query_one("#whole").scroll_home(animate=False)

    def _line(self) -> str:
        cursor = self.query_one("#report", LineList).cursor
        return self._lines[cursor] if cursor < len(self._lines) else ""

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self._line())
        say(self, "copied the line")

    def on_line_list_chosen(self) -> None:
        self.action_copy()


def cpus_report(session: Session) -> ReportScreen:
    """Return the screen of the CPUs of a session's dump, each with the return addresses on its stack."""
    dump, state = session.document.dump, session.document.state
    assert dump is not None

    def work(progress: Progress) -> Sequence[str]:
        located = locate_cpus(state, guest_of(dump), progress)
        words = unsaid(located)
        return (*cpus_text(located, stack=True), *((words,) if words else ()))

    return ReportScreen("The CPUs: where each was", session.shell_words("cpus FILE --stack"), work, "")


def lines_report(session: Session) -> ReportScreen:
    """Return the screen with what the kernel's tables say of each line of the note."""
    proved = session.judgement.lines if session.judgement is not None else None

    def work(_progress: Progress) -> Sequence[str]:
        return () if proved is None else tuple(lines_text(proved))

    return ReportScreen("Each line of the note, by memory", session.shell_words("prove FILE"), work, NO_LINES)
