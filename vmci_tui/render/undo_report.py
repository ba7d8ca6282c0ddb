"""Render what a forced undo of a save overwrites, as JSON and as text."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, Final

from vmci_tui.saving.last_save import ForeignBytes

_MOST_ROWS: Final = 2000
"""The most rows of 16 bytes that are shown."""


def overwritten_text(lost: Iterable[ForeignBytes]) -> Iterator[str]:
    """Yield what a forced undo overwrites, in rows of 16 bytes: now, and afterwards."""
    for number, (at, now, then) in enumerate(_rows_of(lost)):
        if number == _MOST_ROWS:
            yield "and more"
            return
        yield f"{at:#010x} - {now.hex(' ')}"
        yield f"           + {then.hex(' ') or 'the end of the file'}"


def overwritten_json(lost: Iterable[ForeignBytes]) -> list[dict[str, Any]]:
    """Return the same rows, each with its offset."""
    rows = itertools.islice(_rows_of(lost), _MOST_ROWS)
    return [{"offset": at, "now": now.hex(), "then": then.hex()} for at, now, then in rows]


def _rows_of(lost: Iterable[ForeignBytes]) -> Iterator[tuple[int, bytes, bytes]]:
    for item in lost:
        for at in range(0, len(item.now), 16):
            now, then = item.now[at : at + 16], item.then[at : at + 16]
            if now != then:
                yield item.offset + at, now, then
