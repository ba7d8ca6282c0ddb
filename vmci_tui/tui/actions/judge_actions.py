"""Verdicts and findings of what is shown: computed anew after each edit, and while something is typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from vmci_tui.common.errors import VmciError
from vmci_tui.document.edit import Edit
from vmci_tui.layers.file import FileSource
from vmci_tui.tui.actions.navigate_actions import WayActions
from vmci_tui.tui.panes.panes import FindingsList, FindingsPane
from vmci_tui.tui.widgets.verdict_strip import BEING_JUDGED, TitleBar

if TYPE_CHECKING:
    from vmci_tui.common.budget import Budget
    from vmci_tui.findings.judgement import Judgement
    from vmci_tui.readers.verdicts import Both, Verdicts
    from vmci_tui.repair.next_commands import Step
    from vmci_tui.tui.widgets.dialogs import Preview, Told
    from vmci_tui.tui.widgets.worker_screen import Background

Make = Callable[[str], Edit]
"""From what was typed to the edit; raises VmciError for what cannot be taken."""


class JudgeActions(WayActions):
    """What readers say of the document, and of what is being typed."""

    patience: ClassVar[float] = 0.05
    """Seconds that an edit waits for its judgement: what is quicker is shown with it, and nothing flickers."""
    judgement: Judgement | None = None
    """Of what is shown; None while it is being judged, and where it cannot be."""
    saved_path: str | None = None
    """Where the last copy of the dump was saved."""
    not_judged = BEING_JUDGED
    """Why there are no verdicts."""
    _now: Verdicts | None = None
    """Of the file on disk, which stays."""
    _judge: Background[Judgement] | None = None

    def show_findings(self, patience: float | None = None) -> None:
        """Judge what is shown, beside the keys: until that is done there are no verdicts, and the screen says so."""
        if self._judge is None:
            self._judge = self.vmci.background(self)
        document, now = self.document.snapshot(), self._now

        def job(budget: Budget) -> Judgement:
            from vmci_tui.findings.judgement import Judgement  # with all readers: not before the first paint

            return Judgement(document, now, budget).complete()

        self.not_judged = BEING_JUDGED
        self.judgement = None
        patience = self.patience if patience is None else patience
        if not self._judge.ask(job, self._show_judged, self._show_failed, patience):
            self._show_verdicts()

    def judge_first(self) -> None:
        """Judge what is opened; no key waits for that."""
        self.show_findings(0)

    def stop_judging(self) -> None:
        """What is shown is being closed."""
        if self._judge is not None:
            self._judge.stop()

    def _show_judged(self, judgement: Judgement) -> None:
        self.judgement, self._now = judgement, judgement.now
        self._show_verdicts()
        self.vmci.tell_mishaps()

    def _show_failed(self, error: Exception) -> None:
        self.not_judged = "not judged"
        self._show_verdicts()
        self.vmci.failed(error)

    def _show_verdicts(self) -> None:
        judgement = self.judgement
        both, instead = (None, self.not_judged) if judgement is None else (judgement.both, None)
        self.query_one(TitleBar).show(both, self.not_judged)
        self.query_one(FindingsList).show_findings(self.found, instead)
        self.tell_finding()
        self.tell_lines()
        self.show_tabs()

    def tell_finding(self) -> None:
        self.query_one(FindingsPane).tell(self.query_one(FindingsList).finding())

    def show_tabs(self) -> None:
        raise NotImplementedError

    def tell_lines(self) -> None:
        raise NotImplementedError

    def action_repair(self) -> None:
        raise NotImplementedError

    def show_state(self) -> None:
        raise NotImplementedError

    def judge_typed(self, make: Make) -> Preview:
        """A preview for a dialog: what every reader would say if this were taken over."""
        judge: Background[Both] = self.vmci.background(self)

        def preview(typed: str | None, told: Told, patience: float) -> bool:
            judge.stop()
            if typed is None:
                return True
            try:
                tentative, now = self.document.with_edit(make(typed)), self._now
            except VmciError:
                told(None)
                return True

            def failed(error: Exception) -> None:
                told(None)
                self.vmci.failed(error)

            def job(budget: Budget) -> Both:
                from vmci_tui.findings.judgement import Judgement

                return Judgement(tentative, now, budget).both

            return judge.ask(job, told, failed, patience)

        return preview

    def without_verdicts(self) -> bool:
        """Say why there are none; False where there are."""
        if self.judgement is None:
            self.say(f"the file is {self.not_judged}", "warning")
        return self.judgement is None

    def action_readers(self) -> None:
        """The screen of readers, on the one under the strip's cursor."""
        from vmci_tui.tui.screens.readers_screen import ReadersScreen

        if self.without_verdicts():
            return
        strip = self.query_one(TitleBar)
        reader = strip.reader if strip.has_focus else None
        screen = ReadersScreen(
            self._judged,
            self.next_steps,
            self.fix_for,
            self.action_matrix,
            self.action_repair,
            self.show_one_finding,
            reader,
        )
        screen.shell = self.shell_of("check FILE")
        self.app.push_screen(screen)

    def action_next(self) -> None:
        """The commands to go on with: for the file as it is, or for the copy that was or would be saved."""
        from vmci_tui.common.safe_text import visible
        from vmci_tui.repair.next_commands import copy_name
        from vmci_tui.tui.screens.next_screen import WhatNowScreen

        document = self.document
        if document.dump is None:
            self.say("an entry alone is read by QEMU only: Q asks it", "warning")
        elif self.without_verdicts():
            return
        elif document.dump_unsaved:
            path = copy_name(document.source.path) if isinstance(document.source, FileSource) else None
            title = f"What now, once it is saved (s){f' as {visible(path)}' if path else ''}"
            self.app.push_screen(WhatNowScreen(title, self.next_steps(path)))
        else:
            path = self.saved_copy
            title = f"What now with {document.name if path is None else visible(path)}"
            self.app.push_screen(WhatNowScreen(title, self.next_steps(path)))

    def next_steps(self, path: str | None = None) -> tuple[Step, ...]:
        """The commands for a copy of what is shown, at `path`; None for the file that is open."""
        from vmci_tui.repair.next_commands import next_steps

        assert self.judgement is not None
        return next_steps(self.judgement, path)

    @property
    def saved_copy(self) -> str | None:
        """Where the state that is shown was saved last; None where that is the file that is open, or nowhere."""
        saved = self.document.saved
        return self.saved_path if saved is not None and saved.of_dump == self.document.state.of_dump else None

    def _judged(self) -> Judgement:
        if self._judge is not None:
            self._judge.finish()
        assert self.judgement is not None
        return self.judgement

    def fix_for(self, reader: str) -> None:
        """Apply every fix that helps this reader to accept."""
        from vmci_tui.repair.fix_for_reader import mend_for

        done = mend_for(self.document, reader)
        if done.labels:
            self.show_state()
            self.tell_command()
        what = f"{len(done.labels)} fix(es): {'; '.join(done.labels)}. " if done.labels else ""
        if done.accepts:
            self.say(
                f"{what}{reader} accepts the file once it is saved (s)" if what else f"{reader} accepts it already"
            )
        else:
            self.say(f"{what}{reader} would still refuse: {done.left or 'not known'}. R looks in memory", "warning")

    def action_matrix(self) -> None:
        """The value that each reader reads for each key."""
        from vmci_tui.tui.screens.matrix_screen import MatrixScreen

        text = self.document.state.vmcoreinfo
        if text is None:
            self.say("there is no text of which readers could read a value: [a] appends a note", "warning")
            return
        if self.without_verdicts():
            return
        assert self.judgement is not None
        both = self.judgement.both
        self.app.push_screen(MatrixScreen(text, both.after if self.document.modified else both.now))
