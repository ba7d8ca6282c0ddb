"""The dialog that saves: what will be written in a sentence, the details on a key, then the progress."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Button, Input, Static

from vmci_tui.common import internal_errors
from vmci_tui.common.errors import SaveError, VmciError
from vmci_tui.common.progress import Progress
from vmci_tui.common.safe_text import visible
from vmci_tui.document.document import Document
from vmci_tui.layers.image import NewBytes
from vmci_tui.render.plans.save_plan import copy_summary, in_place_summary
from vmci_tui.saving.plan import Plan
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.disk.save_session import InPlaceSave, SaveOutcome, SaveSession
from vmci_tui.tui.guarded import stands
from vmci_tui.tui.host import host
from vmci_tui.tui.style.cells import Row, plain
from vmci_tui.tui.widgets.dialogs import Choose, Dialog, buttons, hint_line
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.plan_list import PlanText
from vmci_tui.tui.widgets.worker_screen import Job

Made = TypeVar("Made")
_MAX_ROWS = 2000
"""Lines of bytes that are shown for one range at most."""


class SaveScreen(Dialog[SaveOutcome | None]):
    """Ends with the outcome, or None if nothing was saved."""

    lesson_name = "save"
    enter_label = "Save"

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("ctrl+o,down", "details", "Details", "Show what is written where, and the bytes", "save.details"),
        Binding("escape", "cancel", "Cancel", id="dialog.cancel"),
    ]

    def __init__(self, saving: SaveSession) -> None:
        super().__init__()
        self._saving = saving
        self._job = Job(self, self.show_hint, "saving was stopped; no file was written, and the open one is as it was")

    def compose(self) -> ComposeResult:
        saving = self._saving
        with Vertical(classes="dialog saving"):
            yield Static(plain(saving.heading), classes="title")
            yield PlanText(id="summary")
            yield LineList(id="plan")
            yield Static(plain("save as"), classes="label")
            yield self.line_input(visible(saving.default), "target")
            yield hint_line(saving.no_in_place if saving.has_file else "")
            in_place = (("in-place", "In place"),) if saving.has_file else ()
            save, cancel, details = ("ok", "Save"), ("cancel", "Cancel"), ("details", "Details")
            if saving.untouched:
                yield buttons(cancel, details, *in_place, ("ok", "Save anyway"))
            else:
                yield buttons(save, *in_place, details, cancel)

    def on_mount(self) -> None:
        super().on_mount()
        self._show_plan()
        for button in self.query("#in-place"):
            button.disabled = bool(self._saving.no_in_place)
        self.query_one("#cancel" if self._saving.untouched else "#target").focus()

    def _show_plan(self) -> None:
        saving = self._saving
        summary = copy_summary(saving.document, saving.plan, saving.harm, saving.untouched)
        self.query_one("#summary", PlanText).show(summary)
        if self.has_class("detailed"):
            self.query_one("#plan", LineList).set_rows(plan_rows(saving.document, saving.plan))

    @on(Button.Pressed, "#details")
    def action_details(self) -> None:
        """Show the details and go to them."""
        if not self.has_class("detailed"):
            self.add_class("detailed")
            self._show_plan()
        self.call_after_refresh(self.query_one("#plan").focus)

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
        self._start(partial(self._saving.copy, target), self._saved)

    def _enable(self, enabled: bool) -> None:
        """Enable or disable what starts a save; Cancel stops a running one."""
        for widget in self.query("#target, #ok, #details"):
            widget.disabled = not enabled
        for button in self.query("#in-place"):
            button.disabled = not enabled or bool(self._saving.no_in_place)
        self.query_one("#target" if enabled else "#cancel").focus()

    @on(Button.Pressed, "#in-place")
    def _ask_in_place(self) -> None:
        """Ask whether the open file itself is to be changed; the plan is shown first."""
        if not self._job.running:
            self._start(lambda _: self._saving.plan_for_in_place(), self._show_in_place)

    def _show_in_place(self, save: InPlaceSave) -> None:
        if not stands(self):
            return
        self._enable(True)
        self.show_hint("")
        name = self._saving.document.name
        summary = "\n".join(line.text for line in in_place_summary(self._saving.document, save.plan, save.harm))
        hint = f"{summary}\nThe old bytes are kept in {name.rsplit('/', 1)[-1]}.vmci-undo; U undoes the save."
        choices = (("stay", "Cancel"), ("change", f"Change {name.rsplit('/', 1)[-1]}"))

        def chosen(choice: str | None) -> None:
            if choice == "change":
                self._start(partial(self._saving.in_place, save), self._saved)

        self.app.push_screen(Choose(f"Change {name} itself?", choices, hint), chosen)

    def _start(self, job: Callable[[Progress], Made], done: Callable[[Made], None]) -> None:
        """Run a job that ends with what `done` gets; only Cancel, which stops it, works meanwhile."""
        self.show_hint("saving" if done == self._saved else "planning")
        self._job.start(job, done, self._failed)
        self._enable(False)

    def _saved(self, outcome: SaveOutcome | None) -> None:
        if outcome is not None:
            self.dismiss(outcome)
        elif stands(self):
            self._enable(True)
            self._show_plan()
            self.show_hint(self._saving.question, bad=True)

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, VmciError):
            host(self).failed(error)
            error = SaveError(f"not saved: {internal_errors.record(error)}")
        if stands(self):
            self._enable(True)
        self.show_hint(str(error), bad=True)

    def action_cancel(self) -> None:
        """Stop the running save, else close the dialog."""
        if not self._job.stop():
            super().action_cancel()


def plan_rows(document: Document, plan: Plan) -> list[Row]:
    """Return the plan as rows: what is written where, why, and the bytes before and after."""
    if plan.empty:
        same = "an ELF dump with all that is shown" if document.is_image else "identical to the file"
        return [((f"no changes: the copy would be {same}", "good"),)]
    rows: list[Row] = [((f"{plan.strategy}: {plan.bytes_written} bytes at most", "title"),)]
    rows += [((f"    {part}", "dim"),) for part in plan.choice.split("; ")]
    for step in plan.steps:
        rows.append(((f"{step.do:<18} ", "key"), (f"{step.offset:#x} + {step.length}", "value")))
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
