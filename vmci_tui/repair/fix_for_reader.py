"""Find the fixes that would make a reader accept a document, and apply them."""

from __future__ import annotations

from typing import NamedTuple

from vmci_tui.common.errors import VmciError
from vmci_tui.document.document import Document
from vmci_tui.findings import Finding
from vmci_tui.findings.judgement import Judgement
from vmci_tui.readers.verdicts import DEFAULT, ChosenReaders

_STEPS = 40
"""More fixes in a row than any file needed: each removes a finding."""


class ReaderFixes(NamedTuple):
    """What was done for a reader, and its answer afterwards."""

    labels: tuple[str, ...]
    accepts: bool | None
    left: str
    """Why no further fix was applied; empty if the reader accepts."""


def fixes_for(reader: str, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings for which a reader refuses, those with a fix first."""
    mine = [f for f in found if any(c.reader == reader and c.refuses for c in f.readers)]
    return tuple(sorted(mine, key=lambda finding: finding.fix is None))


def fix_for_reader(document: Document, reader: str, readers: ChosenReaders = DEFAULT) -> ReaderFixes:
    """Apply fixes, each as one undo step, until the reader accepts the file as it would be saved, or none is left."""
    labels: list[str] = []
    judgement = Judgement.of(document, readers=readers)
    for _ in range(_STEPS):
        verdict = judgement.shown[reader]
        if verdict.accepts is not False:
            return ReaderFixes(tuple(labels), verdict.accepts, "")
        open_fixes = [f.fix for f in fixes_for(reader, judgement.found) if f.fix is not None]
        for fix in open_fixes:
            try:
                if document.edit(fix):
                    labels.append(fix.label)
                    judgement = judgement.later(document)
                    break
            except VmciError:
                continue
        else:
            return ReaderFixes(tuple(labels), False, verdict.says)
    return ReaderFixes(tuple(labels), judgement.shown[reader].accepts, "too many faults")
