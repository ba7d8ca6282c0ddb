"""Who reads a key of the text, and what it is, in as few cells as a table has."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.knowledge.glossary import explain
from vmci_tui.readers.key_readings import readings
from vmci_tui.readers.verdicts import DEFAULT

LETTERS: Final = {"crash": "c", "drgn": "d", "libkdumpfile": "l", "makedumpfile": "m"}
"""The letters of the readers that use keys, in the order in which they are shown."""
_LONGEST: Final = 512
"""Bytes of a key that is looked up; Linux writes at most 79 for a line."""


class KeyColumns(NamedTuple):
    """What is known about a key."""

    read_by: str
    """A letter for each reader that uses it, a point for each that does not."""
    meaning: Safe
    """What it is; empty for a key that Linux does not write."""


def key_columns(key: bytes, value: bytes) -> KeyColumns:
    """Return who reads a key with this value, and what it is."""
    return _columns(key, value) if len(key) + len(value) <= _LONGEST else KeyColumns(_letters(()), Safe(""))


@lru_cache(maxsize=4096)
def _columns(key: bytes, value: bytes) -> KeyColumns:
    known = explain(key)
    names = tuple(item.reader for item in readings(DEFAULT.dumps, key, value)) if known is not None else ()
    return KeyColumns(_letters(names), Safe("") if known is None else visible(known.what.encode()))


def _letters(names: tuple[str, ...]) -> str:
    return " ".join(letter if name in names else "." for name, letter in LETTERS.items())
