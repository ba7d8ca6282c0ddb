"""Render what a key means, and what each reader makes of its value, in lines."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from vmci_tui.common.safe_text import visible
from vmci_tui.knowledge.glossary import KeyInfo, explain, terms
from vmci_tui.knowledge.key_values import DecodedValue, decode
from vmci_tui.readers.key_readings import KeyReading, readings
from vmci_tui.readers.verdicts import DEFAULT

_BASES = {0: "text", 10: "base 10", 16: "base 16"}
_INDENT = 12


def explained(key: bytes, value: bytes | None) -> tuple[str, ...]:
    """Return everything known about a key and its value, in lines; () if the key has no known form.

    The last line is the shell command that shows the same.
    """
    entry = explain(key)
    if entry is None:
        return ()
    pair = visible(key if value is None else key + b"=" + value)
    return (*_as_text(entry, *made_of(key, value)), "", f"$ vmci explain {shlex.quote(pair)}")


def made_of(key: bytes, value: bytes | None) -> tuple[tuple[DecodedValue, ...], tuple[KeyReading, ...]]:
    """Return what a value is decoded to, and what each reader makes of it; nothing without a value."""
    return () if value is None else decode(key, value), readings(DEFAULT.all, key, value)


def _as_text(entry: KeyInfo, seen: tuple[DecodedValue, ...], read: tuple[KeyReading, ...]) -> Iterator[str]:
    """Yield the meaning first, and what happens if it is wrong: users look for these."""
    yield entry.key
    yield _row("what", entry.what if entry.known else f"{entry.what} Only its form is known.")
    for index, (reader, consequence) in enumerate(entry.breaks):
        yield _row("" if index else "if wrong", f"{reader}: {consequence}")
    if entry.note:
        yield _row("note", entry.note)
    said = " ".join((entry.what, entry.note or "", *map(" ".join, entry.breaks), *map(" ".join, entry.formulas)))
    for word, meaning in terms(said):
        yield _row(word, f"{meaning}.")
    for item in seen:
        yield _row(item.label, item.shown)
    for index, reading in enumerate(read):
        yield _row("" if index else "read by", f"{reading.reader} {reading.version}: {_reading_text(reading)}")
    if not read:
        yield _row("read by", "no reader that vmci knows")
    for machine, formula in entry.formulas:
        yield _row("formula", formula if machine == "all" or len(entry.formulas) == 1 else f"{machine}: {formula}")
    yield _row("written", f"{entry.written}, {_BASES[entry.base]}")
    if entry.since or entry.gone_in:
        yield _row("kernels", kernels(entry))
    if entry.machines:
        yield _row("machines", ", ".join(entry.machines))
    if entry.when:
        yield _row("when", entry.when)
    if entry.see:
        yield _row("see", ", ".join(entry.see))


def kernels(entry: KeyInfo) -> str:
    """Return which versions of Linux write it."""
    since = f"since {entry.since}" if entry.since else ""
    gone = f"removed in {entry.gone_in}" if entry.gone_in else ""
    return ", ".join(filter(None, (since, gone)))


def _reading_text(reading: KeyReading) -> str:
    if reading.value is None:
        return reading.how_and_since
    problem = f"; {reading.value.problem}" if reading.value.problem else ""
    return f"{reading.value.shown} ({reading.how_and_since}{problem})"


def _row(label: str, text: str) -> str:
    return f"  {label:{_INDENT}}{text}"
