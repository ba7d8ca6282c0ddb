"""The list of commands: Textual's, with the keys that work in it."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.command import CommandPalette

from vmci_tui.tui.guarded import Guarded
from vmci_tui.tui.style.dimmed import OverDimmed
from vmci_tui.tui.widgets.key_footer import KeyFooter

ID: Final = "--command-palette"
"""As Textual's style sheet names it."""


class Palette(Guarded, CommandPalette, OverDimmed[None]):
    """Covers the footer of the screen below, whose keys do not work now."""

    enter_label = "Run"
    SCOPED_CSS = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "cursor_down", "Next", id="palette.down"),
        Binding("up", "cursor_up", "Previous", id="palette.up"),
        Binding("escape", "escape", "Close", id="palette.close"),
    ]

    def on_mount(self) -> None:
        self.mount(KeyFooter())
