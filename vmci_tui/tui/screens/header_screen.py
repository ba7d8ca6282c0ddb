"""The dialog with the header of a kdump file, whose uts fields and phys_base can be edited."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Button, Static

from vmci_tui.common.safe_text import visible
from vmci_tui.containers import HeaderFields
from vmci_tui.formats.kdump_records import UTSNAME
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.style.cells import Row, plain
from vmci_tui.tui.widgets.dialogs import Dialog, title_line
from vmci_tui.tui.widgets.line_list import LineList

PHYS_BASE = "phys_base"


class HeaderScreen(Dialog[str]):
    """Ends with the name of the field to edit, or the empty string."""

    cancelled = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "choose", "Edit", "Edit the field", "header.edit"),
        bind("escape,q", "cancel", "Close", "Back to the file", "dialog.close"),
    ]

    def __init__(self, fields: HeaderFields, fixed: tuple[str, ...]) -> None:
        """`fixed` are the lines about the rest of the header."""
        super().__init__()
        self._fields, self._fixed = fields, fixed

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield title_line("The header of the kdump file: Enter edits a field")
            yield LineList(id="fields")
            yield Static(plain("\n".join(self._fixed)), classes="hint")
            yield Button("Close", id="close", compact=True)

    def on_mount(self) -> None:
        super().on_mount()
        listed = self.query_one("#fields", LineList)
        listed.styles.height = len(UTSNAME) + 1
        listed.set_rows(header_rows(self._fields))
        listed.focus()

    @on(LineList.Chosen, "#fields")
    def action_choose(self) -> None:
        self.dismiss((*UTSNAME, PHYS_BASE)[self.query_one("#fields", LineList).cursor])


def header_rows(fields: HeaderFields) -> list[Row]:
    rows: list[Row] = [
        ((f"{name:<12}", "key"), (visible(value) or "(empty)", "value" if value else "dim"))
        for name, value in zip(UTSNAME, fields.utsname, strict=True)
    ]
    signed = fields.phys_base - (1 << fields.bits) if fields.phys_base >> (fields.bits - 1) else fields.phys_base
    rows.append(((f"{PHYS_BASE:<12}", "key"), (f"{fields.phys_base:#x} = {signed}", "value")))
    return rows


def shown_value(fields: HeaderFields, name: str) -> str:
    """Return a field's value as the user types it."""
    return f"{fields.phys_base:#x}" if name == PHYS_BASE else visible(fields.utsname[UTSNAME.index(name)])
