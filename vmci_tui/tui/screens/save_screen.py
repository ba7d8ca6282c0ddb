"""The plan before it runs, the progress while it runs, and how it ended."""

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
"""Lines of bytes that are shown of one range."""
_EVERY = 0.25
"""Seconds between two words of progress."""


class SaveOutcome(NamedTuple):
    """A word for the user, and whether the file that is open was changed itself."""

    words: str
    in_place: bool = False
    path: str | None = None
    """Where the copy is."""


class SaveScreen(Dialog[SaveOutcome | None]):
    """Ends with what was done, or None where nothing was saved."""

    lesson_name = "save"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", id="dialog.cancel")]

    def __init__(self, document: Document, plan: Plan) -> None:
        super().__init__()
        self._document, self._plan = document, plan
        self._default = _default_name(document)
        self._confirmed: str | None = None
        self._agreed = Harm()
        """What the user was told that the save would cost."""
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
            hint = "the file that is open is not touched; ESC cancels" if opened else "ESC cancels"
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
            self._show_hint(f"{visible(target)} exists: press Save again to replace it", bad=True)
        else:
            self._saving = True
            self._show_hint("saving")
            self._save(target)

    def _target(self) -> str:
        typed = self.query_one("#target", Input).value
        return self._default if typed == visible(self._default) else os.path.expanduser(typed.strip())

    @on(Input.Changed, "#target")
    def _named(self) -> None:
        """The name of an entry's file tells in which form it is saved."""
        if self._document.dump is None and not self._saving:
            try:
                plan = plan_copy(self._document, self._target())
            except SaveError:
                return  # said where it is tried
            if plan.image != self._plan.image:
                self._plan = plan
                self.query_one("#plan", LineList).set_rows(plan_rows(self._document, plan))

    def _refused(self, target: str) -> str:
        """Why this session may not save there; empty where it may."""
        try:
            host(self).refuse_outside(target)
        except VmciError as error:
            return str(error)
        return ""

    @on(Button.Pressed, "#in-place")
    def _in_place(self) -> None:
        """First show what that would do; asked a second time, do it."""
        if self._saving:
            return
        if self._document.read_only:
            self._show_hint("another vmci has this file open: only a copy can be saved", bad=True)
            return
        try:
            plan = plan_in_place(self._document)
            if self._plan.way not in ("overwrite", "lift"):
                self._plan = plan
                self.query_one("#plan", LineList).set_rows(plan_rows(self._document, plan))
                self.query_one("#heading", Static).update(plain(f"Save in place: {self._document.name}"))
                words = "this changes the file itself; the old bytes are kept beside it. Once more does it"
                self._show_hint(words, bad=True)
                return
            if self._warns_of_harm(harm_of(self._document, plan)):
                return
            saved = save_in_place(self._document, plan)
        except VmciError as error:
            self._show_hint(str(error), bad=True)
            return
        forced = "; it was made writable for that, and is read-only again" if saved.forced else ""
        self.dismiss(SaveOutcome(f"saved {saved.name} in place{forced}; U takes it back", in_place=True))

    def _warns_of_harm(self, harm: Harm) -> bool:
        """Say what a save would cost, once: the second time the user has agreed."""
        if not harm.worse or harm == self._agreed:
            return False
        self._agreed, self._saving = harm, False
        self.query_one("#plan", LineList).set_rows([*harm_rows(harm), *plan_rows(self._document, self._plan)])
        names = ", ".join(item.reader for item in harm.worse)
        self._show_hint(f"{names} would do worse with what is saved: once more saves it all the same", bad=True)
        return True

    def _is_source(self, target: str) -> bool:
        source = self._document.source
        return isinstance(source, FileSource) and os.path.realpath(target) == os.path.realpath(source.path)

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _save(self, target: str) -> None:
        """In a thread: no widget is touched from here."""
        worker, pace = get_current_worker(), Pace()
        last = 0.0

        def progress(what: str, done: int, total: int) -> None:
            nonlocal last
            if worker.is_cancelled:
                raise Cancelled("saving was stopped; nothing is left behind")
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
        except Exception as error:  # the worker's edge: nothing may vanish in a thread
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
        """Stop what runs; else close."""
        if self._saving:
            self.workers.cancel_node(self)
            self._show_hint("stopping")
        else:
            self.dismiss(None)


def harm_rows(harm: Harm) -> list[Row]:
    """What a save would cost, as lines."""
    return [((words, "error"),) for words in harm_words(harm)]


def plan_rows(document: Document, plan: Plan) -> list[Row]:
    """The plan as lines: what is written where, why, and the bytes before and after."""
    if plan.empty:
        return [(("nothing to change: the copy would be the file as it is, to the byte", "good"),)]
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
    """The lines of 16 bytes that differ, each as it was and as it will be."""
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
