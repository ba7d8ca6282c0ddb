"""The verdict on each line of a text, by what memory says of its key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, NamedTuple

from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.facts.running_kernel import Fact, Finding, NotKnown
from vmci_tui.kernel.lines.kernel_state import KernelState

_HEX_KEYS: Final = frozenset({b"KERNELOFFSET", b"SAMODE31", b"EAMODE31", b"IDENTITYBASE", b"KERNELOFFPHYS"})
"""Keys other than SYMBOL whose number is in base 16 without 0x."""
_LATER: Final = NotKnown("this key is new, and was not looked up in memory yet")
_FEW: Final = 10
"""How many lines must be confirmed for each contradicted one, so that the line is wrong, not the note."""

Verdict = Literal["confirmed", "contradicted", "unknown"]
VERDICTS: Final[tuple[Verdict, ...]] = ("confirmed", "contradicted", "unknown")


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


@dataclass(frozen=True)
class ProvedLines:
    """The verdicts on the lines of one text that have a key."""

    lines: tuple[ProvedLine, ...]

    @cached_property
    def by_number(self) -> Mapping[int, ProvedLine]:
        """The lines by their numbers in the text."""
        return {line.line: line for line in self.lines}

    @cached_property
    def contradicted(self) -> tuple[ProvedLine, ...]:
        """The lines that memory contradicts, in the order of the text."""
        return tuple(line for line in self.lines if line.verdict == "contradicted")

    @cached_property
    def counts(self) -> Counter[Verdict]:
        """How many lines have each verdict."""
        return Counter(line.verdict for line in self.lines)

    @property
    def consistent(self) -> bool:
        """Whether the text is this kernel's, so that a contradicted line is an error of that line.

        The words that name the kernel are confirmed, and ten lines for each contradicted one; so are more addresses
        than are contradicted: the same kernel booted again has the same types elsewhere.
        """
        addresses = Counter(line.verdict for line in self.lines if line.key.startswith(b"SYMBOL("))
        named = {line.key: line.verdict for line in self.lines if line.key in (b"OSRELEASE", b"BUILD-ID")}
        return (
            self.counts["confirmed"] >= _FEW * self.counts["contradicted"]
            and addresses["confirmed"] > addresses["contradicted"]
            and "confirmed" in named.values()
        )


@dataclass(frozen=True)
class KernelFacts:
    """What memory says of the lines that a text may have, whatever their values are."""

    known: Mapping[bytes, Finding]
    """By whole keys."""
    state: KernelState | None = None
    """What memory says of the kernel itself; None if that was not asked."""

    def lines(self, text: Vmcoreinfo) -> tuple[ProvedLine, ...]:
        """Return the verdict on each line of a text that has a key; one that was not looked up is unknown."""
        return tuple(
            judged(line.number, line.key, line.value, self.known.get(line.key, _LATER))
            for line in text.lines
            if line.key and line.value is not None
        )

    def lacks(self, text: Vmcoreinfo) -> bool:
        """Return whether a text has a key that was not looked up."""
        return any(line.key and line.key not in self.known for line in text.lines)


def judged(number: int, key: bytes, value: bytes, fact: Finding) -> ProvedLine:
    """Return the verdict on line `number`, by what it should be."""
    if isinstance(fact, NotKnown):
        return ProvedLine(number, key, value, "unknown", None, "", fact.why)
    right = _right(key, value, fact)
    agrees = value in right
    verdict: Verdict = "confirmed" if agrees else "contradicted"
    return ProvedLine(number, key, value, verdict, value if agrees else right[0], fact.by, "")


def _right(key: bytes, value: bytes, fact: Fact) -> list[bytes]:
    if isinstance(fact.value, bytes):
        return [fact.value]
    return [written(key, value, one, fact.form) for one in (fact.value, *fact.or_else)]


def written(key: bytes, value: bytes, number: int, form: str) -> bytes:
    """Return a number as Linux writes it for this key; `value` has a sign where an enumerator may have one."""
    if key.startswith(b"SYMBOL(") or key in _HEX_KEYS:
        return b"%x" % (number % (1 << 64))
    if form == "0x":
        return b"0x%x" % (number % (1 << 64))
    if form == "enumerator" and value.startswith(b"-") and 1 << 31 <= number < 1 << 32:
        return b"%d" % (number - (1 << 32))
    return b"%d" % number
