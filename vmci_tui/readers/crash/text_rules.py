"""The rules of crash 8.0.2 for the release that it prints, from whatever container, and for carriage returns."""

from __future__ import annotations

from typing import Final, Protocol

from vmci_tui.common.span import Span
from vmci_tui.readers.rule import Reading, Rule
from vmci_tui.readers.rule_rows import RuleRows
from vmci_tui.readers.shared.text_lines import c_string

CRASH: Final = "crash 8.0.2, "
UNKNOWN: Final = "unknown"
"""What crash prints if it does not know the file, or finds no release."""


class CrashReading(Reading, Protocol):
    """A file as crash reads it, with the text that it uses."""

    @property
    def desc(self) -> Span | None:
        """The bytes of the text in the file."""
        ...

    @property
    def release(self) -> tuple[int, bytes] | None:
        """The release that it prints if no rule refuses the file, and its offset in the text; None without one."""
        ...

    @property
    def unsorted(self) -> str:
        """A session's message about the records of a flattened file, after which it rejects the file; else empty."""
        return ""

    @property
    def osrelease(self) -> bytes | None:
        return None if self.release is None else c_string(self.release[1])

    @property
    def release_line(self) -> Span | None:
        """The bytes of the release in the file, even after a NUL."""
        return None if self.release is None else self.in_text(*self.release)

    def in_text(self, at: int, found: bytes) -> Span | None:
        """Return the span in the file of bytes at an offset in the text; None if that is negative."""
        return None if self.desc is None or at < 0 else Span(self.desc.offset + at, len(found))

    def span_of(self, found: bytes) -> Span | None:
        """Return the span of the first such bytes in the text."""
        return self.in_text((self.text or b"").find(found), found)


_row: Final[RuleRows[CrashReading]] = RuleRows(CRASH)


# fmt: off
def release_rules(function: str, prefix: str = "") -> tuple[Rule[CrashReading], ...]:
    """Return the rules for a line of OSRELEASE without a release; their names begin with `prefix`."""
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
                where=lambda r: r.span_of(b"\r\n"), refuses=False)
# fmt: on
