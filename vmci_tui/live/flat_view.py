"""Read where guest memory is from what QEMU prints for `info mtree -f`.

The text has one flat view for each address space; the one that CPUs see has the line `AS "memory", root: system`.
Only `ram` and `rom` are memory of a dump (dump/dump.c takes the same): `ramd` is memory of a real device, `romd` a
flash chip that may answer with its state, and reading `i/o` has effects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.layers.memory_map import Memory
from vmci_tui.layers.range_table import Range, Ranges

MOST_LINES: Final = 100_000
"""Lines of the text that are read; a VM with many devices has some thousand."""
_SYSTEM: Final = re.compile(r' AS "memory", root: system\s*')
_RAM: Final = re.compile(
    r"  ([0-9a-f]{16})-([0-9a-f]{16}) \(prio -?[0-9]{1,10}, (?:ram|rom)\): "
    r"(.{1,255}?)(?: @([0-9a-f]{16}))?(?: [A-Z]+)?\s*"
)
"""A range: first and last address, the name of the block, and the offset in it, 0 where it is left out. An
accelerator that maps the range adds its name."""


class BlockRange(NamedTuple):
    """A range of guest memory, and the RAM block of QEMU that it is in."""

    paddr: int
    length: int
    block: str
    """As QEMU writes it: not safe to show."""
    offset: int


def ranges_of(text: str) -> tuple[BlockRange, ...]:
    """Return the ranges of memory that CPUs see, ascending and disjoint; none if the text has no such view."""
    out: list[BlockRange] = []
    for line in _system_view(text):
        found = _RAM.fullmatch(line)
        if found is None:
            continue
        first, last, block, offset = int(found[1], 16), int(found[2], 16), found[3], int(found[4] or "0", 16)
        if last >= first and (not out or first >= out[-1].paddr + out[-1].length):
            out.append(BlockRange(first, last - first + 1, block, offset))
    return tuple(out)


def memory_of(ranges: tuple[BlockRange, ...]) -> Memory:
    """Return the ranges as memory, with neighbours joined; an offset is the address itself."""
    joined: list[Range] = []
    for item in ranges:
        if joined and joined[-1].end == item.paddr:
            joined[-1] = Range(joined[-1].paddr, joined[-1].length + item.length, joined[-1].paddr)
        else:
            joined.append(Range(item.paddr, item.length, item.paddr))
    return Memory(Ranges(joined))


def _system_view(text: str) -> Iterator[str]:
    """Yield the lines of the view of CPUs."""
    inside = False
    for number, line in enumerate(text.splitlines()):
        if number >= MOST_LINES:
            return
        if line.startswith("FlatView "):
            if inside:
                return
        elif _SYSTEM.fullmatch(line):
            inside = True
        elif inside:
            yield line
