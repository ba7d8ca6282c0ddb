"""The judgement of one state of a document: what readers, checks and memory say of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from vmci_tui.common.budget import Budget
from vmci_tui.document.document import Document
from vmci_tui.findings import findings
from vmci_tui.findings.finding import Finding
from vmci_tui.proof.of_document import proof_of
from vmci_tui.readers.verdicts import VerdictPair, Verdicts, verdicts_after, verdicts_now
from vmci_tui.search.candidate import Proof


@dataclass(frozen=True)
class Judgement:
    """Everything said of a state; each part is computed once, when it is first asked for.

    Asking may raise Cancelled where a budget is given.
    """

    document: Document
    """A snapshot: edits of the document that was judged do not change it."""
    known: Verdicts | None = None
    """The verdicts over the file on disk, where an earlier judgement has them."""
    budget: Budget | None = None

    @classmethod
    def of(cls, document: Document, known: Verdicts | None = None, budget: Budget | None = None) -> Judgement:
        """Judge the state that a document is in now."""
        return cls(document.snapshot(), known, budget)

    def later(self, document: Document) -> Judgement:
        """Judge another state of the same file: what readers say of the file on disk stays."""
        return Judgement.of(document, self.now)

    def complete(self) -> Judgement:
        """Compute every part, as for another thread, which must not wait for it later."""
        _ = self.both, self.found, self.proof
        return self

    @cached_property
    def now(self) -> Verdicts:
        """The verdicts over the file as it is."""
        return verdicts_now(self.document, self.known, self.budget)

    @cached_property
    def after(self) -> Verdicts:
        """The verdicts over the file that saving would write."""
        return verdicts_after(self.document, self.now, self.budget)

    @property
    def both(self) -> VerdictPair:
        """The verdicts before and after saving."""
        return VerdictPair(self.now, self.after)

    @property
    def shown(self) -> Verdicts:
        """The verdicts over what is shown: the file as it is while nothing is edited, else as it would be saved."""
        return self.after if self.document.arranged else self.now

    @cached_property
    def proof(self) -> Proof | None:
        """What memory says of the text; None where there is no text, or no memory to hold it against."""
        return proof_of(self.document.state, self.document.dump, self.budget)

    @cached_property
    def found(self) -> tuple[Finding, ...]:
        """The findings, worst first."""
        return findings(self.document, self.shown, self.proof)
