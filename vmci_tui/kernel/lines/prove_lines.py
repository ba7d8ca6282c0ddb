"""Say for each line of a text whether memory confirms it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from vmci_tui.common.errors import Spent
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.lines.by_memory import by_memory
from vmci_tui.kernel.lines.by_symbols import symbol
from vmci_tui.kernel.lines.by_types import enumerator, length_of, offset_of, size_of
from vmci_tui.kernel.lines.running_kernel import Finding, NotKnown, RunningKernel

_FORM: Final = re.compile(rb"(SYMBOL|SIZE|OFFSET|LENGTH|NUMBER)\((.+)\)\Z", re.S)
_RULES: Final[dict[bytes, Callable[[RunningKernel, bytes], Finding]]] = {
    b"SYMBOL": symbol,
    b"SIZE": size_of,
    b"OFFSET": offset_of,
    b"LENGTH": length_of,
    b"NUMBER": enumerator,
}
_HEX_KEYS: Final = frozenset({b"KERNELOFFSET", b"SAMODE31", b"EAMODE31", b"IDENTITYBASE", b"KERNELOFFPHYS"})
"""Keys other than SYMBOL whose number is in base 16 without 0x."""

Verdict = Literal["confirmed", "contradicted", "unknown"]


class ProvedLine(NamedTuple):
    """What memory says of one line."""

    line: int
    """Its number in the text, from 1."""
    key: bytes
    value: bytes
    verdict: Verdict
    found: bytes | None
    """The right value, as the line would have it; None where it is not known."""
    by: str
    why: str
    """Why it is unknown; empty otherwise."""


def prove_lines(kernel: RunningKernel, text: Vmcoreinfo) -> list[ProvedLine]:
    """Compare each line that has a key with what the kernel's tables and variables say."""
    return [
        _proved(kernel, line.number, line.key, line.value) for line in text.lines if line.key and line.value is not None
    ]


def expected(kernel: RunningKernel, key: bytes) -> Finding:
    """Return what the line of this key should be."""
    found = by_memory(kernel, key)
    if found is not None:
        return found
    form = _FORM.match(key)
    return _RULES[form[1]](kernel, form[2]) if form else NotKnown("nothing in memory shows it")


def _proved(kernel: RunningKernel, number: int, key: bytes, value: bytes) -> ProvedLine:
    try:
        fact = expected(kernel, key)
    except Spent as spent:
        fact = NotKnown(f"the kernel's types take too long to look up: {spent}")
    if isinstance(fact, NotKnown):
        return ProvedLine(number, key, value, "unknown", None, "", fact.why)
    if isinstance(fact.value, bytes):
        verdict: Verdict = "confirmed" if fact.value == value else "contradicted"
        return ProvedLine(number, key, value, verdict, fact.value, fact.by, "")
    right = [written(key, value, one, fact.form) for one in (fact.value, *fact.or_else)]
    agrees = value in right
    return ProvedLine(
        number, key, value, "confirmed" if agrees else "contradicted", value if agrees else right[0], fact.by, ""
    )


def written(key: bytes, value: bytes, number: int, form: str) -> bytes:
    """Return a number as Linux writes it for this key; `value` has a sign where an enumerator may have one."""
    if key.startswith(b"SYMBOL(") or key in _HEX_KEYS:
        return b"%x" % (number % (1 << 64))
    if form == "0x":
        return b"0x%x" % (number % (1 << 64))
    if form == "enumerator" and value.startswith(b"-") and 1 << 31 <= number < 1 << 32:
        return b"%d" % (number - (1 << 32))
    return b"%d" % number
