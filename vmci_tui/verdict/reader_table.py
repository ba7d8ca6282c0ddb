"""The readers as a table: each with its verdict now and after saving, and what it prints."""

from __future__ import annotations

from typing import NamedTuple

from vmci_tui.common.safe_text import Safe
from vmci_tui.readers.rule import State, Verdict
from vmci_tui.readers.verdicts import VerdictPair


class ReaderLine(NamedTuple):
    """A reader."""

    reader: str
    now: State
    after: State
    """After saving."""
    words: Safe
    """What it prints, in quotes, or why it was not asked."""


def reader_lines(both: VerdictPair, entry: bool) -> tuple[ReaderLine, ...]:
    """Return a line for each reader, QEMU last; a refusal in an earlier reader's words is the `same as` that one's.

    `entry` says whether an entry is open, which QEMU needs.
    """
    out, first = [], dict[Safe, str]()
    for name, verdict in sorted(both.now.items(), key=lambda item: item[0] == "qemu"):
        then = both.after[name]
        words = _words(then if then.state != verdict.state else verdict)
        if name == "qemu" and not entry:
            words = Safe("no entry open: E opens one")
        if verdict.state == then.state == "refuses" and (same := first.setdefault(words, name)) != name:
            words = Safe(f"same as {same}")
        out.append(ReaderLine(name, verdict.state, then.state, words))
    return tuple(out)


def _words(verdict: Verdict) -> Safe:
    """Return the reader's own words in quotes."""
    if verdict.state == "unknown":
        return verdict.says
    said = verdict.unread if verdict.state == "opens" else verdict.says
    return Safe(f'"{said}"' if said else "prints nothing")
