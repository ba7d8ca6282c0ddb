"""The verdict on an entry without a dump: what QEMU will do with it."""

from __future__ import annotations

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.findings.judgement import Judgement
from vmci_tui.verdict.diagnosis import Diagnosis, Offer, offer
from vmci_tui.verdict.of_dump import blame


def of_entry(judgement: Judgement) -> Diagnosis:
    """Return what QEMU will do with the entry; only guest memory decides about a note that it may read."""
    document, verdict = judgement.document, judgement.now["qemu"]
    history = document.state.entry
    blamed = blame(judgement.found)
    offers: list[Offer] = [offer("save", "Save"), offer("undo", "Undo")] if document.unsaved else []
    if blamed is not None and blamed.fix is not None:
        offers.insert(0, offer("repair", f"Fix it: {blamed.fix.label}", "Fix it"))
    if history is None:
        return Diagnosis("dim", (Safe("There is no entry here."),), (), tuple(offers))
    if verdict.accepts is False:
        why = f": {blamed.message}" if blamed is not None else ""
        sentence = (visible(f"QEMU will add no note to the dump{why}."), Safe("QEMU will add no note to the dump."))
        said = visible(f"It prints: {verdict.says}") if verdict.says else Safe("It prints nothing.")
        return Diagnosis("error", sentence, (said,), tuple(offers))
    entry = history.entry
    reads = f"QEMU will read {entry.size} bytes at paddr {entry.paddr:#x}"
    if verdict.accepts:
        return Diagnosis(
            "good", (Safe(f"{reads} and add them to the dump as a note."), Safe(f"{reads}.")), (), tuple(offers)
        )
    detail = Safe("Whether a note is there is not in this file: open a dump of the guest.")
    return Diagnosis("good", (Safe(f"{reads}."),), (detail, Safe("No guest memory is open.")), tuple(offers))
