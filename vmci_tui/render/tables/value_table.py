"""The value that each reader reads for each key of a text, and which of them differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Final, NamedTuple

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.readers.rule import Value
from vmci_tui.readers.shared.c_numbers import PRESENCE
from vmci_tui.readers.verdicts import Verdicts

NOT_USED: Final = Safe("-")
"""The cell of a reader that does not use the key."""
_EMPTY: Final = Safe("(empty)")
_HEX_HEAD: Final = 4
"""Characters that a cut number keeps of its head: the addresses of a kernel begin alike."""


class ValueRow(NamedTuple):
    """One key: its value in the text, and each reader's value; None if the reader does not use the key."""

    key: bytes
    written: bytes
    values: dict[str, Value | None]

    @property
    def marked(self) -> frozenset[str]:
        """Return the readers whose value is not that of most others, or that cannot use theirs."""
        used = {name: value for name, value in self.values.items() if value is not None and value.how != PRESENCE}
        out = {name for name, value in used.items() if value.problem}
        for numbers in (True, False):
            compared = {name: _compared(v) for name, v in used.items() if (v.number is not None) is numbers}
            if compared:
                most = Counter(compared.values()).most_common(1)[0][0]
                out |= {name for name, value in compared.items() if value != most}
        return frozenset(out)

    @property
    def differs(self) -> bool:
        """Return whether two readers read different values, or one of them cannot use its value."""
        return bool(self.marked)


def _compared(value: Value) -> Hashable:
    """Return what makes a value another: a negative number and the unsigned one with the same 64 bits are equal."""
    return value.number % (1 << 64) if value.number is not None else value.shown


def value_rows(text: Vmcoreinfo, verdicts: Verdicts) -> tuple[tuple[str, ...], list[ValueRow]]:
    """Return the readers that use keys, and a row for each key that one of them uses.

    Keys that readers read differently come first, the others in the text's order.
    """
    values = {name: found for name, verdict in verdicts.items() if (found := verdict.values())}
    out = []
    for key in dict.fromkeys(line.key for line in text.lines if line.key):
        row = {name: found.get(key) for name, found in values.items()}
        if any(value is not None for value in row.values()):
            out.append(ValueRow(key, text.get(key) or b"", row))
    return tuple(values), sorted(out, key=lambda row: not row.differs)


def matching(rows: Iterable[ValueRow], wanted: str) -> list[ValueRow]:
    """Return the rows whose key or one of whose values contains `wanted`, in upper or lower case."""
    return [row for row in rows if wanted.lower() in _searched(row)]


def _searched(row: ValueRow) -> str:
    values = (value.shown for value in row.values.values() if value is not None)
    return " ".join((visible(row.key), visible(row.written), *values)).lower()


def cells(row: ValueRow, width: int) -> dict[str, Safe]:
    """Return each reader's cell in at most `width` characters: where values differ, what differs is not cut."""
    shown = {name: value.shown or _EMPTY for name, value in row.values.items() if value is not None}
    alike = [shown[name] for name, value in row.values.items() if value is not None and value.how != PRESENCE]
    longest = max(map(len, alike), default=0)
    skipped = min(_alike_for(alike), longest - (width - 2)) if row.differs and longest > width else 0
    out = {}
    for name in row.values:
        if name not in shown:
            out[name] = NOT_USED
        elif skipped > 2 and shown[name] in alike:
            out[name] = _cut_end(Safe(f"..{shown[name][skipped:]}"), width)
        else:
            out[name] = _cut_middle(shown[name], width)
    return out


def _alike_for(values: list[Safe]) -> int:
    """Return how many characters the values have in common at their begin."""
    pairs = enumerate(zip(*values, strict=False))
    return next((at for at, chars in pairs if len(set(chars)) > 1), min(map(len, values), default=0))


def _cut_end(text: Safe, width: int) -> Safe:
    return text if len(text) <= width else Safe(f"{text[: max(width - 2, 0)]}..")


def _cut_middle(text: Safe, width: int) -> Safe:
    """Shorten a value in its middle."""
    if len(text) <= width:
        return text
    head = min(max((width - 2) // 2, 0), _HEX_HEAD if text.startswith("0x") else width)
    return Safe(f"{text[:head]}..{text[len(text) - (width - 2 - head) :]}")
