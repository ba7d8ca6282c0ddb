"""The judgement of one state of a document: verdicts, findings and the proof against memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from vmci_tui.common.budget import Budget
from vmci_tui.document.document import Document
from vmci_tui.findings import findings
from vmci_tui.findings.finding import Finding
from vmci_tui.proof.prove import proof_of
from vmci_tui.readers.verdicts import (
    DEFAULT,
    ChosenReaders,
    VerdictPair,
    Verdicts,
    more_verdicts,
    verdicts_after,
    verdicts_now,
)
from vmci_tui.search.candidate import Proof

if TYPE_CHECKING:
    from vmci_tui.kernel.lines.proved_line import KernelFacts, ProvedLines


@dataclass(frozen=True)
class Judgement:
    """All results for one state; each part is computed once, when it is first used.

    With a budget, using a part may raise Cancelled.
    """

    document: Document
    """A snapshot: later edits of the document do not change it."""
    known: Verdicts | None = None
    """The verdicts over the file on disk, if an earlier judgement has them."""
    budget: Budget | None = None
    readers: ChosenReaders = DEFAULT
    facts: KernelFacts | None = None
    """What the lines of the text should be, if that was looked up in memory."""

    @classmethod
    def of(
        cls,
        document: Document,
        known: Verdicts | None = None,
        budget: Budget | None = None,
        readers: ChosenReaders = DEFAULT,
        facts: KernelFacts | None = None,
    ) -> Judgement:
        """Judge the current state of a document."""
        return cls(document.snapshot(), known, budget, readers, facts)

    def later(self, document: Document) -> Judgement:
        """Judge another state of the same file: the verdicts over the file on disk stay valid."""
        return Judgement.of(document, self.now, self.budget, self.readers, self.facts)

    def complete(self) -> Judgement:
        """Compute every part now, so that another thread need not wait for it later."""
        _ = self.both, self.found, self.proof, self.lines and self.lines.by_number
        return self

    @cached_property
    def now(self) -> Verdicts:
        """The verdicts over the file on disk."""
        return verdicts_now(self.document, self.readers, self.known, self.budget)

    @cached_property
    def after(self) -> Verdicts:
        """The verdicts over the file that saving would write."""
        return verdicts_after(self.document, self.now, self.readers, self.budget)

    @property
    def both(self) -> VerdictPair:
        """The verdicts before and after saving."""
        return VerdictPair(self.now, self.after)

    @cached_property
    def more(self) -> VerdictPair:
        """The verdicts of the programs that judge only if they are asked for, before and after saving."""
        return more_verdicts(self.document, self.readers, self.budget)

    @property
    def shown(self) -> Verdicts:
        """The verdicts over what is on screen: the file on disk if nothing is edited, else the file to be saved."""
        return self.after if self.document.arranged else self.now

    @cached_property
    def proof(self) -> Proof | None:
        """The text checked against memory; None without a text or without memory."""
        return proof_of(self.document.state, self.document.dump, self.budget)

    @cached_property
    def lines(self) -> ProvedLines | None:
        """Each line of the text compared with the kernel's tables; None if these were not looked up."""
        text = self.document.state.vmcoreinfo
        if self.facts is None or text is None or self.proof is None:
            return None
        from vmci_tui.kernel.lines.witnessed import with_witnesses

        return with_witnesses(self.facts.lines(text), self.proof)

    @cached_property
    def found(self) -> tuple[Finding, ...]:
        """The findings, worst first."""
        return findings(self.document, self.shown, self.proof, self.lines)
