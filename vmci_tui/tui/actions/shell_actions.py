"""The shell's way to do what was done in the app: in the status line after each edit, and all of it in a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmci_tui.common.safe_text import Safe
from vmci_tui.document.state import State
from vmci_tui.tui.actions.navigate_actions import WayActions
from vmci_tui.tui.panes.panes import HexPane, KeysPane
from vmci_tui.tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from vmci_tui.render.shell_script import Group, Told


class TellActions(WayActions):
    """Commands instead of keys."""

    _groups: dict[State, Group] | None = None

    def group_edits(self, before: State, words: str) -> None:
        """What led from `before` to the state that is shown is one command: `words`, with FILE in them."""
        from vmci_tui.render.shell_script import Group

        self._groups = (self._groups or {}) | {before: Group(self.document.state, words)}

    def commands_so_far(self) -> tuple[Told, ...]:
        """What was done, and what does the same in the shell."""
        from vmci_tui.render.shell_script import commands

        return commands(self.document, self._groups)

    def last_command(self) -> Safe | None:
        """What does the last edit in the shell; None where nothing does, or nothing is edited."""
        told = self.commands_so_far()
        return told[-1].command if told else None

    def tell_command(self) -> None:
        """Show it in the status line, until the cursor moves."""
        command = self.last_command()
        if command is not None:
            self.query_one("#status", StatusLine).tell(f"$ {command}", self.file_text())

    def action_commands(self) -> None:
        """All of them, and those that show what the app shows."""
        from vmci_tui.render.shell_script import look_commands
        from vmci_tui.tui.screens.script_screen import CommandsScreen

        line = self.query_one(KeysPane).line()
        looks = look_commands(self.document, self.query_one(HexPane).cursor, line.key if line is not None else None)
        self.app.push_screen(CommandsScreen(self.commands_so_far(), tuple(looks), self.vmci.settings.blink))
