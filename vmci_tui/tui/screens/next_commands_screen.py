"""The screen of the next commands to run on this dump."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from vmci_tui.repair.next_commands import NextCommand
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.guarded import Guarded
from vmci_tui.tui.style.cells import Row, plain
from vmci_tui.tui.widgets.key_footer import KeyFooter
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.status_line import StatusLine

_HERE: Final = {
    "vmci repair ": "press R",
    "vmci append ": "press a",
    "vmci log ": "press P",
    "vmci cpus ": "type : and then cpus",
    "vmci prove ": "the signs in Note text, or type : and then prove",
}
"""How the app does what a command of ours does."""


class NextCommandsScreen(Guarded, Screen[None]):
    """The commands, and below them the one under the cursor in full."""

    lesson_name = "next"

    SCOPED_CSS = False
    DEFAULT_CSS = """
    NextCommandsScreen #steps { border: round $accent; height: auto; max-height: 60%; }
    NextCommandsScreen #told { border: round $surface-lighten-2; padding: 0 1; height: 1fr; }
    """
    about = "What now: the next commands to run, for each reader that accepts the file."
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter,c", "copy", "Copy", "Copy the command", "next.copy"),
        bind("escape,W,q", "dismiss", "Back", "Back to the file", "next.back"),
    ]

    def __init__(self, title: str, steps: tuple[NextCommand, ...]) -> None:
        super().__init__()
        self._title, self._steps = title, steps

    def compose(self) -> ComposeResult:
        yield StatusLine(f" {self._title}", id="title")
        yield LineList(id="steps", empty="no reader accepts this file, and no repair changes that")
        with VerticalScroll(id="told"):
            yield Static(id="step")
        yield KeyFooter()

    def on_mount(self) -> None:
        listed = self.query_one("#steps", LineList)
        listed.border_title = "Commands"
        listed.set_rows([step_row(step) for step in self._steps])
        self._show_command()
        listed.focus()

    @on(LineList.Moved, "#steps")
    def _show_command(self) -> None:
        step = self._step()
        if step is not None:
            how = next((keys for start, keys in _HERE.items() if step.command.startswith(start)), "")
            here = f"\n\nIn this app: {how}." if how else ""
            self.query_one("#step", Static).update(plain(f"{step.command}\n\n{step.why}{here}"))

    def _step(self) -> NextCommand | None:
        at = self.query_one("#steps", LineList).cursor
        return self._steps[at] if at < len(self._steps) else None

    @on(LineList.Chosen, "#steps")
    def action_copy(self) -> None:
        """Copy the command to the terminal's clipboard."""
        step = self._step()
        if step is not None:
            self.app.copy_to_clipboard(step.command)
            self.notify(f"copied: {step.command}", markup=False)


def step_row(step: NextCommand) -> Row:
    return ((f"{step.reader:<13} ", "key"), (step.command, "value"))
