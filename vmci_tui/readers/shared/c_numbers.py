"""How C programs parse numbers (strtoull, strtol), and the resulting values.

The readers parse the same text in different bases, some strictly, some not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from vmci_tui.common.safe_text import visible
from vmci_tui.readers.rule import Form, Value

PRESENCE = "presence only"
"""The form of a key of which a reader checks only the presence."""
ULONG_MAX = (1 << 64) - 1
LONG_MAX = (1 << 63) - 1
_BLANKS = rb"[ \t\n\v\f\r]*"
_DIGITS = {8: re.compile(rb"[0-7]+"), 10: re.compile(rb"[0-9]+"), 16: re.compile(rb"[0-9a-fA-F]+")}
_PREFIX = re.compile(rb"0[xX](?=[0-9a-fA-F])")
_DIGITS_ENOUGH = 80
_SIGN = re.compile(_BLANKS + rb"([+-]?)")


class ParsedNumber(NamedTuple):
    """The result of strtoull or strtol: the value, the rest of the text, whether the value fits."""

    value: int
    rest: bytes
    fits: bool = True
    digits: bool = True
    """False: there is no number; `rest` is the whole text."""


def _scan(text: bytes, base: int) -> tuple[bool, int, bytes] | None:
    """Return (negative, magnitude, rest) of the longest number at the start; None if there is no number."""
    sign = _SIGN.match(text)
    assert sign is not None
    at = sign.end()
    if base in (0, 16) and _PREFIX.match(text, at):
        base, at = 16, at + 2
    elif base == 0:
        base = 8 if text[at : at + 1] == b"0" else 10
    digits = _DIGITS[base].match(text, at)
    if digits is None:
        return None
    # 80 digits overflow any width; Python refuses to convert 5,000.
    return sign[1] == b"-", int(digits[0].lstrip(b"0")[:_DIGITS_ENOUGH] or b"0", base), text[digits.end() :]


def strtoull(text: bytes, base: int, bits: int = 64) -> ParsedNumber:
    """Parse as C does: blanks, a sign, `0x` if the base allows it; a negative number wraps."""
    found = _scan(text, base)
    if found is None:
        return ParsedNumber(0, text, digits=False)
    negative, magnitude, rest = found
    top = (1 << bits) - 1
    if magnitude > top:
        return ParsedNumber(top, rest, fits=False)
    return ParsedNumber(-magnitude & top if negative else magnitude, rest)


def strtol(text: bytes, base: int, bits: int = 64) -> ParsedNumber:
    """Parse as C does: a number that does not fit becomes the nearest one that fits."""
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


def kept_text(raw: bytes, how: str, problem: str = "") -> Value:
    """Return a value that is not a number to the program."""
    return Value(visible(raw), None, how, problem)


def number_form(
    base: int,
    problem: Callable[[bytes, ParsedNumber], str],
    *,
    parse: Callable[[bytes, int], ParsedNumber] = strtoull,
    how: Callable[[bytes], str] | None = None,
    show: Callable[[int, str, str], Value] | None = None,
    drops: Callable[[ParsedNumber], bool] = lambda _: False,
) -> Form:
    """Return how a program reads the numbers of a key; without `show` those of base 16 are shown as 0x...

    `problem` returns why the number differs from the text, empty if it does not; `how` the base in words, if it is
    not always the same; `drops` whether the program does not use the value, which is then shown as text.
    """
    shown = show or (shown_hex if base == 16 else shown_decimal)

    def form(raw: bytes) -> Value:
        number = parse(raw, base)
        said = f"base {base}" if how is None else how(raw)
        why = problem(raw, number)
        return kept_text(raw, said, why) if drops(number) else shown(number.value, said, why)

    return form


def as_text(raw: bytes) -> Value:
    """Read a value as text, such as OSRELEASE."""
    return kept_text(raw, "text")


def presence(raw: bytes) -> Value:
    """Read a value of which only the presence counts."""
    return kept_text(raw, PRESENCE)
