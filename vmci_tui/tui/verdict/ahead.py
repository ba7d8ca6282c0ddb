"""Try the repair of the open file in the background, before the user asks for it.

What takes long, the search of guest memory, runs in a process of its own. The rest, a few judgements, takes turns
with those of the app in its thread.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from vmci_tui.adoption.apart.parent import consider_apart
from vmci_tui.adoption.choose import Adoption, wants_memory
from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import Cancelled
from vmci_tui.common.progress import Pace
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.document.document import Document
from vmci_tui.findings.judgement import Judgement
from vmci_tui.repair.repaired import Repair
from vmci_tui.repair.safe_fixes import EVERYTHING, Prior, repair
from vmci_tui.tui.background import Background, one_thread
from vmci_tui.tui.verdict.kernel_ahead import AheadHost, AheadSession, KernelAhead
from vmci_tui.verdict.of_dump import blame
from vmci_tui.verdict.outlook import Looking, Outlook

if TYPE_CHECKING:
    from vmci_tui.document.state import State
    from vmci_tui.kernel.lines.proved_line import KernelFacts
    from vmci_tui.readers.verdicts import ChosenReaders
    from vmci_tui.search.candidate import RankedCandidate

_SMALL: Final = 16 << 20
"""Bytes of guest memory that are searched in the app's thread: quicker than a process starts."""
_EVERY: Final = 0.2
"""Seconds between two updates of the progress."""


class Ahead:
    """What is found out about a way to repair the current state, which is announced as tried."""

    def __init__(self, around: AheadHost, session: AheadSession) -> None:
        """`session` has the judgement of the current state, and learns what the kernel's tables in memory say."""
        self.outlook: Outlook = None
        self.adoption: Adoption | None = None
        """What was decided about the note of the file as it is on disk, once that is known."""
        self._around, self._session = around, session
        self.candidates: tuple[RankedCandidate, ...] = ()
        """All notes in memory, if it was searched."""
        self._tries: Background[Repair] = around.background()
        self._pool = one_thread()
        self._decides: Background[Adoption | None] = Background(self._tries.later, self._pool)
        self._deciding = False
        self._tried: tuple[State, Repair] | None = None
        self._opened: tuple[ChosenReaders, KernelFacts | None, Repair] | None = None
        """The repair of the file as it is on disk, for these readers and facts."""
        self._kernel = KernelAhead(around, session.learn)

    def prior(self, document: Document) -> Prior:
        """Return what is known before a repair of this state."""
        facts = None if self._kernel.found is None else self._kernel.found.facts
        return Prior(adoption=None if document.modified else self.adoption, candidates=self.candidates, facts=facts)

    def repair_of(self, state: State) -> Repair | None:
        """Return the tried repair of a state; None if it was not tried, or not yet."""
        return self._tried[1] if self._tried is not None and self._tried[0] is state else None

    @property
    def running(self) -> bool:
        """Whether the current state is being looked at."""
        return isinstance(self.outlook, Looking)

    def judged(self, judgement: Judgement | None) -> None:
        """Begin with the current state, once it is judged; None while it is being judged."""
        self._tries.stop()
        self.outlook, self._tried = None, None
        if judgement is not None:
            self._kernel.judged(judgement)
        if judgement is None or not self._is_worth(judgement):
            return
        document = judgement.document
        opened = not document.modified
        before = self._opened
        if opened and before is not None and before[:2] == (judgement.readers, judgement.facts):
            self._take(document.state, before[2])
        elif self.adoption is not None or not self._is_large(judgement):
            self._try(judgement)
        elif opened:
            self._decide(judgement)

    def stop(self) -> None:
        """Stop all work."""
        self._tries.stop()
        self._decides.stop()
        self._kernel.stop()
        self._pool.shutdown(wait=False)

    def _is_worth(self, judgement: Judgement) -> bool:
        document = judgement.document
        windows = any(note.is_windows for note in document.state.notes)
        if document.dump is None or document.runs or windows:
            return False
        unproved = judgement.proof is not None and not judgement.proof.proved
        return unproved or blame(judgement.found) is not None

    def _is_large(self, judgement: Judgement) -> bool:
        dump = judgement.document.dump
        return dump is not None and dump.guest_memory.size > _SMALL and wants_memory(judgement)

    def _decide(self, judgement: Judgement) -> None:
        """Search memory in a process of its own, and go on with the current state."""
        document, versions = judgement.document, dict(self._around.versions)
        if document.opened_as is None:
            self._try(judgement)
            return
        self.outlook = Looking(Safe(""))
        if self._deciding:
            return
        self._deciding = True

        def job(budget: Budget) -> Adoption | None:
            return consider_apart(document, versions, self._shown, budget.spend)

        def done(adoption: Adoption | None) -> None:
            self._deciding = False
            self.adoption = adoption
            if adoption is not None:
                self.candidates = adoption.candidates
            now, self.outlook = self._session.judgement, None
            if adoption is not None and now is not None and not now.document.modified:
                self._try(now)
            self._session.announce("tried")

        self._pace, self._last = Pace(), 0.0
        self._decides.ask(job, done, self._failed, 0)

    def _shown(self, what: str, at: int, total: int) -> None:
        """Show the progress; called in the thread that waits for the process."""
        now = time.monotonic()
        if now - self._last >= _EVERY:
            self._last = now
            words = visible(self._pace.words(what, at, total).partition(": ")[2])
            self._tries.later(lambda: self._show(words))

    def _show(self, words: Safe) -> None:
        if self._deciding and self.running:
            self.outlook = Looking(words)
            self._session.announce("tried")

    def _try(self, judgement: Judgement) -> None:
        """Try the repair on a copy of the document."""
        document, readers, prior = judgement.document, judgement.readers, self.prior(judgement.document)
        self.outlook = Looking(Safe(""))

        def job(budget: Budget) -> Repair:
            def progress(_what: str, _at: int, _total: int) -> None:
                budget.refill().spend()

            given = prior._replace(verdicts=judgement.now, budget=budget, facts=judgement.facts)
            return repair(document.snapshot(), EVERYTHING, progress, readers, given)

        def done(tried: Repair) -> None:
            if not document.modified:
                self._opened = judgement.readers, judgement.facts, tried
            self.candidates = self.candidates or tried.candidates
            self._take(document.state, tried)
            self._session.announce("tried")

        self._tries.ask(job, done, self._failed, 0)

    def _take(self, state: State, tried: Repair) -> None:
        self.outlook, self._tried = tried, (state, tried)

    def _failed(self, error: Exception) -> None:
        self._deciding, self.outlook = False, None
        self._session.announce("tried")
        if not isinstance(error, Cancelled):
            self._around.failed(error)
