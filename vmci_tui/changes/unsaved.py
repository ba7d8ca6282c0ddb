"""Compare the state of a document with the one that a file has: the last saved one, else the opened one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from vmci_tui.changes.changed_bytes import ChangedBytes, ChangedRange, differing, middle
from vmci_tui.changes.matching import NOTHING, Matching, match
from vmci_tui.document.document import Document
from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.vmcoreinfo import Line

HEADS: Final = ("header", "segments", "sections")
"""The kinds of regions with headers and tables."""
_HEAD_LIMIT: Final = 1 << 16
"""Bytes of a region that are compared; more than those of 1,000 program headers."""
_REGIONS: Final = 64
"""Regions with headers and tables that are compared; files have a few."""
_NO_LINES: Final[tuple[Line, ...]] = ()


@dataclass(frozen=True)
class Unsaved:
    """What changed since the file was opened or saved."""

    document: Document
    """A snapshot, which later edits do not change."""

    @cached_property
    def old_lines(self) -> tuple[Line, ...]:
        """The lines of the text that a file has."""
        text = self.document.base.vmcoreinfo
        return text.lines if text is not None else _NO_LINES

    @cached_property
    def new_lines(self) -> tuple[Line, ...]:
        """The lines of the text now."""
        text = self.document.state.vmcoreinfo
        return text.lines if text is not None else _NO_LINES

    @cached_property
    def lines(self) -> Matching:
        """How the lines of the text differ, by their index."""
        if self.document.base.vmcoreinfo == self.document.state.vmcoreinfo:
            return NOTHING
        return match(self.old_lines, self.new_lines, lambda line: line.raw, lambda line: line.key or line.raw)

    @cached_property
    def notes(self) -> Matching:
        """How the notes differ, by their index."""
        base, state = self.document.base, self.document.state
        if base.notes == state.notes:
            return NOTHING
        return match(base.notes, state.notes, lambda note: note, lambda note: (note.name, note.type))

    @cached_property
    def bytes(self) -> ChangedBytes:
        """The bytes of the file as it would be saved that differ; bytes that only move do not."""
        document = self.document
        if document.dump is None:
            return ChangedBytes(_of_entry(document))
        return ChangedBytes((*self._of_heads(), *self._of_notes()))

    def _of_heads(self) -> Iterator[ChangedRange]:
        document, old, new = self.document, self.document.base_layout, self.document.layout
        if old is new:
            return
        was = {(region.kind, region.label): region for region in old.regions[:_REGIONS] if region.kind in HEADS}
        for region in new.regions[:_REGIONS]:
            if region.kind in HEADS and region.length <= _HEAD_LIMIT:
                before = was.get((region.kind, region.label))
                read = b"" if before is None else document.read_of(old, before.offset, min(before.length, _HEAD_LIMIT))
                yield from differing(read, document.read(region.offset, region.length), region.offset)

    def _of_notes(self) -> Iterator[ChangedRange]:
        document, layout = self.document, self.document.layout
        base = document.base
        for index, kind in self.notes.kinds.items():
            at, note = layout.note_offsets[index], layout.notes[index]
            if kind == "added":
                yield ChangedRange(at, at + len(note.raw), "added")
            elif kind == "changed":
                old, start = base.notes[self.notes.before[index]], note.desc_start
                yield from differing(old.raw[: old.desc_start], note.raw[:start], at)
                text = index == document.state.index and self.notes.before[index] == base.index
                if text and document.state.vmcoreinfo is not None and base.vmcoreinfo is not None:
                    yield from self._of_lines(at + start)
                else:
                    yield from _of_descriptor(old, note, at + start)

    def _of_lines(self, start: int) -> Iterator[ChangedRange]:
        for index, kind in self.lines.kinds.items():
            line = self.new_lines[index]
            at = start + line.offset
            if kind == "changed":
                yield from middle(self.old_lines[self.lines.before[index]].raw, line.raw, at)
            else:
                yield ChangedRange(at, at + len(line.raw), kind)


def _of_descriptor(old: Note, new: Note, at: int) -> Iterator[ChangedRange]:
    if len(old.desc) == len(new.desc):
        yield from differing(old.desc, new.desc, at)
    else:
        yield from middle(old.desc, new.desc, at)


def _of_entry(document: Document) -> Iterator[ChangedRange]:
    old, new = document.base.entry, document.state.entry
    if new is not None:
        yield from differing(b"" if old is None else old.raw, new.raw, 0)


def unsaved(document: Document) -> Unsaved | None:
    """Return what changed since the file was opened or saved; None if nothing did."""
    return Unsaved(document.snapshot()) if document.unsaved else None
