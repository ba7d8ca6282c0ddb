"""The rules of crash 8.0.2 for the release that it prints, from whatever container, and for carriage returns."""

from __future__ import annotations

from typing import Final, Protocol

from vmci_tui.common.span import Span
from vmci_tui.readers.rule import Reading, Rule
from vmci_tui.readers.rule_rows import RuleRows

CRASH: Final = "crash 8.0.2, "
UNKNOWN: Final = "unknown"
"""What crash prints if it does not know the file, or finds no release."""


class CrashReading(Reading, Protocol):
    """A file as crash reads it; `osrelease` is the release that it prints if no rule refuses the file."""

    @property
    def desc(self) -> Span | None:
        """The bytes of the text in the file."""
        ...

    @property
    def release_line(self) -> Span | None:
        """The bytes of the release in the file."""
        ...


_row: Final[RuleRows[CrashReading]] = RuleRows(CRASH)


# fmt: off
def release_rules(function: str, prefix: str = "") -> tuple[Rule[CrashReading], ...]:
    """Return the rules for a release that is no release; `prefix`: of their names."""
    return (
        _row("T09", "after", prefix + "empty-release", function, "",
             "OSRELEASE has no value, so crash prints only an empty line.",
             holds=lambda r: r.osrelease is not None and not r.osrelease.strip(), where=lambda r: r.release_line),
        _row("T14", "after", prefix + "release-unknown", function, UNKNOWN,
             "OSRELEASE is the word that crash prints if it finds no release.",
             holds=lambda r: r.osrelease == b"unknown", where=lambda r: r.release_line),
    )


def carriage_returns(function: str, prefix: str = "") -> Rule[CrashReading]:
    """Return the rule for lines that end in CR and LF."""
    return _row("T02", "after", prefix + "carriage-returns", function, "",
                "The carriage return at the end of a line stays in the value and makes numbers invalid.",
                where=_first_carriage_return, refuses=False)
# fmt: on


def _first_carriage_return(r: CrashReading) -> Span | None:
    at = -1 if r.text is None else r.text.find(b"\r\n")
    return None if at < 0 or r.desc is None else Span(r.desc.offset + at, 2)
