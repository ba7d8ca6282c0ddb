"""Count the readers: which accept a file, which do not, and which could never read a file of its kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from vmci_tui.common.safe_text import Safe
from vmci_tui.findings.catalogue import catalogue
from vmci_tui.findings.finding import Finding
from vmci_tui.readers.verdicts import Verdicts

_OTHER_KIND: Final = "C17"
"""The finding of a reader that opens only other containers."""
NAMED: Final = 3
"""Readers that a sentence names; more are only counted."""


class Tally(NamedTuple):
    """The readers with a known verdict, by name."""

    accepting: tuple[str, ...]
    """Also those that then read no kernel memory."""
    blind: tuple[str, ...]
    """Those of `accepting` that read no kernel memory."""
    refusing: tuple[str, ...]
    apart: tuple[str, ...]
    """Those that refuse because they are built for another machine or kind of file: the file is not at fault."""

    @property
    def total(self) -> int:
        """Return how many readers could read the file."""
        return len(self.accepting) + len(self.refusing)

    @property
    def score(self) -> Safe:
        """Return how many of them accept: `4 of 6`."""
        return Safe(f"{len(self.accepting)} of {self.total}")

    @property
    def but_blind(self) -> Safe:
        """Return what to add to a number that accept: how many of them find no kernel memory; empty if all do."""
        count = len(self.blind)
        return Safe(f", {count} find{'s' if count == 1 else ''} no memory" if count else "")


def tally(verdicts: Verdicts, found: Sequence[Finding]) -> Tally:
    """Count the verdicts on a dump, without that of QEMU, which reads the entry.

    `found` are the findings of any state of the same file.
    """
    foreign = {
        impact.reader
        for item in found
        if item.code == _OTHER_KIND or catalogue()[item.code].group == "foreign"
        for impact in item.readers
        if impact.refuses
    }
    dumps = ((name, verdict) for name, verdict in verdicts.items() if name != "qemu")
    known = [(name, verdict) for name, verdict in dumps if verdict.accepts is not None]
    return Tally(
        tuple(name for name, verdict in known if verdict.accepts),
        tuple(name for name, verdict in known if verdict.state == "opens"),
        tuple(name for name, verdict in known if not verdict.accepts and name not in foreign),
        tuple(name for name, verdict in known if not verdict.accepts and name in foreign),
    )


def names(readers: Sequence[str]) -> str:
    """Return a few names as words, `crash and drgn`; the number of more: `5 readers`."""
    if len(readers) > NAMED:
        return f"{len(readers)} readers"
    return " and ".join(filter(None, (", ".join(readers[:-1]), *readers[-1:])))
