"""The panel after a save: what each reader makes of the copy, and what to do with it."""

from __future__ import annotations

from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult, SuspendNotSupported
from textual.binding import BindingType
from textual.containers import Vertical

from vmci_tui.common.foreground import run_in_terminal
from vmci_tui.repair.next_commands import NextCommand
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.host import host
from vmci_tui.tui.style.cells import Row
from vmci_tui.tui.widgets.dialogs import Dialog, hint_line, title_line
from vmci_tui.tui.widgets.key_footer import KeyFooter
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.verdict.closing import Closing

_STYLES = {"accepts": "good", "opens": "warning", "refuses": "error", "unknown": "dim"}


class SavedScreen(Dialog[Literal["open", "next"] | None]):
    """Ends with what the user wants next; None for staying with the open file."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    SavedScreen .dialog.wide { height: auto; }
    SavedScreen .hint { min-height: 2; }
    SavedScreen #worth { height: auto; max-height: 9; }
    SavedScreen #commands { height: auto; min-height: 3; max-height: 25vh; border: round $surface-lighten-2; }
    SavedScreen #commands:focus { border: round $accent; }
    """
    about = "The saved copy: what each reader makes of it, and the next commands."
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "choose('open')", "Open the copy", "Open the saved copy instead", "saved.open"),
        bind("W", "choose('next')", "Next commands", "Show each next command in full", "saved.next"),
        bind("c", "copy", "Copy the command", "Copy the command under the cursor", "saved.copy"),
        bind("exclamation_mark", "run", "Run it", "Leave the app for the command, then come back", "saved.run"),
        bind("escape,q", "cancel", "Stay", "Stay with the open file", "saved.stay"),
    ]

    def __init__(self, words: str, worth: Closing, steps: tuple[NextCommand, ...]) -> None:
        """`words` say what was saved."""
        super().__init__()
        self._words, self._worth, self._steps = words, worth, steps

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide saved"):
            yield title_line(self._words)
            yield LineList(id="worth")
            yield LineList(id="commands", empty="no reader accepts the copy")
            yield hint_line("")
        yield KeyFooter()

    def on_mount(self) -> None:
        super().on_mount()
        readers = self.query_one("#worth", LineList)
        readers.can_focus = False
        worth = self._worth
        summary: Row = ((worth.sentence, "good" if worth.good else "warning"),)
        readers.set_rows([summary, *(self._row(number) for number in range(len(worth.readers)))])
        commands = self.query_one("#commands", LineList)
        commands.border_title = "Next commands"
        commands.set_rows([((step.command, "value"),) for step in self._steps])
        # debuginfod only fetches what a reader may need: the first key runs or copies what opens the copy.
        commands.cursor = next((at for at, step in enumerate(self._steps) if step.reader != "debuginfod"), 0)
        commands.focus()
        self._show_why()

    def _row(self, number: int) -> Row:
        item = self._worth.readers[number]
        style = _STYLES[item.after]
        return ((f"  {item.name:<13} ", "key"), (f"{item.words:<12}", style), (item.says, "dim"))

    @property
    def _step(self) -> NextCommand | None:
        at = self.query_one("#commands", LineList).cursor
        return self._steps[at] if at < len(self._steps) else None

    @on(LineList.Moved, "#commands")
    def _show_why(self) -> None:
        if (step := self._step) is not None:
            self.show_hint(f"{step.reader}: {step.why}")

    @on(LineList.Chosen, "#commands")
    def _chosen(self) -> None:
        self.action_choose("open")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to run a command only where there is a terminal to run it in."""
        if action == "run":
            driver = self.app._driver
            return driver is not None and driver.can_suspend and host(self).allowed is None and bool(self._steps)
        return bool(self._steps) if action == "copy" else super().check_action(action, parameters)

    def action_choose(self, choice: Literal["open", "next"]) -> None:
        self.dismiss(choice)

    def action_copy(self) -> None:
        """Copy the command to the terminal's clipboard."""
        if (step := self._step) is not None:
            self.app.copy_to_clipboard(step.command)
            self.show_hint(f"copied: {step.command}")

    def action_run(self) -> None:
        """Leave the app for the command, and come back after Enter."""
        step = self._step
        if step is None:
            return
        try:
            with self.app.suspend():
                print(f"$ {step.command}")
                code = run_in_terminal(step.command)
                input(f"[exit code {code}] Enter goes back to vmci ")
        except (SuspendNotSupported, OSError, EOFError, KeyboardInterrupt) as error:
            self.show_hint(f"the command ended: {type(error).__name__}", bad=True)
        self.app.refresh()
