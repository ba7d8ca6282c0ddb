"""How each reader reads one key: by its own forms, which the verdicts use too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from vmci_tui.readers.rule import Reader, Value
from vmci_tui.readers.version import numbers_text

_SAMPLE: Final = b"10"
"""A number in every base: it shows how a form reads if no value is given."""


class KeyReading(NamedTuple):
    """One reader that uses the key; `value` is None if no value was given."""

    reader: str
    version: str
    how: str
    """`base 16`, `text`, `presence only`"""
    since: str
    """The first version that uses the key; empty if all do that are known."""
    value: Value | None

    @property
    def how_and_since(self) -> str:
        return f"{self.how}, from {self.since} on" if self.since else self.how


def readings(readers: Iterable[Reader[Any]], key: bytes, value: bytes | None = None) -> tuple[KeyReading, ...]:
    """Return those of `readers` that use `key`, each with its reading of `value`."""
    out = []
    for reader in readers:
        form = reader.keys.get(key)
        if form is not None:
            read = form(_SAMPLE if value is None else value)
            since = numbers_text(reader.since.get(key, ()))
            out.append(KeyReading(reader.name, reader.title, read.how, since, None if value is None else read))
    return tuple(out)
