"""The rules of drgn for the text, the same whichever library it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Protocol

from vmci_tui.common.span import Span
from vmci_tui.readers.libdrgn.text import BASES, BITS, BUILD_ID, MISSING, SINCE, DrgnText
from vmci_tui.readers.rule import Reading, Rule, RuleHit
from vmci_tui.readers.rule_rows import RuleRows
from vmci_tui.readers.shared.text_lines import TextLine
from vmci_tui.readers.version import Version


class TextReading(Reading, Protocol):
    """A reading whose text goes through drgn."""

    @property
    def parsed(self) -> DrgnText | None:
        """The text as drgn parses it; None if it does not get that far."""
        ...

    def in_text(self, offset: int, length: int) -> Span | None:
        """Return the span in the file of bytes of the text."""
        ...


_RELEASE, _SIZE, _TABLE = MISSING
Holds = Callable[[TextReading], bool]


def _span(r: TextReading, line: TextLine | None) -> Span | None:
    return None if line is None else r.in_text(line.offset, line.length)


def _line(key: bytes) -> Callable[[TextReading], Span | None]:
    """Return what finds the line that counts for a key."""
    return lambda r: _span(r, r.parsed.line_of(key)) if r.parsed else None


def _lacks(key: bytes) -> Holds:
    return lambda r: r.parsed is not None and key not in r.parsed.last


def _zero(key: bytes) -> Holds:
    return lambda r: r.parsed is not None and key in r.parsed.last and r.parsed.number(key) == 0


def _size_not_power_of_two(r: TextReading) -> bool:
    size = r.parsed.number(_SIZE) if r.parsed else 0
    return bool(size & (size - 1))


def _unfinished(r: TextReading) -> RuleHit | None:
    """Return the last line if it lacks its newline and holds the first required key that drgn does not find."""
    key, line = (r.parsed.missing, r.parsed.unfinished) if r.parsed else (None, None)
    return RuleHit(_span(r, line), MISSING[key]) if key and line and line.key == key else None


def _fault(cause: str, since: Version, below: bool) -> Callable[[TextReading], RuleHit | None]:
    """Return what finds the text's first fault, if it has a cause and is in a key that drgn knows since a version.

    `below`: the one with the cause after it, in the key that drgn has known for longest.
    """

    def find(r: TextReading) -> RuleHit | None:
        if r.parsed is None:
            return None
        found = r.parsed.below.get(cause) if below else r.parsed.first
        right = found is not None and (found.cause, found.since) == (cause, since)
        return RuleHit(_span(r, found.line), found.words) if found is not None and right else None

    return find


row: Final[RuleRows[TextReading]] = RuleRows("drgn 0.3.0, libdrgn/drgn_program_parse_vmcoreinfo.inc.strswitch")
_NUMBERS: Final = tuple(BASES)
# fmt: off
_LINES: Final = (
    ("T02", "carriage-return", (*_NUMBERS, BUILD_ID),
     "drgn reads a value up to the newline; a carriage return is then part of the value."),
    ("T03", "nul-in-number", _NUMBERS, "A number ends at a NUL, but drgn needs it to end at the newline."),
    ("T07", "not-a-number", _NUMBERS,
     "drgn parses numbers strictly: nothing may be between the number and the newline."),
    ("T13", "octal-number", tuple(key for key in _NUMBERS if not BASES[key]),
     "A number with a leading 0 is octal to drgn (base 0), and 8 and 9 are not octal digits."),
    ("T14", "release-too-long", (_RELEASE,), "drgn has room for a release of 127 characters."),
    ("T18", "bad-build-id", (BUILD_ID,), "The build ID must be an even number of hex digits, at most 256."),
    ("T19", "bits-out-of-range", BITS, "SECTION_SIZE_BITS and MAX_PHYSMEM_BITS must be numbers from 1 to 64."),
)
"""Cause and name of a rule, the keys that it is about, and its reason."""
# fmt: on


def _line_rules(below: bool) -> Iterator[Rule[TextReading]]:
    """Yield the rules for the first line that drgn cannot parse, or for those below it.

    The keys of each version have a rule of their own, of the same name: at most one of these fires.
    """
    for cause, name, keys, why in _LINES:
        for since in dict.fromkeys(SINCE.get(key, ()) for key in keys):
            where = _fault(cause, since, below)
            yield row(cause, "after", name + "-below" * below, "", "", why, where=where, since=since or None)


# fmt: off
TEXT_RULES: Final[tuple[Rule[TextReading], ...]] = (
    # drgn stops at the first line that it cannot parse.
    *_line_rules(below=False),
    row("T04", "after", "needed-key-without-newline", "", "",
        "drgn ignores a line that does not end with a newline, but here it needs the key of the last line.",
        where=_unfinished),
    row("T09", "after", "no-release", "", MISSING[_RELEASE],
        "drgn needs a line OSRELEASE= with a value.",
        holds=lambda r: r.parsed is not None and not r.parsed.osrelease, where=_line(_RELEASE)),
    row("T12", "after", "page-size-no-power-of-two", "", MISSING[_SIZE],
        "drgn needs a page size that is a power of two.",
        holds=_size_not_power_of_two, where=_line(_SIZE)),
    row("T20", "after", "page-size-zero", "", MISSING[_SIZE],
        "drgn treats a page size of 0 as missing.",
        holds=_zero(_SIZE), where=_line(_SIZE)),
    row("T15", "after", "no-page-size", "", MISSING[_SIZE],
        "drgn needs a line PAGESIZE=.",
        holds=_lacks(_SIZE)),
    row("T22", "after", "page-table-zero", "", MISSING[_TABLE],
        "SYMBOL(swapper_pg_dir) is the address of the kernel's page table: drgn does not accept 0.",
        holds=_zero(_TABLE), where=_line(_TABLE)),
    row("T15", "after", "no-page-table", "", MISSING[_TABLE],
        "drgn needs the address of the kernel's page table, SYMBOL(swapper_pg_dir)=, in hexadecimal.",
        holds=_lacks(_TABLE)),
    *_line_rules(below=True),
)
# fmt: on
