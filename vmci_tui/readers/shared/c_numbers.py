"""How C programs read numbers out of text: strtoull and its kin, and the values that come of them.

Every reader parses the same text in another base; where one is lenient another refuses.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from vmci_tui.common.safe_text import visible
from vmci_tui.readers.rule import Value

PRESENCE = "presence only"
"""How a reader reads that looks only whether a key is there."""
ULONG_MAX = (1 << 64) - 1
LONG_MAX = (1 << 63) - 1
_BLANKS = rb"[ \t\n\v\f\r]*"
_DIGITS = {
    8: rb"[0-7]+",
    10: rb"[0-9]+",
    16: rb"[0-9a-fA-F]+",
}
_DIGITS_ENOUGH = 80
_SIGN = re.compile(_BLANKS + rb"([+-]?)")


class ParsedNumber(NamedTuple):
    """What strtoull or strtol gives: the value, the bytes left over, whether it fit."""

    value: int
    rest: bytes
    fits: bool = True
    digits: bool = True
    """False: there was no number at all; `rest` is the whole text."""


def _scan(text: bytes, base: int) -> tuple[bool, int, bytes] | None:
    """(negative, magnitude, rest) of the longest number at the start; None where there is none."""
    sign = _SIGN.match(text)
    assert sign is not None
    at = sign.end()
    if base in (0, 16) and re.match(rb"0[xX][0-9a-fA-F]", text[at : at + 3]):
        base, at = 16, at + 2
    elif base == 0:
        base = 8 if text[at : at + 1] == b"0" else 10
    digits = re.compile(_DIGITS[base]).match(text, at)
    if digits is None:
        return None
    # More digits than fit any width are not converted: Python refuses 5,000 of them, and 80 are as good.
    return sign[1] == b"-", int(digits[0].lstrip(b"0")[:_DIGITS_ENOUGH] or b"0", base), text[digits.end() :]


def strtoull(text: bytes, base: int, bits: int = 64) -> ParsedNumber:
    """As C's: blanks, a sign, `0x` where the base allows it; a negative number wraps."""
    found = _scan(text, base)
    if found is None:
        return ParsedNumber(0, text, digits=False)
    negative, magnitude, rest = found
    top = (1 << bits) - 1
    if magnitude > top:
        return ParsedNumber(top, rest, fits=False)
    return ParsedNumber(-magnitude & top if negative else magnitude, rest)


def strtol(text: bytes, base: int, bits: int = 64) -> ParsedNumber:
    """As C's: a number that does not fit becomes the nearest that does."""
    found = _scan(text, base)
    if found is None:
        return ParsedNumber(0, text, digits=False)
    negative, magnitude, rest = found
    value, top = -magnitude if negative else magnitude, (1 << (bits - 1)) - 1
    if not -top - 1 <= value <= top:
        return ParsedNumber(top if value > 0 else -top - 1, rest, fits=False)
    return ParsedNumber(value, rest)


def shown_hex(number: int, how: str, problem: str = "") -> Value:
    return Value(visible(f"{number:#x}"), number, how, problem)


def shown_decimal(number: int, how: str, problem: str = "") -> Value:
    return Value(visible(str(number)), number, how, problem)


def as_text(raw: bytes) -> Value:
    """The form of OSRELEASE and its like: the bytes as they are."""
    return Value(visible(raw), None, "text")


def presence(raw: bytes) -> Value:
    """The reader looks only whether the key is there."""
    return Value(visible(raw), None, PRESENCE)
