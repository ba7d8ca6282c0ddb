"""The list of templates of writes, each with what QEMU would do."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from vmci_tui.common.safe_text import visible
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.document.edit_entry import add_writes
from vmci_tui.document.entry_templates import TEMPLATES, EntryTemplate
from vmci_tui.formats.fw_cfg_entry import EntryHistory
from vmci_tui.readers.qemu.dump_steps import dump_steps
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.style.cells import Row
from vmci_tui.tui.widgets.dialogs import Dialog, hint_line, title_line
from vmci_tui.tui.widgets.line_list import LineList

_WIDE: Final = 112
"""Cells of the narrowest screen with room for what a template does beside what QEMU does."""


def template_edit(template: EntryTemplate, history: EntryHistory) -> Edit:
    """Return the edit that adds the template's writes after those of the entry."""
    return Edit.of(add_writes, template.writes(history.entry)).named(f"write {template.name}")


class TemplatesDialog(Dialog[EntryTemplate | None]):
    """Ends with the chosen template; its key chooses it at once."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    TemplatesDialog .dialog { width: 112; }
    TemplatesDialog #templates { height: auto; margin: 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "choose", "Add", "Add these writes", "templates.add"),
        bind("escape,q", "cancel", "Cancel", "Close the list", "templates.cancel"),
    ]

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield title_line("Add writes of the guest, made of the entry's fields")
            yield LineList(id="templates")
            yield hint_line("its letter, or Enter, adds the writes; the last write decides")

    def on_mount(self) -> None:
        super().on_mount()
        listed = self.query_one("#templates", LineList)
        listed.set_rows([self._row(template) for template in TEMPLATES])
        listed.focus()

    def _row(self, template: EntryTemplate) -> Row:
        row: Row = ((f" {template.key}  ", "key"), (f"{template.name:<11} ", "value"))
        if self.app.size.width >= _WIDE or self._document.dump is not None:
            row = (*row, (f"{template.does:<40} ", "dim"))
        if self._document.dump is not None or self._document.state.entry is None:
            return row  # what QEMU does depends on memory, which is slow to read
        columns = dump_steps(self._document.with_edit(template_edit(template, self._document.state.entry)))
        words = dict.fromkeys(column.brief for column in columns)
        good = all(step.passes is not False for column in columns for step in column.steps)
        return (*row, (visible(" / ".join(words)), "good" if good else "error"))

    def on_key(self, event: events.Key) -> None:
        template = next((item for item in TEMPLATES if item.key == event.character), None)
        if template is not None:
            event.stop()
            self.dismiss(template)

    @on(LineList.Chosen)
    def action_choose(self) -> None:
        self.dismiss(TEMPLATES[self.query_one("#templates", LineList).cursor])
