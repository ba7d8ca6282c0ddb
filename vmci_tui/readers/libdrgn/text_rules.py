"""The rules of drgn for the text, the same whichever library it comes from."""

from __future__ import annotations

from typing import Final, Protocol, TypeVar

from vmci_tui.common.span import Span
from vmci_tui.readers.libdrgn.text import DrgnText
from vmci_tui.readers.rule import Condition, Reading, RuleHit, Rules, why

_SOURCE: Final = "drgn 0.3.0, libdrgn/drgn_program_parse_vmcoreinfo.inc.strswitch"


class TextReading(Reading, Protocol):
    """A reading whose text goes through drgn."""

    @property
    def parsed(self) -> DrgnText | None:
        """The text as drgn parses it; None if it does not get that far."""
        ...

    def in_text(self, offset: int, length: int) -> Span | None:
        """Return the span in the file of bytes of the text."""
        ...


R = TypeVar("R", bound=TextReading)

_LINES: Final = (
    ("T02", "carriage-return", "drgn reads a value up to the newline; a carriage return is then part of the value."),
    ("T03", "nul-in-number", "A number ends at a NUL, but drgn needs it to end at the newline."),
    ("T07", "not-a-number", "drgn parses numbers strictly: nothing may be between the number and the newline."),
    ("T13", "octal-number", "A number with a leading 0 is octal to drgn (base 0), and 8 and 9 are not octal digits."),
    ("T14", "release-too-long", "drgn has room for a release of 127 characters."),
    ("T18", "bad-build-id", "The build ID must be an even number of hex digits, at most 256."),
    ("T19", "bits-out-of-range", "SECTION_SIZE_BITS and MAX_PHYSMEM_BITS must be numbers from 1 to 64."),
)  # fmt: skip
_RELEASE, _SIZE, _TABLE = b"OSRELEASE", b"PAGESIZE", b"SYMBOL(swapper_pg_dir)"


def add_text_rules(rule: Rules[R]) -> None:
    """Add the rules of drgn's text to those of a reader.

    drgn stops at the first line that it cannot parse, so the rules of that line come first and
    those of later lines last.
    """
    for cause, name, reason in _LINES:
        _add_line(rule, cause, name, reason, first=True)
    _add_missing(rule)
    for cause, name, reason in _LINES:
        _add_line(rule, cause, f"{name}-below", reason, first=False)


def _add_line(rule: Rules[R], cause: str, name: str, reason: str, first: bool) -> None:
    def check(r: R) -> RuleHit | None:
        faults = () if r.parsed is None else r.parsed.faults
        faults = faults[:1] if first else faults[1:]
        fault = next((fault for fault in faults if fault.cause == cause), None)
        return None if fault is None else RuleHit(r.in_text(fault.offset, fault.length), fault.words)

    rule(cause, "after", "", _SOURCE)(Condition(name, reason, check))


def _add_missing(rule: Rules[R]) -> None:
    """Add the rules for required keys: a release, a page size, the kernel's page table."""

    @rule("T04", "after", "", _SOURCE)
    @why("drgn ignores a line that does not end with a newline, but here it needs the key of the last line.")
    def _needed_key_without_newline(r: R) -> RuleHit | None:
        words = _missing(r)
        text = r.parsed
        if text is None or words is None or not text.unfinished(words[0]):
            return None
        start = text.raw.rfind(b"\n") + 1
        return RuleHit(r.in_text(start, len(text.raw) - start), words[1])

    @rule("T09", "after", "VMCOREINFO does not contain valid OSRELEASE", _SOURCE)
    @why("drgn needs a line OSRELEASE= with a value.")
    def _no_release(r: R) -> RuleHit | None:
        return RuleHit(_line(r, _RELEASE)) if r.parsed and not r.parsed.osrelease else None

    @rule("T12", "after", "VMCOREINFO does not contain valid PAGESIZE", _SOURCE)
    @why("drgn needs a page size that is a power of two.")
    def _page_size_no_power_of_two(r: R) -> RuleHit | None:
        size = r.parsed.number(_SIZE) if r.parsed else 0
        return RuleHit(_line(r, _SIZE)) if size & (size - 1) else None

    @rule("T20", "after", "VMCOREINFO does not contain valid PAGESIZE", _SOURCE)
    @why("drgn treats a page size of 0 as missing.")
    def _page_size_zero(r: R) -> RuleHit | None:
        zero = r.parsed and _SIZE in r.parsed.last and r.parsed.number(_SIZE) == 0
        return RuleHit(_line(r, _SIZE)) if zero else None

    @rule("T15", "after", "VMCOREINFO does not contain valid PAGESIZE", _SOURCE)
    @why("drgn needs a line PAGESIZE=.")
    def _no_page_size(r: R) -> RuleHit | None:
        return RuleHit() if r.parsed and _SIZE not in r.parsed.last else None

    @rule("T22", "after", "VMCOREINFO does not contain valid swapper_pg_dir", _SOURCE)
    @why("SYMBOL(swapper_pg_dir) is the address of the kernel's page table: drgn does not accept 0.")
    def _page_table_zero(r: R) -> RuleHit | None:
        zero = r.parsed and _TABLE in r.parsed.last and r.parsed.number(_TABLE) == 0
        return RuleHit(_line(r, _TABLE)) if zero else None

    @rule("T15", "after", "VMCOREINFO does not contain valid swapper_pg_dir", _SOURCE)
    @why("drgn needs the address of the kernel's page table, SYMBOL(swapper_pg_dir)=, in hexadecimal.")
    def _no_page_table(r: R) -> RuleHit | None:
        return RuleHit() if r.parsed and _TABLE not in r.parsed.last else None


def _missing(r: TextReading) -> tuple[bytes, str] | None:
    """Return the first required key that the text lacks, and drgn's message."""
    text = r.parsed
    if text is None:
        return None
    if not text.osrelease:
        return _RELEASE, "VMCOREINFO does not contain valid OSRELEASE"
    size = text.number(_SIZE)
    if not size or size & (size - 1):
        return _SIZE, "VMCOREINFO does not contain valid PAGESIZE"
    if not text.number(_TABLE):
        return _TABLE, "VMCOREINFO does not contain valid swapper_pg_dir"
    return None


def _line(r: TextReading, key: bytes) -> Span | None:
    """Return the span of the line that counts for a key; None without one."""
    found = [line for line in r.parsed.lines if line.key == key] if r.parsed else []
    return r.in_text(found[-1].offset, found[-1].length) if found else None
