"""The repair screen: all safe fixes at once, the verdicts before and after, and what the user must decide."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import BindingType

from vmci_tui.findings.catalogue import catalogue
from vmci_tui.render.plans.repair_plan import fixes_text, repair_plan
from vmci_tui.repair.repaired import Repair
from vmci_tui.repair.safe_fixes import EVERYTHING, NOTHING_KNOWN, repair
from vmci_tui.search.candidate import RankedCandidate
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.guarded import stands
from vmci_tui.tui.prompts import say
from vmci_tui.tui.session import Session, SessionEvent
from vmci_tui.tui.widgets.key_footer import KeyFooter
from vmci_tui.tui.widgets.plan_list import PlanList
from vmci_tui.tui.widgets.status_line import StatusLine
from vmci_tui.tui.widgets.worker_screen import WorkerScreen
from vmci_tui.verdict.outlook import Looking


class AcceptedRepair(NamedTuple):
    """A repair that the user accepted."""

    repair: Repair
    keep_segments: bool
    saves: bool
    """Whether a save follows at once."""


RepairResult = AcceptedRepair | RankedCandidate
"""The result of the screen: a repair, or the candidate that the user chose to adopt instead."""


class RepairScreen(WorkerScreen[RepairResult | None]):
    """Tries the repair on a copy of the document; ends with it, or None."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    RepairScreen #told { height: 1fr; border: round $accent; padding: 0 1; }
    RepairScreen #progress { height: 1; background: $surface; color: $text-muted; padding: 0 1; }
    """
    lesson_name = "repair"
    about = "Repair: all safe fixes at once, shown before anything is changed."
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "accept", "Apply", "Apply these fixes; u undoes each", "repair.accept"),
        bind("s,ctrl+s", "accept_and_save", "Apply and save", "Apply these fixes, and save a copy", "repair.save"),
        bind("H", "keep_segments", "Keep headers", "Do not merge program headers", "repair.keep"),
        bind("F", "candidates", "Candidates", "Choose a note by hand", "repair.candidates"),
        bind("escape,q", "leave", "Back", "Stop, or go back without changes", "repair.back"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session, self._document = session, session.document
        self._choice = EVERYTHING
        self._done: Repair | None = None

    def compose(self) -> ComposeResult:
        yield StatusLine(f" Repair {self._document.name}", id="title")
        yield PlanList(id="told", text_id="repair")
        yield StatusLine("", id="progress")
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one("#told").focus()
        self.query_one("#title", StatusLine).set_text(
            f" Repair {self._document.name}", self.session.shell_words("repair FILE -o COPY READERS")
        )
        self.session.changed.append(self._ahead_changed)
        self._try()

    def on_unmount(self) -> None:
        self.session.call_no_more(self._ahead_changed)

    def _ahead_changed(self, event: SessionEvent) -> None:
        """Go on once what runs in the background ended."""
        if stands(self) and event == "tried" and self._done is None and not self.job.running:
            self._try()

    def _try(self) -> None:
        self.show_progress("checking the dump")
        tried, choice, readers = self._document.snapshot(), self._choice, self.session.readers
        prior, ahead = NOTHING_KNOWN, self.session.ahead
        if ahead is not None:
            if isinstance(ahead.outlook, Looking) and choice == EVERYTHING:
                self.show_progress(f"looking in guest memory  {ahead.outlook.progress}")
                return
            if choice == EVERYTHING and (known := ahead.repair_of(tried.state)) is not None:
                self._show(known)
                return
            prior = ahead.prior(tried)
        self.start(lambda progress: repair(tried, choice, progress, readers, prior), self._show)

    def _show(self, done: Repair) -> None:
        self._done = done
        self.refresh_bindings()
        self.query_one(PlanList).show(repair_plan(done))
        if done.question and done.made is not None:
            self.show_progress("Nothing is changed. Enter shows the repair with that note")
        elif done.question:
            self.show_progress("Nothing is changed. Press F to see the candidates")
        elif done.steps:
            self.show_progress(f"Enter applies {fixes_text(done)}; s applies and saves a copy")
        else:
            searched = " (memory was searched)" if done.searched else ""
            self.show_progress(f"Nothing to do{searched}: Esc goes back")

    def is_useful(self, action: str) -> bool:
        """Return whether an action makes sense now, for the footer."""
        if action == "accept" and self._offers_note:
            return True
        if action in ("accept", "accept_and_save"):
            return self._done is not None and bool(self._done.steps)
        if action == "keep_segments":  # useful only if headers would be merged
            codes = [step.code for step in self._done.steps] if self._done is not None else []
            merges = any(catalogue()[code].fix == "merge-headers" for code in codes)
            return merges or self._choice.keep_segments
        return True

    @property
    def _offers_note(self) -> bool:
        """Whether the question is about a note that can be made from the kernel's tables."""
        return self._done is not None and bool(self._done.question) and self._done.made is not None

    def action_accept(self) -> None:
        if self._offers_note and not self.job.running:
            self._choice = self._choice._replace(made=True)
            self._try()
        else:
            self._accept(saves=False)

    def action_accept_and_save(self) -> None:
        self._accept(saves=True)

    def _accept(self, saves: bool) -> None:
        if self._done is None or self.job.running:
            say(self, "the dump is still being checked", "warning")
        elif self._done.steps:
            self.dismiss(AcceptedRepair(self._done, self._choice.keep_segments, saves))
        elif self._done.question:
            say(self, "you have to decide first: F shows the candidates", "warning")
        else:
            say(self, "there is nothing that a repair would change: Esc goes back", "warning")

    def action_keep_segments(self) -> None:
        if not self.job.running:
            self._choice = self._choice._replace(keep_segments=not self._choice.keep_segments)
            self._try()

    def action_candidates(self) -> None:
        """Show the candidates above this screen: Esc there comes back."""
        from vmci_tui.tui.screens.candidates_screen import CandidatesScreen

        def chosen(candidate: RankedCandidate | None) -> None:
            if candidate is not None:
                self.dismiss(candidate)

        if not self.job.running:
            self.app.push_screen(CandidatesScreen(self.session), chosen)
