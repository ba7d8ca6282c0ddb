"""How each reader reads one key: by its own forms, which the verdicts use too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from vmci_tui.readers.rule import Reader, Value

_SAMPLE: Final = b"10"
"""A number in every base: it shows how a form reads if no value is given."""


class KeyReading(NamedTuple):
    """One reader that uses the key; `value` is None if no value was given."""

    reader: str
    version: str
    how: str
    """`base 16`, `text`, `presence only`"""
    value: Value | None


def readings(readers: Iterable[Reader[Any]], key: bytes, value: bytes | None = None) -> tuple[KeyReading, ...]:
    """Return those of `readers` that use `key`, each with its reading of `value`."""
    out = []
    for reader in readers:
        form = reader.keys.get(key)
        if form is not None:
            read = form(_SAMPLE if value is None else value)
            out.append(KeyReading(reader.name, reader.title, read.how, None if value is None else read))
    return tuple(out)
