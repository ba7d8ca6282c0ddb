"""The screen of candidates: every place in guest memory that looks like the note, best first."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from vmci_tui.adoption.rank import choose, rank_candidates, why_not
from vmci_tui.adoption.relation import after_panic
from vmci_tui.common.errors import Cancelled, VmciError
from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.common.safe_text import visible
from vmci_tui.containers.guest import guest_of
from vmci_tui.knowledge.text_diff import compare, difference_text
from vmci_tui.opening.entry_for_note import entry_for
from vmci_tui.render.candidate_report import osrelease
from vmci_tui.search.candidate import PROVED, Candidate, RankedCandidate
from vmci_tui.search.find_notes import find
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.disk.save_session import SaveOutcome, SaveSession
from vmci_tui.tui.guarded import stands
from vmci_tui.tui.prompts import refuses_edit, say
from vmci_tui.tui.screens.save_screen import SaveScreen
from vmci_tui.tui.session import Session, SessionEvent
from vmci_tui.tui.style.cells import Row, plain
from vmci_tui.tui.widgets.dialogs import Choose, TextDialog
from vmci_tui.tui.widgets.key_footer import KeyFooter
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.status_line import StatusLine
from vmci_tui.tui.widgets.worker_screen import WorkerScreen
from vmci_tui.verdict.outlook import Looking

_STYLES = {True: "good", False: "error", None: "warning"}
_RUNS = {
    "runs": ", and the processors run its kernel",
    "ran before": ", but the processors run another kernel",
    "crashed": ", and its kernel crashed",
    "": "",
}
_LINES = 12
"""Lines of a candidate's text that are shown at most."""


class CandidatesScreen(WorkerScreen[RankedCandidate | None]):
    """Ends with the candidate to adopt, or None."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    CandidatesScreen #candidates { height: auto; min-height: 5; max-height: 50%; border: round $surface-lighten-2; }
    CandidatesScreen #candidates:focus { border: round $accent; border-title-color: $accent; }
    CandidatesScreen #told { height: 1fr; border: round $surface-lighten-2; padding: 0 1; }
    CandidatesScreen #told:focus { border: round $accent; }
    CandidatesScreen #progress { height: 1; background: $surface; color: $text-muted; padding: 0 1; }
    """
    lesson_name = "candidates"
    about = "Candidates: every place in guest memory that looks like the note, best first, proved or not."
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter,a", "adopt", "Adopt", "Make it the dump's note", "candidates.adopt"),
        bind("equals_sign", "differences", "Compare", "Compare it with the note, or the best", "candidates.compare"),
        bind("E", "entry", "Entry", "Save the entry for this note", "candidates.entry"),
        bind("A", "everywhere", "Every byte", "Search every byte, not only page starts", "candidates.all"),
        bind("escape,F,q", "leave", "Back", "Stop the search, or go back to the file", "candidates.back"),
    ]

    def __init__(self, session: Session) -> None:
        """`session` has a dump, and keeps the candidates of an earlier search."""
        super().__init__()
        assert session.document.dump is not None
        self.session, self._judged = session, session.candidates
        self._guest, self._own = guest_of(session.document.dump), session.document.state.vmcoreinfo
        self._seen: list[Candidate] = []
        self._everywhere = False

    def compose(self) -> ComposeResult:
        yield StatusLine(" Notes in guest memory", id="title")
        with Vertical():
            yield LineList(id="candidates", empty="none found yet")
            with VerticalScroll(id="told"):
                yield Static(id="candidate")
        yield StatusLine("", id="progress")
        yield KeyFooter()

    def on_mount(self) -> None:
        listed = self.query_one("#candidates", LineList)
        listed.border_title = "Candidates, best first"
        self.query_one("#title", StatusLine).set_text(" Notes in guest memory", self.session.shell_words("find FILE"))
        listed.focus()
        self.session.changed.append(self._ahead_changed)
        self._begin()

    def on_unmount(self) -> None:
        self.session.call_no_more(self._ahead_changed)

    def _ahead_changed(self, event: SessionEvent) -> None:
        """Go on once the search in the background ended."""
        if stands(self) and event == "tried" and not self._judged and not self.job.running:
            self._begin()

    def _begin(self) -> None:
        """Show what is known, else wait for the search that runs, else search."""
        ahead = self.session.ahead
        self._judged = self._judged or (ahead.candidates if ahead is not None else ())
        if self._judged:
            self._show(self._judged)
        elif ahead is not None and isinstance(ahead.outlook, Looking):
            self.show_progress(f"looking in guest memory  {ahead.outlook.progress}")
        else:
            self._search(everywhere=False)

    def _search(self, everywhere: bool) -> None:
        self._judged, self._seen, self._everywhere = (), [], everywhere
        self._rows()
        self.show_progress("reading memory")

        def work(progress: Progress) -> tuple[bool, tuple[RankedCandidate, ...]]:
            stopped = False
            found: list[Candidate] = []
            try:
                for candidate in find(self._guest, everywhere, progress):
                    found.append(candidate)
                    self.app.call_from_thread(self._saw, candidate)
            except Cancelled:
                stopped = True  # keep the candidates so far
            return stopped, rank_candidates(found, self._guest, progress=no_progress if stopped else progress)

        self.start(work, self._found)

    def _saw(self, candidate: Candidate) -> None:
        self._seen.append(candidate)
        self._rows()

    def _found(self, found: tuple[bool, tuple[RankedCandidate, ...]]) -> None:
        stopped, judged = found
        self.session.candidates = judged
        self._show(judged, stopped)

    def _show(self, judged: tuple[RankedCandidate, ...], stopped: bool = False) -> None:
        self._judged = judged
        self._rows()
        self.show_progress("Stopped before all of memory was read. " * stopped + self._verdict(judged, stopped))

    def _verdict(self, judged: tuple[RankedCandidate, ...], stopped: bool) -> str:
        chosen = choose(judged)
        if chosen is not None and self._own is not None and chosen.candidate.text == self._own.text:
            return f"The candidate at {chosen.candidate.paddr:#x} is proved; the dump already has this note."
        if chosen is not None:
            then = "vmci convert puts it into the dump." if self._guest.runs else "Press Enter to adopt it."
            return f"The candidate at {chosen.candidate.paddr:#x} is proved. {then}"
        if judged:
            return why_not(judged)
        if stopped:
            return "No candidates so far."
        if self._everywhere:
            return "There is no note in this memory. Go back and press a to add one from another dump."
        return "There is no note at a page start. Press A to search at every byte."

    def stopped(self, error: VmciError) -> None:
        super().stopped(error)
        self._rows()

    def _rows(self) -> None:
        listed = self.query_one("#candidates", LineList)
        if self._judged or not self._seen:
            listed.set_rows([row_of(item) for item in self._judged])
        else:
            listed.set_rows(
                [((f"{item.paddr:#014x}  ", "key"), (f"{item.kind}, not judged yet", "dim")) for item in self._seen]
            )
        self._show_candidate()

    @property
    def _chosen(self) -> RankedCandidate | None:
        cursor = self.query_one("#candidates", LineList).cursor
        return self._judged[cursor] if cursor < len(self._judged) else None

    @on(LineList.Moved, "#candidates")
    def _show_candidate(self) -> None:
        chosen = self._chosen
        words = "\n".join(candidate_lines(chosen)) if chosen else ""
        self.query_one("#candidate", Static).update(plain(words))
        self.query_one("#told").scroll_home(animate=False)

    @on(LineList.Chosen, "#candidates")
    def action_adopt(self) -> None:
        """Adopt the candidate; ask first if it is not proved, or another kernel ran last."""
        if refuses_edit(self, self.session):
            return
        chosen = self._chosen
        if chosen is None:
            return
        if chosen.proof.proved and choose(self._judged) is not None:
            self.dismiss(chosen)
            return

        def answered(answer: str | None) -> None:
            if answer == "adopt":
                self.dismiss(chosen)

        question = f"The candidate at {chosen.candidate.paddr:#x} is {PROVED[chosen.proof.proved]}"
        choices = (("stay", "Do not adopt it"), ("adopt", "Adopt it anyway"))
        self.app.push_screen(Choose(question + _RUNS[_did(chosen)], choices, chosen.proof.why), answered)

    def action_differences(self) -> None:
        """Compare the candidate with the dump's note, else with the best candidate."""
        if (chosen := self._chosen) is None:
            return
        candidate, best = chosen.candidate, self._judged[0].candidate
        which = "The dump's note" if self._own is not None else f"The {best.kind} at paddr {best.paddr:#x}"
        found = compare(best.vmcoreinfo if self._own is None else self._own, candidate.vmcoreinfo)
        title = f"{which} (a) and the {candidate.kind} at paddr {candidate.paddr:#x} (b)"
        self.app.push_screen(TextDialog(title, difference_text(found)))

    def action_entry(self) -> None:
        """Save the entry that a Linux guest writes for this note."""
        if (chosen := self._chosen) is None:
            return
        try:
            saving = SaveSession(entry_for(chosen.candidate), self.session.refuse_outside)
        except VmciError as error:
            say(self, str(error), "error")
            return

        def saved(outcome: SaveOutcome | None) -> None:
            if outcome is not None:
                say(self, outcome.words)

        self.app.push_screen(SaveScreen(saving), saved)

    def is_useful(self, action: str) -> bool:
        """Return whether an action makes sense now, for the footer."""
        return action not in ("everywhere", "adopt") or not self._guest.runs

    def action_everywhere(self) -> None:
        if self._guest.runs:
            say(self, "memory of a running VM is not searched: vmci convert makes a dump of it", "warning")
        elif not self.job.running:
            self._search(everywhere=True)


def _did(item: RankedCandidate) -> str:
    """Return what became of a candidate's kernel, where memory proves several; empty if that is not known."""
    if item.runs is not None and after_panic(item.candidate.text):
        return "crashed"
    return {True: "runs", False: "ran before", None: ""}[item.runs]


def row_of(item: RankedCandidate) -> Row:
    """Return the row of a candidate in the list."""
    found, did = item.candidate, _did(item)
    return (
        (f"{found.paddr:#014x}  ", "key"),
        (f"{PROVED[item.proof.proved]:<13}", _STYLES[item.proof.proved]),
        (f"{did:<10}" if did else "", "warning" if did == "ran before" else "good"),
        (f"{found.kind:<5}", "value"),
        (f"{len(found.raw):>6} bytes  ", "dim"),
        (osrelease(item), "value"),
    )


def candidate_lines(item: RankedCandidate) -> list[str]:
    """Return text about one candidate."""
    found = item.candidate
    out = [item.why]
    out += [f"  {visible(c.key)}={visible(c.value)} would fit: {c.why}" for c in item.proof.corrections]
    if found.faults:
        out += ["", "Faults:", *(f"  {fault}" for fault in found.faults)]
    if item.copies:
        shown = ", ".join(f"{paddr:#x}" for paddr in item.copies[:6])
        out += [
            "",
            f"The same text is at {shown}" + (f" and {len(item.copies) - 6} more" if len(item.copies) > 6 else ""),
        ]
    lines = found.vmcoreinfo.lines
    out += ["", f"Text, {len(lines)} lines:", *(f"  {visible(line.body[:200])}" for line in lines[:_LINES])]
    return [*out, f"  and {len(lines) - _LINES} more"] if len(lines) > _LINES else out
