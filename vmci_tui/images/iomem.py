"""Read the map of a machine's memory from a copy of its /proc/iomem."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError
from vmci_tui.containers.elf.dump import SEGMENT_LIMIT

LIMIT: Final = 64 << 20
"""Bytes of a map; a line has about forty."""
_LINE: Final = re.compile(rb"([0-9a-fA-F]{1,16})-([0-9a-fA-F]{1,16}) : (.*)")
"""A line of the first level: those below it are indented (Linux, kernel/resource.c r_show)."""
_RAM: Final = b"System RAM"
_COPY: Final = "save `/proc/iomem` of that machine as root, unchanged"


class RamRange(NamedTuple):
    """Addresses of memory, `end` exclusive."""

    start: int
    end: int


def ram_ranges(text: bytes) -> tuple[RamRange, ...]:
    """Return the ranges of System RAM of the first level, by address.

    Raises OpenError for a text that is not such a map, one read without root, and ranges that overlap.
    """
    found = []
    for line in text.splitlines():
        match = _LINE.fullmatch(line.rstrip(b"\r "))
        if match is not None and match[3] == _RAM:
            found.append(RamRange(int(match[1], 16), int(match[2], 16) + 1))
            if len(found) > SEGMENT_LIMIT:
                raise OpenError(f"this map has more than {SEGMENT_LIMIT} ranges of memory", _COPY)
    if not found:
        raise OpenError("this map has no line of System RAM", _COPY)
    if all(start == 0 and end == 1 for start, end in found):
        raise OpenError("this map has only zeros for addresses: it was read without root", _COPY)
    found.sort()
    last = 0
    for start, end in found:
        if end <= start:
            raise OpenError(f"a range of this map ends before it begins: {start:#x} to {end - 1:#x}", _COPY)
        if start < last:
            raise OpenError(f"two ranges of this map have the memory at {start:#x}", _COPY)
        last = end
    return tuple(found)
