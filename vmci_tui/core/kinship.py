"""What one candidate is to another: a copy, a part, the same before a panic, or another kernel's."""

from __future__ import annotations

import re

from vmci_tui.core.candidate import Candidate
from vmci_tui.core.recognise import NOT_ON_A_PAGE, is_whole
from vmci_tui.core.text import visible

_CRASHTIME = re.compile(rb"CRASHTIME=[0-9]+\n\Z")
_RELEASE_SHOWN = 64


def after_panic(text: bytes) -> bool:
    """Whether the text ends with what a panic appends."""
    return _CRASHTIME.search(text) is not None


def is_same_kernels(item: Candidate, best: Candidate) -> bool:
    """Whether `item` is no other text than `best`, but what it was at another time, or its beginning.

    A panic appends CRASHTIME to the text that the note is made of; where a crash kernel is loaded
    that is a safe copy, and the first vmcoreinfo_data page stays as it was. Two notes with header,
    both on page starts, are never that: the kernel has one.
    """
    if item.kind == "note" and NOT_ON_A_PAGE not in item.faults:
        return False
    if after_panic(item.text) != after_panic(best.text):
        return _CRASHTIME.sub(b"", item.text) == _CRASHTIME.sub(b"", best.text)
    return item.kind == "text" and best.kind == "note" and best.text.startswith(item.text)


def relation(item: Candidate, best: Candidate) -> str:
    """What a lesser candidate is to the best one, in words; not yet safe to show."""
    where = f"the one at {best.paddr:#x}"
    if item.text == best.text:
        return f"a copy of {where}"
    if best.text.startswith(item.text) and not is_whole(item):
        return f"a part of {where}"
    if is_same_kernels(item, best):
        return f"{where} without CRASHTIME" if after_panic(best.text) else f"{where} with CRASHTIME"
    release = item.vmcoreinfo.osrelease or b""
    if release != best.vmcoreinfo.osrelease:
        return f"of another kernel, {visible(release[:_RELEASE_SHOWN])}"
    return f"differs from {where} ({difference(item, best)})"


def difference(one: Candidate, other: Candidate) -> str:
    """The first key whose lines differ, and how many more."""
    a, b = one.vmcoreinfo, other.vmcoreinfo
    keys = dict.fromkeys(line.key for line in (*a.lines, *b.lines) if line.key is not None)
    differing = [key for key in keys if [x.raw for x in a.all(key)] != [x.raw for x in b.all(key)]]
    if not differing:
        return "in the order of their lines"
    more = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
    return visible(differing[0][:_RELEASE_SHOWN]) + more
