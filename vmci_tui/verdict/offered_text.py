"""The text that a dump without a note could get back: what was found in guest memory, and the key that takes it."""

from __future__ import annotations

from typing import NamedTuple

from vmci_tui.common.safe_text import Safe
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.search.candidate import RankedCandidate
from vmci_tui.verdict.outlook import Looking, Outlook, adopted


class OfferedText(NamedTuple):
    """What is known of the text that the dump lacks."""

    words: Safe
    """What it is and which key takes it, or why there is none; fits into 60 cells."""
    text: Vmcoreinfo | None = None
    start: int | None = None
    """The file offset of its first byte in guest memory; None if a page there is compressed."""


def offered_text(outlook: Outlook) -> OfferedText:
    """Return the text that a repair would put into a dump without one, or the best of several that nothing proves."""
    if isinstance(outlook, Looking):
        return OfferedText(Safe(f"searching guest memory for it{f': {outlook.progress}' if outlook.progress else ''}"))
    if outlook is None or not outlook.candidates:
        searched = outlook is not None and outlook.searched
        return OfferedText(Safe("guest memory has no note either: [a] adds one" if searched else ""))
    best = adopted(outlook)
    if best is not None:
        return _of(best, Safe(f"found at {best.candidate.paddr:#x} and proved: [R] puts it back"))
    best = outlook.candidates[0]
    others = f", and {len(outlook.candidates) - 1} more" if len(outlook.candidates) > 1 else ""
    return _of(best, Safe(f"found at {best.candidate.paddr:#x}{others}, not proved: [F] to choose"))


def _of(found: RankedCandidate, words: Safe) -> OfferedText:
    item = found.candidate
    start = None if item.offset is None else item.offset + len(item.raw.partition(item.text)[0])
    return OfferedText(words, item.vmcoreinfo, start)
