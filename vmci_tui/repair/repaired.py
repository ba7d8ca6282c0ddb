"""What a repair did: the verdict on a file shows it before anybody asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vmci_tui.adoption.made_note import MadeNote
    from vmci_tui.document.edit import Edit
    from vmci_tui.findings import Finding
    from vmci_tui.findings.judgement import Judgement
    from vmci_tui.readers.verdicts import VerdictPair
    from vmci_tui.search.candidate import Proof, RankedCandidate


class RepairStep(NamedTuple):
    """One fix that was applied, and the finding that it fixes."""

    code: str
    edit: Edit


class Repair(NamedTuple):
    """What was done, what the user must decide, and what every reader says about the file before and after."""

    steps: tuple[RepairStep, ...]
    question: str
    """What only the user can decide; the document is then unchanged."""
    left: tuple[str, ...]
    """The errors without a fix that is safe without asking."""
    candidates: tuple[RankedCandidate, ...]
    """The candidates of memory, if it was searched."""
    searched: bool
    proof: Proof | None
    """Of the repaired dump's note; None if it has no text."""
    judgement: Judgement
    """Of the dump after the repair; if nothing was changed, as before."""
    found_before: tuple[Finding, ...]
    """The findings before the repair."""
    readers: VerdictPair
    """What every reader says about the file, and about the repaired one."""
    made: MadeNote | None = None
    """The note made from the kernel's tables: taken, or with a question, offered."""

    @property
    def by_the_way(self) -> tuple[Finding, ...]:
        """Return the findings that no step is for, and that are gone with them: every save orders the headers."""
        gone = {finding.code for finding in self.found_before} - {finding.code for finding in self.judgement.found}
        fixed = gone - {step.code for step in self.steps}
        return tuple(finding for finding in self.found_before if finding.code in fixed)
