"""Make the tree of a document's head from its layout: what each region holds, field by field.

The offsets are those of the layout's regions and of the formats' records; nothing else is parsed. In a
flattened file a record holds the parts that are in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.containers import Region
from vmci_tui.document.document import Document
from vmci_tui.structure.meanings import SUMMARY, TEXTS, meaning_of, shown_number, summary_of
from vmci_tui.structure.node import Node, windows
from vmci_tui.structure.note_nodes import note_node

_NUMBERS: Final = (1, 2, 4, 8)
"""Bytes of fields that are numbers, unless they are text."""


def tree_of(document: Document) -> Node:
    """Return the root: the whole file, whose children are the parts of the head as the document lays it out now."""
    layout = document.layout
    head = _Head(document, layout.regions)
    units = tuple(head.units(0, len(layout.regions)))
    return Node(Safe("file"), 0, layout.image.size, "other", parts=lambda: head.nodes(units))


class _Unit(NamedTuple):
    """Regions that are one node: `start` and one more than the last, as numbers of the layout's list."""

    start: int
    stop: int


class _Head:
    """Makes nodes of the regions of one layout."""

    def __init__(self, document: Document, regions: tuple[Region, ...]) -> None:
        dump = document.dump
        self._document, self._regions = document, regions
        self._machine = None if dump is None else dump.machine
        self._order = "little" if dump is None else dump.order
        self._bits = 64 if dump is None else dump.bits
        self._notes = {offset: number for number, offset in enumerate(document.layout.note_offsets)}

    def units(self, start: int, stop: int, inside: bool = False) -> Iterator[_Unit]:
        """Yield the units of a range of regions: a record of a flattened file with its contents, notes in a row."""
        regions, at = self._regions, start
        while at < stop:
            end = at + 1
            if _is_record(regions[at]) and not inside:
                while end < stop and not _is_record(regions[end]):
                    end += 1
            elif regions[at].kind == "note":
                while end < stop and regions[end].kind == "note":
                    end += 1
            yield _Unit(at, end)
            at = end

    def nodes(self, units: tuple[_Unit, ...]) -> tuple[Node, ...]:
        return windows(0, len(units), lambda number: self._unit(*units[number]))

    def _unit(self, start: int, stop: int) -> Node:
        first, last = self._regions[start], self._regions[stop - 1]
        length = last.end - first.offset
        if _is_record(first) and stop - start > 1:
            # The units after the first are the contents.
            contents = tuple(self.units(start + 1, stop, inside=True))
            head = self._region(start)
            return Node(
                Safe("record"), first.offset, length, "segments", head.value, head.meaning,
                lambda: (head, *self.nodes(contents)),
            )  # fmt: skip
        if first.kind == "note" and stop - start > 1:
            count = Safe(str(stop - start))
            return Node(
                Safe("notes"), first.offset, length, "note", count, parts=lambda: windows(start, stop, self._region)
            )
        return self._region(start)

    def _region(self, number: int) -> Node:
        region = self._regions[number]
        name, offset, length, kind = visible(region.label), region.offset, region.length, region.kind
        if kind == "note" and (index := self._notes.get(offset)) is not None:
            note = self._document.layout.notes[index]
            if len(note.raw) == length:
                return note_node(note, index, offset, self._machine)
        if region.record:
            base = offset - region.skipped
            first, stop = region.skipped // region.record, -(-(region.skipped + length) // region.record)
            count = Safe(str(stop - first))
            return Node(
                Safe(f"{name}s"), offset, length, kind, count,
                parts=lambda: windows(first, stop, lambda one: self._record(region, one, base + one * region.record)),
            )  # fmt: skip
        if region.fields:
            return self._record(region, None, offset - region.skipped)
        words = Safe("a part of it: the rest is in another record" if kind == "note" else "")
        return Node(name, offset, length, kind, Safe(f"{length} bytes"), words)

    def _record(self, region: Region, number: int | None, base: int) -> Node:
        """Return a record of fields at `base`; those that are in another record of a flattened file are left out."""
        name = visible(region.label if number is None else f"{region.label} {number}")
        start = max(base, region.offset)
        stop = region.end if number is None else min(base + region.record, region.end)
        fields = tuple(each for each in region.fields if start <= base + each[1] and base + each[1] + each[2] <= stop)
        known = {each[0]: self._number(region, base, each) for each in fields if each[0] in SUMMARY}
        value, meaning = summary_of(known, self._bits)
        return Node(
            name, start, stop - start, region.kind, value, meaning,
            lambda: tuple(self._field(region, base, each) for each in fields),
        )  # fmt: skip

    def _field(self, region: Region, base: int, field: tuple[str, int, int]) -> Node:
        name, at, length = field
        value, meaning = Safe(""), Safe("")
        if name in TEXTS:
            value = visible(self._document.read(base + at, length).partition(b"\0")[0])
        elif length not in _NUMBERS:
            value = Safe(self._document.read(base + at, length).hex(" "))
        else:
            number = self._number(region, base, field)
            value, meaning = shown_number(number, length), meaning_of(name, number, self._bits)
        return Node(visible(name), base + at, length, region.kind, value, meaning)

    def _number(self, region: Region, base: int, field: tuple[str, int, int]) -> int:
        _, at, length = field
        return int.from_bytes(self._document.read(base + at, length), region.order or self._order)


def _is_record(region: Region) -> bool:
    """Return whether it is the header of a flattened file's record, or the end mark."""
    return region.order is not None and region.kind == "segments"
