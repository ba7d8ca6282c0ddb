"""The dialog that saves: it shows the plan, then the progress, then the result."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Button, Input, Static

from vmci_tui.common import internal_errors
from vmci_tui.common.errors import SaveError, VmciError
from vmci_tui.common.safe_text import visible
from vmci_tui.document.document import Document
from vmci_tui.layers.image import NewBytes
from vmci_tui.render.verdict_report import harm_words
from vmci_tui.saving.plan import Plan
from vmci_tui.tui.host import host
from vmci_tui.tui.save_session import SaveOutcome, SaveSession
from vmci_tui.tui.style.cells import Row, plain
from vmci_tui.tui.widgets.dialogs import Dialog, buttons, hint_line
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.worker_screen import Job

_MAX_ROWS = 2000
"""Lines of bytes that are shown for one range at most."""


class SaveScreen(Dialog[SaveOutcome | None]):
    """Ends with the outcome, or None if nothing was saved."""

    lesson_name = "save"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", id="dialog.cancel")]

    def __init__(self, saving: SaveSession) -> None:
        super().__init__()
        self._saving = saving
        self._job = Job(self, self.show_hint, "saving was stopped; no file was written")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield Static(classes="title", id="heading")
            yield LineList(id="plan")
            yield Static(plain("save as"), classes="label")
            yield self.line_input(visible(self._saving.default), "target")
            opened = self._saving.has_file
            yield hint_line("the open file is not changed; ESC cancels" if opened else "ESC cancels")
            in_place = (("in-place", "In place"),) if opened else ()
            yield buttons(("ok", "Save"), *in_place, ("cancel", "Cancel"))

    def on_mount(self) -> None:
        self._show_plan()
        self.query_one("#target", Input).focus()

    def _show_plan(self) -> None:
        saving = self._saving
        self.query_one("#heading", Static).update(plain(saving.heading))
        rows: list[Row] = [((words, "error"),) for words in harm_words(saving.harm)]
        self.query_one("#plan", LineList).set_rows([*rows, *plan_rows(saving.document, saving.plan)])

    def _target(self) -> str:
        return self._saving.target(self.query_one("#target", Input).value)

    @on(Input.Changed, "#target")
    def _named(self) -> None:
        if not self._job.running and self._saving.rename(self._target()):
            self._show_plan()

    @on(Input.Submitted, "#target")
    @on(Button.Pressed, "#ok")
    def _submit(self) -> None:
        if self._job.running:
            return
        target = self._target()
        try:
            self._saving.refuse(target)
        except VmciError as error:
            self.show_hint(str(error), bad=True)
            return
        self.show_hint("saving")
        self._job.start(partial(self._saving.copy, target), self._saved, self._failed)

    @on(Button.Pressed, "#in-place")
    def _in_place(self) -> None:
        """Save in place; the first press shows the plan."""
        if self._job.running:
            return
        try:
            self._saved(self._saving.in_place())
        except VmciError as error:
            self.show_hint(str(error), bad=True)

    def _saved(self, outcome: SaveOutcome | None) -> None:
        if outcome is not None:
            self.dismiss(outcome)
        elif self.is_attached:
            self._show_plan()
            self.show_hint(self._saving.question, bad=True)

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, VmciError):
            host(self).failed(error)
            error = SaveError(f"not saved: {internal_errors.record(error)}")
        self.show_hint(str(error), bad=True)

    def action_cancel(self) -> None:
        """Stop the running save, else close the dialog."""
        if not self._job.stop():
            super().action_cancel()


def plan_rows(document: Document, plan: Plan) -> list[Row]:
    """Return the plan as rows: what is written where, why, and the bytes before and after."""
    if plan.empty:
        return [(("no changes: the copy would be identical to the file", "good"),)]
    rows: list[Row] = [((f"{plan.strategy}: {plan.bytes_written} bytes at most", "title"),)]
    rows += [((f"    {part}", "dim"),) for part in plan.choice.split("; ")]
    for step in plan.steps:
        rows.append(((f"{step.do:<14} ", "key"), (f"{step.offset:#x} + {step.length}", "value")))
        rows += [((f"    {why}", "dim"),) for why in step.why.split("; ")]
    for change in plan.changes:
        if isinstance(change.extent, NewBytes):
            rows.append(((f"bytes at {change.offset:#x}, before and after", "title"),))
            rows += _hex_rows(document, change.offset, change.extent.data)
    return rows


def _hex_rows(document: Document, offset: int, new: bytes) -> list[Row]:
    """Return each line of 16 bytes that differs, before and after."""
    old = document.source.read(offset, len(new))
    rows: list[Row] = []
    for at in range(0, len(new), 16):
        before, after = old[at : at + 16], new[at : at + 16]
        if before == after:
            continue
        rows.append(((f"{offset + at:#010x} - ", "error"), (before.hex(" ") or "the end of the file", "dim")))
        rows.append((("           + ", "good"), (after.hex(" "), "value")))
        if len(rows) >= _MAX_ROWS:
            return [*rows, (("and more", "dim"),)]
    return rows
