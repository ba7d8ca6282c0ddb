"""The repair screen: all safe fixes at once, the verdicts before and after, and what the user must decide."""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Footer, Static

from vmci_tui.findings.catalogue import catalogue
from vmci_tui.render.verdict_report import state_words
from vmci_tui.repair.safe_fixes import EVERYTHING, NOTHING_KNOWN, Choice, Repair, repair
from vmci_tui.search.candidate import PROVED
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.session import Session, SessionEvent
from vmci_tui.tui.style.cells import plain
from vmci_tui.tui.widgets.status_line import StatusLine
from vmci_tui.tui.widgets.worker_screen import WorkerScreen
from vmci_tui.verdict.outlook import Looking


class AcceptedRepair(NamedTuple):
    """A repair that the user accepted."""

    repair: Repair
    keep_segments: bool


RepairResult = AcceptedRepair | Literal["candidates"]
"""The result of the screen: a repair, or the wish to choose a note by hand."""


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
        bind("k", "keep_segments", "Keep headers", "Do not merge program headers", "repair.keep"),
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
        with VerticalScroll(id="told"):
            yield Static(id="repair")
        yield StatusLine("", id="progress")
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.query_one("#told").focus()
        self.query_one("#title", StatusLine).set_text(
            f" Repair {self._document.name}", self.session.shell_words("repair FILE -o COPY READERS")
        )
        self.session.changed.append(self._ahead_changed)
        self._try()

    def on_unmount(self) -> None:
        self.session.changed.remove(self._ahead_changed)

    def _ahead_changed(self, event: SessionEvent) -> None:
        """Go on once what runs in the background ended."""
        if event == "tried" and self._done is None and not self.job.running:
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
        self.query_one("#repair", Static).update(plain("\n".join(repair_lines(done))))
        if done.question:
            self.show_progress("Nothing is changed. Press F to see the candidates")
        elif done.steps:
            self.show_progress(f"Enter applies {len(done.steps)} fix(es); s then saves a copy")
        else:
            searched = " (memory was searched)" if done.searched else ""
            self.show_progress(f"Nothing to do{searched}: ESC goes back")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether an action makes sense now, for the footer."""
        if action == "accept":
            return self._done is not None and bool(self._done.steps)
        if action == "keep_segments":  # useful only if headers would be merged
            codes = [step.code for step in self._done.steps] if self._done is not None else []
            merges = any(catalogue()[code].fix == "merge-headers" for code in codes)
            return merges or self._choice.keep_segments
        return True

    def action_accept(self) -> None:
        if self._done is not None and self._done.steps:
            self.dismiss(AcceptedRepair(self._done, self._choice.keep_segments))

    def action_keep_segments(self) -> None:
        if not self.job.running:
            self._choice = Choice(keep_segments=not self._choice.keep_segments)
            self._try()

    def action_candidates(self) -> None:
        if not self.job.running:
            self.dismiss("candidates")


def repair_lines(done: Repair) -> list[str]:
    """Return text with the planned changes, the verdicts before and after, and what the user must decide."""
    out: list[str] = []
    if done.question:
        return ["You have to decide:", f"  {done.question}", "", "Press F to see the candidates in memory."]
    if done.steps:
        out += ["Planned changes:", *(f"  {step.code}  {step.edit.label}" for step in done.steps), ""]
    else:
        out += ["Nothing to repair." if not done.left else "No fix is safe without your decision.", ""]
    if done.left:
        out += ["Not repaired:", *(f"  {line}" for line in done.left), ""]
    if done.proof is not None:
        out += [
            f"Proof: the note is then {PROVED[done.proof.proved]}"
            if done.steps
            else f"Proof: the note is {PROVED[done.proof.proved]}"
        ]
        out += [f"  {done.proof.why}", ""]
    out += ["Readers, before and after:"]
    for name, verdict in done.readers.now.items():
        then = done.readers.after[name]
        changed = "" if then.state == verdict.state else f"  ->  {state_words(then)}"
        out += [f"  {name:<13} {state_words(verdict)}{changed}"]
        if then.accepts is False:
            out += [f"      {then.says or 'it prints nothing'}"]
        elif then.state == "opens":
            out += [f"      {then.unread}"]
    return out
