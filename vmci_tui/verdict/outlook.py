"""What a repair of the current state would bring, as the app knows it so far, and the words and keys for it."""

from __future__ import annotations

from typing import Final, NamedTuple

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.repair.repaired import Repair
from vmci_tui.search.candidate import RankedCandidate
from vmci_tui.verdict.diagnosis import Offer, offer
from vmci_tui.verdict.tally import tally

_RELEASE: Final = 64
"""Bytes of a kernel's release that are shown."""


class Looking(NamedTuple):
    """A repair is being tried in the background."""

    progress: Safe
    """How much of guest memory was searched; empty if none is searched yet."""


Outlook = Looking | Repair | None
"""None: no repair is tried, because nothing needs one or it would take too long."""


class WayOut(NamedTuple):
    """What can be done, from the longest to the shortest words, and the keys for it."""

    detail: tuple[Safe, ...]
    offers: tuple[Offer, ...]


def way_out(outlook: Outlook, code: str) -> WayOut:
    """Return what can be done about a state that readers refuse; `code` is that of the finding to blame."""
    missing = code == "N01"
    if isinstance(outlook, Looking):
        where = f": {outlook.progress}" if outlook.progress else ""
        words = f"Looking for {'it' if missing else 'a fix'}{' in guest memory' if missing or where else ''}{where}"
        return WayOut((Safe(f"{words} ..."), Safe("Looking for a fix ...")), (offer("repair", "Repair"),))
    if outlook is None:
        return WayOut((), (offer("repair", "Try all safe fixes", "Repair"), *_WHY))
    if outlook.question and outlook.made is not None:
        lines = len(outlook.made.made.lines)
        detail = Safe("It can be made from the kernel in memory.")
        make = offer("repair", f"Make it from its tables: {lines} lines", f"Make it: {lines} lines")
        return WayOut((_capital(outlook.question), detail), (make, *(_CHOOSE if outlook.candidates else ())))
    if outlook.question:
        several = len(outlook.candidates) > 1
        found = f"{'Notes were' if several else 'A note was'} found in guest memory, but not proved."
        return WayOut((_capital(outlook.question), Safe(found)), _CHOOSE)
    if outlook.steps:
        return _of_fixes(outlook, missing)
    if missing and outlook.searched and any(item.code == "C02" for item in outlook.judgement.found):
        detail = Safe("It is not in the memory that the file has; some is missing (C02).")
        short = Safe("It is not in the memory that is there (C02).")
        return WayOut((detail, short), (offer("append", "Add a note from a file"), *_WHY))
    if missing and outlook.searched:
        detail = Safe("Guest memory was searched, and does not have it either.")
        return WayOut((detail, Safe("It is not in guest memory either.")), (offer("append", "Add a note from a file"),))
    return WayOut((Safe("No fix is safe without your decision."), Safe("No safe fix.")), _WHY)


_CHOOSE: Final = (offer("find", "Choose a note", "Choose"),)
OF_VM: Final = WayOut(
    (
        Safe("Memory of a running VM is not searched: `vmci convert` makes a dump of it, repaired."),
        Safe("`vmci convert` makes a dump of it."),
    ),
    (offer("next", "The command", "Command"),),
)
"""What can be done about a running VM."""
_WHY: Final = (offer("readers", "What each reader says", "Readers"),)


def _of_fixes(repair: Repair, missing: bool) -> WayOut:
    """Return what the fixes of a tried repair bring."""
    then = tally(repair.readers.after, repair.judgement.found)
    # At 80 columns there is no room for one that is blind; the repair itself says it.
    more = len(then.accepting) > len(tally(repair.readers.now, repair.found_before).accepting)
    blind = then.but_blind if len(then.blind) > 1 else ""
    gain = f"{'' if more else 'still '}{then.score} readers accept{blind}"
    if (found := adopted(repair)) is not None:
        release = visible((found.candidate.vmcoreinfo.osrelease or b"")[:_RELEASE])
        subject = "It" if missing else "The guest's own note"
        proved = f"{subject} was found in guest memory and proved"
        said = (Safe(f"{proved} (Linux {release})."), Safe(f"{proved}."), Safe("Found in memory and proved."))
        return WayOut(said, (offer("repair", f"Put it back: {gain}", f"Put it back: {then.score}"),))
    count = len(repair.steps)
    fixes = f"{count} fixes" if count > 1 else "the fix"
    done = Safe(f"To do: {'; '.join(step.edit.label for step in repair.steps)}.")
    detail = (done, Safe(f"{count} safe fix{'es' if count > 1 else ''} found."))
    return WayOut(detail, (offer("repair", f"Apply {fixes}: {gain}", f"Repair: {then.score}"),))


def adopted(repair: Repair) -> RankedCandidate | None:
    """Return the note from guest memory that a repair puts into the dump; None if it takes none."""
    if repair.proof is None or not repair.proof.proved or not repair.candidates:
        return None
    text = repair.judgement.document.state.vmcoreinfo
    best = repair.candidates[0]
    return best if text is not None and best.candidate.text == text.text else None


def _capital(words: str) -> Safe:
    return visible(f"{words[:1].upper()}{words[1:]}.")
