"""The verdict on a judged state, of a dump or of an entry alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmci_tui.common.budget import Budget
from vmci_tui.document.document import Document
from vmci_tui.findings.judgement import Judgement
from vmci_tui.readers.verdicts import ChosenReaders, Verdicts
from vmci_tui.verdict.diagnosis import Diagnosis
from vmci_tui.verdict.of_dump import of_dump
from vmci_tui.verdict.of_entry import of_entry
from vmci_tui.verdict.outlook import Outlook

if TYPE_CHECKING:
    from vmci_tui.kernel.lines.proved_line import KernelFacts


def judge(
    document: Document, known: Verdicts | None, budget: Budget, readers: ChosenReaders, facts: KernelFacts | None
) -> Judgement:
    """Judge a state in full; the thread that does it imports with this what the verdict needs. Raises Cancelled."""
    return Judgement(document, known, budget, readers, facts).complete()


def diagnosis(judgement: Judgement, outlook: Outlook, saved_as: str | None) -> Diagnosis:
    """Return the verdict on the judged state; `saved_as` is the path of a copy that has it, None if none has."""
    if judgement.document.dump is None:
        return of_entry(judgement)
    return of_dump(judgement, outlook, saved_as)
