"""The changes as a list of places to go to, each with a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Final, NamedTuple

from vmci_tui.changes.matching import Kind
from vmci_tui.changes.unsaved import HEADS, Unsaved
from vmci_tui.common.safe_text import visible
from vmci_tui.common.span import Span
from vmci_tui.formats.vmcoreinfo import Line

_START: Final = Span(offset=0, length=1)
"""The first byte of the file, if no note is left."""
_SHOWN: Final = 40
"""Characters of a line that are shown."""
_ONE: Final[Mapping[Kind, str]] = {"added": "is new", "changed": "changed", "moved": "moved"}
_SEVERAL: Final[Mapping[Kind, str]] = {**_ONE, "added": "are new"}


class Stop(NamedTuple):
    """A change, or several of the same kind that are adjacent."""

    span: Span
    """Its bytes in the file; for what was removed, those that follow."""
    words: str
    in_text: bool = False
    """Whether it is a line of the note's text."""


def stops(unsaved: Unsaved) -> tuple[Stop, ...]:
    """Return the changes of notes and text by their place in the file, then those of headers."""
    if unsaved.document.dump is None:
        ranges = unsaved.bytes.ranges
        return tuple(Stop(Span(item.start, item.end - item.start), "bytes of the entry changed") for item in ranges)
    return *sorted((*_notes(unsaved), *_lines(unsaved)), key=lambda stop: stop.span[:2]), *_heads(unsaved)


def _heads(unsaved: Unsaved) -> Iterator[Stop]:
    for region in unsaved.document.layout.regions:
        if region.kind in HEADS and (found := tuple(unsaved.bytes.within(region.offset, region.end))):
            yield Stop(Span(found[0].start, found[-1].end - found[0].start), f"{region.label} changed")


def _notes(unsaved: Unsaved) -> Iterator[Stop]:
    document, notes = unsaved.document, unsaved.notes
    layout = document.layout
    for index, kind in notes.kinds.items():
        if kind == "changed" and index == document.state.index and unsaved.lines.kinds:
            continue  # its lines are stops
        name = _cut(layout.notes[index].name.rstrip(b"\0"))
        at, length = layout.note_offsets[index], len(layout.notes[index].raw)
        yield Stop(Span(at, length), f"note {index} {name} {_ONE[kind]}")
    for index, gone in notes.removed.items():
        names = ", ".join(_cut(document.base.notes[was].name.rstrip(b"\0")) for was in gone[:3])
        near = min(index, len(layout.notes) - 1)
        span = Span(layout.note_offsets[near], len(layout.notes[near].raw)) if near >= 0 else _START
        yield Stop(span, f"{_number(len(gone), 'note')} removed here: {names}{', ..' if len(gone) > 3 else ''}")


def _lines(unsaved: Unsaved) -> Iterator[Stop]:
    document, lines, new = unsaved.document, unsaved.lines, unsaved.new_lines
    index = document.state.index
    if index is None or unsaved.notes.kinds.get(index) == "added":
        return
    layout = document.layout
    start = layout.note_offsets[index] + layout.notes[index].desc_start

    def span(first: Line, last: Line) -> Span:
        return Span(start + first.offset, last.offset + len(last.raw) - first.offset)

    runs = groupby(enumerate(lines.kinds.items()), key=lambda item: (item[1][0] - item[0], item[1][1]))
    for (_, kind), items in runs:
        run = [at for _, (at, _) in items]
        first, last = new[run[0]], new[run[-1]]
        if len(run) > 1:
            words = f"lines {first.number} to {last.number} {_SEVERAL[kind]}"
        elif kind == "changed":
            old = unsaved.old_lines[lines.before[run[0]]]
            words = f"line {first.number} changed: {_cut(first.body)}, was {_cut(old.value or old.body)}"
        else:
            words = f"line {first.number} {_ONE[kind]}: {_cut(first.body)}"
        yield Stop(span(first, last), words, True)
    for at, gone in lines.removed.items():
        words = f"{_number(len(gone), 'line')} removed here: {_cut(unsaved.old_lines[gone[0]].body)}"
        near = new[min(at, len(new) - 1)] if new else None
        where = span(near, near) if near is not None else Span(start, 0)
        yield Stop(where, words + (", .." if len(gone) > 1 else ""), near is not None)


def _number(count: int, what: str) -> str:
    return f"{count} {what} was" if count == 1 else f"{count} {what}s were"


def _cut(data: bytes) -> str:
    """Return bytes as text, cut with a mark."""
    shown = visible(data[: _SHOWN + 1])
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 2]}.."
