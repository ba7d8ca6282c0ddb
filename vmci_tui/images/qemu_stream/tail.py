"""Find the states of the devices from the end of a stream, without a walk over its pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from vmci_tui.images.qemu_stream import records
from vmci_tui.images.qemu_stream.cursor import BrokenStream, Cursor
from vmci_tui.images.qemu_stream.ram import RamRecords
from vmci_tui.images.qemu_stream.walk import RAM, Walk, step
from vmci_tui.layers.file import Source

_TAILS: Final = (128 << 10, 1 << 20, 8 << 20, 64 << 20)
"""Bytes from the end that are looked through: 128 KiB hold the devices of a small guest, and their description."""
_DESCRIPTION: Final = re.compile(rb'\x06(?=....\{")', re.DOTALL)
_TRIES: Final = 16
"""Places in one tail that are taken for the first device; in a real stream the first is right."""


def devices_at_end(begun: Walk, start: int, source: Source) -> Walk | None:
    """Return a walk over the records from the first device to the end; None if that is not found in the tail.

    `start` is where the pages begin. The end of RAM is recognised by its footer, the devices by what follows: from
    the right place the records lead exactly to the end of the file.
    """
    footers = [bytes([records.FOOTER]) + number.to_bytes(4, "big") for number in begun.started]
    for length in _TAILS:
        first = max(source.size - length, start)
        tail = source.read(first, source.size - first)
        if any(end == len(tail) for end in _descriptions(tail)):
            for at in islice(_devices(tail, footers), _TRIES):
                if (found := _walk_from(first + at, begun, source)) is not None:
                    return found
        if first == start:
            break
    return None


def _descriptions(tail: bytes) -> Iterator[int]:
    """Yield where each text that may describe the devices ends."""
    for found in _DESCRIPTION.finditer(tail):
        yield found.end() + 4 + int.from_bytes(tail[found.end() : found.end() + 4], "big")


def _devices(tail: bytes, footers: list[bytes]) -> Iterator[int]:
    """Yield where a section of a device may follow the last part of RAM, or of another state in parts."""
    kind = re.escape(bytes([records.FULL]))
    for found in re.finditer(b"(?:" + b"|".join(map(re.escape, footers)) + b")(?=" + kind + b")", tail):
        yield found.end()


def _walk_from(at: int, begun: Walk, source: Source) -> Walk | None:
    cursor = Cursor(source, at)
    parts = {number: name for number, name in begun.started.items() if name != RAM}
    walk = Walk(begun.configuration, RamRecords(begun.configuration, 0), started=dict(parts))
    try:
        while step(walk, cursor):
            pass
    except BrokenStream:
        return None
    whole = walk.complete and cursor.at == source.size and walk.sections and walk.started == parts
    return walk if whole else None
