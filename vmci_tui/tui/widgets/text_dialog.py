"""A dialog that shows lines of text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Button, Static

from vmci_tui.tui.style.cells import plain
from vmci_tui.tui.widgets.dialogs import Dialog


class TextDialog(Dialog[None]):
    """Shows lines that can be scrolled."""

    lesson_name = "told"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "dismiss", "Close", id="dialog.close")]

    def __init__(self, title: str, lines: Iterable[str]) -> None:
        super().__init__()
        self._title, self._lines = title, tuple(lines)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield Static(plain(self._title), classes="title")
            with VerticalScroll():
                yield Static(plain("\n".join(self._lines)), id="lines")
            yield Button("Close", id="close", compact=True)

    def on_button_pressed(self) -> None:
        self.dismiss()
