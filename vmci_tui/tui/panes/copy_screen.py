"""The dialog that copies bytes in a format that the user chooses."""

from __future__ import annotations

import os
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Button, Static

from vmci_tui.common.safe_text import typed_path, visible
from vmci_tui.render.copy_formats import FORMS, CopiedBytes, CopyFormat
from vmci_tui.saving.new_file import write_new
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.host import host
from vmci_tui.tui.style.cells import plain
from vmci_tui.tui.terminal import lacks_clipboard
from vmci_tui.tui.widgets.dialogs import Ask, Dialog, buttons, hint_line, title_line
from vmci_tui.tui.widgets.line_list import LineList

_SHOWN = 4000
"""Characters of the preview."""


class CopyScreen(Dialog[None]):
    """The formats, and a preview of the one under the cursor."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    CopyScreen .dialog { height: 20; }
    CopyScreen #forms { height: 6; }
    CopyScreen #sight { height: 1fr; border-top: solid $surface-lighten-1; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "copy", "Copy", "Copy it to the clipboard", "copy_as.copy"),
        bind("s", "file", "To a file", "Write it to a new file", "copy_as.file"),
        Binding("escape,C,q", "cancel", "Cancel", id="dialog.cancel"),
    ]

    def __init__(self, copied: CopiedBytes) -> None:
        super().__init__()
        self._copied = copied

    def compose(self) -> ComposeResult:
        copied = self._copied
        with Vertical(classes="dialog"):
            yield title_line(f"Copy {copied.what}, {len(copied.data)} bytes, as")
            yield LineList(id="forms")
            with VerticalScroll(id="sight"):
                yield Static(id="seen")
            lacking = lacks_clipboard(os.environ)
            yield hint_line("this terminal has no clipboard: s writes a file" if lacking else "")
            yield buttons(("ok", "Copy"), ("into", "To a file"), ("cancel", "Cancel"))

    def on_mount(self) -> None:
        super().on_mount()
        listed = self.query_one("#forms", LineList)
        listed.set_rows([((form.label, "value"),) for form in FORMS])
        listed.focus()
        self._show()

    @property
    def _form(self) -> CopyFormat:
        return FORMS[self.query_one("#forms", LineList).cursor]

    @on(LineList.Moved, "#forms")
    def _show(self) -> None:
        first = self._copied._replace(data=self._copied.data[:_SHOWN])  # a megabyte as C takes a second
        self.query_one("#seen", Static).update(plain(self._form.write(first)[:_SHOWN]))

    @on(LineList.Chosen, "#forms")
    @on(Button.Pressed, "#ok")
    def action_copy(self) -> None:
        written = self._form.write(self._copied)
        self.app.copy_to_clipboard(written)
        self.app.notify(f"copied as {self._form.label}: {len(written)} characters", markup=False)
        self.dismiss()

    @on(Button.Pressed, "#into")
    def action_file(self) -> None:
        form, copied = self._form, self._copied

        def accept(typed: str) -> None:
            path = typed_path(typed)
            host(self).refuse_outside(path)
            write_new(path, copied.data if path.endswith(".bin") else (form.write(copied) + "\n").encode("ascii"))
            self.app.notify(f"written: {visible(path)}", markup=False)

        hint = "a new file; if its name ends in .bin it gets the raw bytes"
        ask = Ask(f"Write {form.label.lower()} to", accept, f"copied.{form.ending}", hint)

        def asked(done: bool | None) -> None:
            if done:
                self.dismiss()

        self.app.push_screen(ask, asked)
