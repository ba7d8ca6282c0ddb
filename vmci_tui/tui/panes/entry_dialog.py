"""The dialog for a field of the entry, or for a write of the guest: it shows what QEMU will do while the user types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Static

from vmci_tui.common.errors import VmciError
from vmci_tui.readers.qemu.dump_steps import DumpSteps, dump_steps
from vmci_tui.tui.panes.qemu import LINES, step_rows
from vmci_tui.tui.prompts import make_edit
from vmci_tui.tui.style.cells import plain
from vmci_tui.tui.widgets.dialogs import TypedDialog, buttons, hint_line, title_line
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.verdict_strip import VerdictLine

if TYPE_CHECKING:
    from vmci_tui.formats.fw_cfg_entry import EntryHistory
    from vmci_tui.tui.session import MakeEdit, Session


class EntryField(NamedTuple):
    """A field of the dialog."""

    label: str
    value: str


class Preset(NamedTuple):
    """A button that fills the fields."""

    label: str
    values: tuple[str, ...]


class EntryDialog(TypedDialog):
    """Makes an edit of the fields' texts, joined by a blank."""

    lesson_name = "ask"
    SCOPED_CSS = False
    DEFAULT_CSS = f"""
    EntryDialog .dialog {{ width: 112; }}
    EntryDialog .fields {{ height: 1; }}
    EntryDialog .fields .label {{ width: 13; }}
    EntryDialog .fields Input {{ width: 1fr; height: 1; border: none; padding: 0; }}
    EntryDialog .fields Input:focus {{ background: $surface-lighten-2; }}
    EntryDialog .buttons Button {{ min-width: 10; }}
    EntryDialog #after {{ color: $text-muted; height: auto; }}
    EntryDialog #steps {{ height: {LINES}; }}
    """
    enter_label = "OK"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", id="dialog.cancel")]

    def __init__(
        self,
        session: Session,
        title: str,
        fields: Sequence[EntryField],
        make: MakeEdit,
        hint: str,
        presets: Sequence[Preset] = (),
    ) -> None:
        alone = session.document.dump is None
        super().__init__(title, lambda typed: self._edit(typed), None if alone else session.preview(make))
        self._session, self._fields, self._make, self._hint, self._presets = session, fields, make, hint, presets

    def _edit(self, typed: str) -> None:
        make_edit(self, self._session, self._make(typed))

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield title_line(self._title)
            for number, field in enumerate(self._fields):
                with Horizontal(classes="fields"):
                    yield Static(plain(field.label), classes="label")
                    yield self.line_input(field.value, f"field-{number}")
            yield hint_line(self._hint)
            yield Static(id="after")
            yield LineList(id="steps") if self._preview is None else VerdictLine(id="strip")
            presets = [(f"preset-{number}", preset.label) for number, preset in enumerate(self._presets)]
            yield buttons(("ok", "OK"), *presets, ("cancel", "Cancel"))

    def on_mount(self) -> None:
        super().on_mount()
        for steps in self.query("#steps"):
            steps.can_focus = False

    def _typed(self) -> str:
        return " ".join(self.query_one(f"#field-{number}", Input).value.strip() for number in range(len(self._fields)))

    @on(Input.Changed)
    def _show(self) -> None:
        """Show the entry and QEMU's steps after the typed edit, or why it cannot be made."""
        typed = self._typed()
        columns: tuple[DumpSteps, ...] = ()
        try:
            tentative = self._session.document.with_edit(self._make(typed))
        except VmciError as error:
            self.show_hint(str(error), bad=True)
            self.query_one("#after", Static).update("")
        else:
            assert tentative.state.entry is not None
            self.show_hint(self._hint)
            self.query_one("#after", Static).update(plain(entry_words(tentative.state.entry)))
            if self._preview is None:
                columns = dump_steps(tentative)
        if self._preview is None:
            steps = self.query_one("#steps", LineList)
            steps.set_rows(step_rows(columns, steps.size.width or self.app.size.width - 4))
        else:
            self.judge(typed)

    @on(Input.Submitted)
    @on(Button.Pressed, "#ok")
    def _submit(self) -> None:
        focused = self.focused
        self.submit(focused if isinstance(focused, Input) else self.query_one("#field-0", Input), self._typed())

    @on(Button.Pressed)
    def _fill(self, event: Button.Pressed) -> None:
        name = event.button.id or ""
        if name.startswith("preset-"):
            for number, value in enumerate(self._presets[int(name.removeprefix("preset-"))].values):
                self.query_one(f"#field-{number}", Input).value = value
            self.query_one("#field-0", Input).focus()


def entry_words(history: EntryHistory) -> str:
    """Return the entry's fields after an edit, in a line."""
    names = ("host_format", "guest_format", "size", "paddr")
    host_format, guest_format, size, paddr = history.entry
    values = (str(host_format), str(guest_format), str(size), f"{paddr:#x}")
    return "then: " + ", ".join(f"{name} {value}" for name, value in zip(names, values, strict=True))
