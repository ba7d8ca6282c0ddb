"""The screen of shell commands: the edits so far, as a script."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from vmci_tui.common.safe_text import typed_path, visible
from vmci_tui.render.shell_script import ShellStep
from vmci_tui.saving.new_file import write_new
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.guarded import Guarded
from vmci_tui.tui.host import host
from vmci_tui.tui.style.cells import Row, plain, safe
from vmci_tui.tui.widgets.dialogs import Ask
from vmci_tui.tui.widgets.key_footer import KeyFooter
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.status_line import StatusLine


class CommandsScreen(Guarded, Screen[None]):
    """The commands, and below them the one under the cursor in full."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    CommandsScreen #commands { border: round $accent; height: 1fr; }
    CommandsScreen #step { border: round $surface-lighten-2; padding: 0 1; height: 40%; }
    """
    about = "Commands: the edits so far as shell commands, and commands that show what the app shows."
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter,c", "copy", "Copy", "Copy this command", "commands.copy"),
        bind("C", "copy_all", "Copy all", "Copy all edits as a script", "commands.copy_all"),
        bind("s", "write", "To a file", "Write all edits to a script", "commands.write"),
        bind("escape,dollar_sign,q", "dismiss", "Back", "Back to the file", "commands.back"),
    ]

    def __init__(self, done: tuple[ShellStep, ...], looks: tuple[ShellStep, ...]) -> None:
        super().__init__()
        self._done = done
        self._lines: list[ShellStep | None] = [*done, None, *looks] if looks else [*done]

    def compose(self) -> ComposeResult:
        yield StatusLine(" The edits so far, as shell commands", id="title")
        yield LineList(id="commands", empty="no edits so far")
        with VerticalScroll(id="told"):
            yield Static(id="command")
        yield KeyFooter()

    def on_mount(self) -> None:
        listed = self.query_one("#commands", LineList)
        listed.border_title = "Commands"
        listed.set_rows([_row(line) for line in self._lines])
        listed.select(max(len(self._done) - 1, 0) if self._done else 1)
        self._show_command()
        listed.focus()

    @property
    def _chosen(self) -> ShellStep | None:
        at = self.query_one("#commands", LineList).cursor
        return self._lines[at] if at < len(self._lines) else None

    @on(LineList.Moved, "#commands")
    def _show_command(self) -> None:
        step = self._chosen
        words = "" if step is None else f"{step.label}\n\n{step.command or 'No vmci command does this.'}"
        self.query_one("#command", Static).update(plain(words))

    @on(LineList.Chosen, "#commands")
    def action_copy(self) -> None:
        step = self._chosen
        if step is None or step.command is None:
            self.notify("there is no command on this line", severity="warning", markup=False)
        else:
            self.app.copy_to_clipboard(step.command)
            self.notify(safe(f"copied: {step.command[:60]}"), markup=False)

    def script(self) -> str:
        """Return a script of all edits; an edit without a command becomes a comment."""
        lines = (step.command or f"# in the app only: {step.label}" for step in self._done)
        return "".join(f"{line}\n" for line in ("#!/bin/sh", "set -e", *lines))

    def action_copy_all(self) -> None:
        if not self._done:
            self.notify("nothing was edited", severity="warning", markup=False)
            return
        self.app.copy_to_clipboard(self.script())
        self.notify(f"copied {len(self._done)} command(s)", markup=False)

    def action_write(self) -> None:
        if not self._done:
            self.notify("nothing was edited", severity="warning", markup=False)
            return

        def accept(typed: str) -> None:
            path = typed_path(typed)
            host(self).refuse_outside(path)
            write_new(path, self.script().encode("ascii"))
            self.notify(f"written: {visible(path)}", markup=False)

        self.app.push_screen(Ask("Write the commands to", accept, "commands.sh", "a new file"))


def _row(step: ShellStep | None) -> Row:
    if step is None:
        return (("  Commands that show what the app shows:", "title"),)
    if step.command is None:
        return (("# ", "dim"), (step.label, "dim"))
    return (("$ ", "good"), (step.command, "value"))
