"""How one candidate relates to another: a copy, a part, the same before a panic, or from another kernel."""

from __future__ import annotations

import re

from vmci_tui.common.safe_text import visible
from vmci_tui.search.candidate import Candidate, RankedCandidate
from vmci_tui.search.memory_blocks import PAGE
from vmci_tui.search.recognise import release_of

_CRASHTIME = re.compile(rb"CRASHTIME=[0-9]+\n\Z")
_RELEASE_SHOWN = 64


def after_panic(text: bytes) -> bool:
    """Return whether the text ends with what a panic appends."""
    return _CRASHTIME.search(text) is not None


def is_rival(item: RankedCandidate, best: RankedCandidate) -> bool:
    """Return whether `item` is another text, not `best` at an earlier time or a part of it.

    A panic appends CRASHTIME to a safe copy of the text and makes the note from that (crash_save_vmcoreinfo in
    kernel/vmcore_info.c); the first vmcoreinfo_data page is unchanged. So a text with which `best` begins is not a
    rival if `best` is on two page starts, as the kernel's text is. A note with header on a page start always is a
    rival: the kernel has only one.
    """
    if item.candidate.kind == "note" and not item.candidate.misplaced:
        return True
    twice = not best.candidate.misplaced and any(paddr % PAGE == 0 for paddr in best.copies)
    return not (twice and best.candidate.text.startswith(item.candidate.text))


def relation(item: Candidate, best: Candidate) -> str:
    """Return how `item` relates to `best`, as words; not yet safe to show."""
    where = f"the {best.kind} at {best.paddr:#x}"
    if item.text == best.text:
        return f"a copy of {where}"
    for one, other, word in ((item, best, "without"), (best, item, "with")):
        if _CRASHTIME.sub(b"", other.text) == one.text:
            return f"like {where}, but {word} CRASHTIME"
    if best.text.startswith(item.text):
        return f"a part of {where}"
    if (release := release_of(item.text)) != release_of(best.text):
        return f"of a kernel {visible(release[:_RELEASE_SHOWN])}, unlike {where}"
    return f"differs from {where}" + (f" ({difference(item, best)})" if item.whole else "")


def difference(one: Candidate, other: Candidate) -> str:
    """Return the first key whose lines differ, and how many more differ."""
    a, b = one.vmcoreinfo, other.vmcoreinfo
    keys = dict.fromkeys(line.key for line in (*a.lines, *b.lines) if line.key is not None)
    differing = [key for key in keys if [x.raw for x in a.all(key)] != [x.raw for x in b.all(key)]]
    if not differing:
        return "in the order of their lines"
    more = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
    return visible(differing[0][:_RELEASE_SHOWN]) + more
