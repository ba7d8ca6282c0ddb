"""The verdict on a file: a sentence that says who can use it and why not, and the keys that help."""

from __future__ import annotations

from typing import Final

from vmci_tui.common.safe_text import Safe
from vmci_tui.findings.judgement import Judgement
from vmci_tui.verdict.diagnosis import Diagnosis
from vmci_tui.verdict.of_dump import of_dump
from vmci_tui.verdict.of_entry import of_entry
from vmci_tui.verdict.outlook import Outlook

CHECKING: Final = Diagnosis("dim", (Safe("Checking what readers make of this file ..."), Safe("Checking ...")))
FAILED: Final = Diagnosis("dim", (Safe("There is no verdict: judging this file failed."), Safe("There is no verdict.")))


def diagnosis(judgement: Judgement, outlook: Outlook, saved_as: str | None) -> Diagnosis:
    """Return the verdict on the judged state; `saved_as` is the path of a copy that has it, None if none has."""
    if judgement.document.dump is None:
        return of_entry(judgement)
    return of_dump(judgement, outlook, saved_as)
