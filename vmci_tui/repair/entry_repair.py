"""Repair an entry that is open alone: fix what keeps QEMU from using it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from vmci_tui.common.errors import VmciError
from vmci_tui.document.document import Document
from vmci_tui.findings import Finding
from vmci_tui.findings.catalogue import catalogue
from vmci_tui.findings.judgement import Judgement
from vmci_tui.readers.verdicts import DEFAULT, ChosenReaders, VerdictPair
from vmci_tui.repair.repaired import Repair, RepairStep
from vmci_tui.repair.safe_fixes import EVERYTHING, Choice

STEPS: Final = 16
"""More fixes than an entry needs: each leaves fewer faults."""


def repair_entry(document: Document, choice: Choice = EVERYTHING, readers: ChosenReaders = DEFAULT) -> Repair:
    """Apply the fixes for what QEMU refuses, and for errors, each as one undo step."""
    steps: list[RepairStep] = []
    before = judgement = Judgement.of(document, readers=readers).complete()
    for _ in range(STEPS):
        step = _best(document, judgement, choice)
        if step is None:
            break
        document.edit(step.edit)
        steps.append(step)
        judgement = judgement.later(document)
    left = tuple(f"{f.code} {f.message}: {catalogue()[f.code].cure}" for f in _faults(judgement.found))
    after = judgement.complete()
    return Repair(tuple(steps), "", left, (), False, None, after, before.found, VerdictPair(before.now, after.now))


def _best(document: Document, judgement: Judgement, choice: Choice) -> RepairStep | None:
    """Return the fix that leaves the fewest faults; None if no fix leaves fewer.

    All fields of a byte-swapped entry are wrong: to swap them fixes more than to set the first one.
    """
    faults = list(_faults(judgement.found))
    best, fewest = None, len(faults)
    for fault in faults:
        if fault.fix is None or not choice.allows(fault.code):
            continue
        tried = document.snapshot()
        try:
            tried.edit(fault.fix)
        except VmciError:
            continue
        left = sum(1 for _ in _faults(judgement.later(tried).found))
        if left < fewest:
            best, fewest = RepairStep(fault.code, fault.fix), left
    return best


def _faults(found: Sequence[Finding]) -> Iterator[Finding]:
    """Yield what keeps QEMU from using the entry, and errors."""
    for finding in found:
        if finding.severity == "error" or any(impact.refuses for impact in finding.readers):
            yield finding
