"""The dialog that saves: it shows the plan, then the progress, then the result."""

from __future__ import annotations

import os
import time
from typing import ClassVar, NamedTuple

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Static
from textual.worker import get_current_worker

from vmci_tui.common import mishap
from vmci_tui.common.errors import Cancelled, SaveError, VmciError
from vmci_tui.common.progress import Pace
from vmci_tui.common.safe_text import visible
from vmci_tui.document.document import Document
from vmci_tui.layers.file import FileSource
from vmci_tui.layers.image import NewBytes
from vmci_tui.render.verdict_report import harm_words
from vmci_tui.repair.next_commands import copy_name
from vmci_tui.saving.harm import Harm, harm_of
from vmci_tui.saving.new_file import refuse_target
from vmci_tui.saving.plan import Plan, plan_copy, plan_in_place
from vmci_tui.saving.save_copy import save_copy
from vmci_tui.saving.save_in_place import save_in_place
from vmci_tui.tui.host import host
from vmci_tui.tui.style.cells import Row, plain
from vmci_tui.tui.widgets.dialogs import Dialog
from vmci_tui.tui.widgets.line_list import LineList

_MAX_ROWS = 2000
"""Lines of bytes that are shown for one range at most."""
_EVERY = 0.25
"""Seconds between two updates of the progress."""


class SaveOutcome(NamedTuple):
    """A message for the user, and whether the open file itself was changed."""

    words: str
    in_place: bool = False
    path: str | None = None
    """Where the copy is."""


class SaveScreen(Dialog[SaveOutcome | None]):
    """Ends with the outcome, or None if nothing was saved."""

    lesson_name = "save"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", id="dialog.cancel")]

    def __init__(self, document: Document, plan: Plan) -> None:
        super().__init__()
        self._document, self._plan = document, plan
        self._default = _default_name(document)
        self._confirmed: str | None = None
        self._agreed = Harm()
        """The harm that the user was warned of."""
        self._saving = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield Static(plain("Save a copy"), classes="title", id="heading")
            yield LineList(id="plan")
            yield Static(plain("save as"), classes="label")
            field = Input(visible(self._default), id="target", select_on_focus=False)
            field.cursor_blink = host(self).settings.blink
            yield field
            opened = isinstance(self._document.source, FileSource)
            hint = "the open file is not changed; ESC cancels" if opened else "ESC cancels"
            yield Static(plain(hint), classes="hint", id="hint")
            with Horizontal(classes="buttons"):
                yield Button("Save", id="ok", variant="primary", compact=True)
                if opened:
                    yield Button("In place", id="in-place", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self.query_one("#plan", LineList).set_rows(plan_rows(self._document, self._plan))
        self.query_one("#target", Input).focus()

    @on(Input.Submitted, "#target")
    @on(Button.Pressed, "#ok")
    def _submit(self) -> None:
        if self._saving:
            return
        target = self._target()
        if not target:
            self._show_hint("type a name", bad=True)
        elif refused := self._refused(target):
            self._show_hint(refused, bad=True)
        elif os.path.isdir(target):
            self._show_hint(f"{visible(target)} is a folder: add a file name", bad=True)
        elif os.path.exists(target) and self._confirmed != target and not self._is_source(target):
            self._confirmed = target
            self._show_hint(f"{visible(target)} exists. Press Save again to replace it", bad=True)
        else:
            self._saving = True
            self._show_hint("saving")
            self._save(target)

    def _target(self) -> str:
        typed = self.query_one("#target", Input).value
        return self._default if typed == visible(self._default) else os.path.expanduser(typed.strip())

    @on(Input.Changed, "#target")
    def _named(self) -> None:
        """Plan again for a new name: an entry's format depends on the name of its file."""
        if self._document.dump is None and not self._saving:
            try:
                plan = plan_copy(self._document, self._target())
            except SaveError:
                return  # reported when the user saves
            if plan.image != self._plan.image:
                self._plan = plan
                self.query_one("#plan", LineList).set_rows(plan_rows(self._document, plan))

    def _refused(self, target: str) -> str:
        """Return why this session may not save there; empty if it may."""
        try:
            host(self).refuse_outside(target)
        except VmciError as error:
            return str(error)
        return ""

    @on(Button.Pressed, "#in-place")
    def _in_place(self) -> None:
        """Show the plan for a save in place; run it at the second press."""
        if self._saving:
            return
        if self._document.read_only:
            self._show_hint("the file is open in another vmci: save a copy", bad=True)
            return
        try:
            plan = plan_in_place(self._document)
            if self._plan.way not in ("overwrite", "lift"):
                self._plan = plan
                self.query_one("#plan", LineList).set_rows(plan_rows(self._document, plan))
                self.query_one("#heading", Static).update(plain(f"Save in place: {self._document.name}"))
                words = "This changes the file itself; the old bytes are kept beside it. Press In place again to save"
                self._show_hint(words, bad=True)
                return
            if self._warns_of_harm(harm_of(self._document, plan)):
                return
            saved = save_in_place(self._document, plan)
        except VmciError as error:
            self._show_hint(str(error), bad=True)
            return
        forced = "; it was made writable for that, and is read-only again" if saved.forced else ""
        self.dismiss(SaveOutcome(f"saved {saved.name} in place{forced}; U undoes it", in_place=True))

    def _warns_of_harm(self, harm: Harm) -> bool:
        """Warn of a save's harm and return True; return False if there is none, or the user was warned of it."""
        if not harm.worse or harm == self._agreed:
            return False
        self._agreed, self._saving = harm, False
        self.query_one("#plan", LineList).set_rows([*harm_rows(harm), *plan_rows(self._document, self._plan)])
        names = ", ".join(item.reader for item in harm.worse)
        self._show_hint(f"worse for {names} after the save. Press again to save anyway", bad=True)
        return True

    def _is_source(self, target: str) -> bool:
        source = self._document.source
        return isinstance(source, FileSource) and os.path.realpath(target) == os.path.realpath(source.path)

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _save(self, target: str) -> None:
        """Save a copy, in a thread: touch no widget."""
        worker, pace = get_current_worker(), Pace()
        last = 0.0

        def progress(what: str, done: int, total: int) -> None:
            nonlocal last
            if worker.is_cancelled:
                raise Cancelled("saving was stopped; no file was written")
            now = time.monotonic()
            if now - last >= _EVERY:
                last = now
                self.app.call_from_thread(self._show_hint, f"{pace.words(what, done, total)}  (ESC stops)")

        try:
            refuse_target(self._document.source, target)
            plan = plan_copy(self._document, target)
            if self.app.call_from_thread(self._warns_of_harm, harm_of(self._document, plan)):
                return
            saved = save_copy(self._document, plan, target, progress)
        except Exception as error:  # an error must not vanish in a thread
            self.app.call_from_thread(self._failed, error)
            return
        checked = f"; {saved.checked} bytes of memory read back, the same" if self._document.dump else ""
        words = f"saved {saved.name}: {saved.size} bytes{checked}"
        self.app.call_from_thread(self.dismiss, SaveOutcome(words, path=target))

    def _failed(self, error: Exception) -> None:
        self._saving = False
        if not isinstance(error, VmciError):
            host(self).failed(error)
            error = SaveError(f"not saved: {mishap.record(error)}")
        if self.is_attached:
            self._show_hint(str(error), bad=True)

    def _show_hint(self, words: str, bad: bool = False) -> None:
        hint = self.query_one("#hint", Static)
        hint.update(plain(words))
        hint.set_class(bad, "bad")

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Stop the running save, else close the dialog."""
        if self._saving:
            self.workers.cancel_node(self)
            self._show_hint("stopping")
        else:
            self.dismiss(None)


def harm_rows(harm: Harm) -> list[Row]:
    """Return the harm of a save as rows."""
    return [((words, "error"),) for words in harm_words(harm)]


def plan_rows(document: Document, plan: Plan) -> list[Row]:
    """Return the plan as rows: what is written where, why, and the bytes before and after."""
    if plan.empty:
        return [(("no changes: the copy would be identical to the file", "good"),)]
    rows: list[Row] = [((f"{plan.way}: {plan.bytes_written} bytes at most", "title"),)]
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


def _default_name(document: Document) -> str:
    source = document.source
    if not isinstance(source, FileSource):
        stem = document.name.removesuffix(".json").removesuffix(".write")
        return "new.entry" if document.made else f"{stem}.entry"
    return copy_name(source.path)
