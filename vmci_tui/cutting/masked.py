"""Show only some bytes of a source, and only the notes that something reads: all others are zeros."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.note_kinds import XEN, is_cpu
from vmci_tui.layers.file import Source

_READ: Final = frozenset((b"QEMU", XEN.rstrip(b"\0"), b"Xen"))
"""Names of notes that readers read, whatever their type."""
_CONTROL: Final = range(0x301, 0x306)
"""Types of notes of s390x that lead to page tables and to the low page of a CPU, and the clocks beside them."""


def masked_note(note: Note) -> Note:
    """Return a note with zeros as its content if nothing reads it.

    Vector registers have what a program copied last; drivers and makedumpfile write notes of what they like.
    """
    name = note.name.rstrip(b"\0")
    if note.is_vmcoreinfo or is_cpu(note) or name in _READ or (name == b"LINUX" and note.type in _CONTROL):
        return note
    return replace(note, raw=note.raw[: note.desc_start] + bytes(len(note.raw) - note.desc_start))


class MaskedSource:
    """A source in which only the bytes of `parts` are as they were; these are sorted and disjoint."""

    def __init__(self, source: Source, parts: Iterable[tuple[int, int]]) -> None:
        self.size = source.size
        self._source = source
        self._parts = tuple(parts)

    def read(self, offset: int, length: int) -> bytes:
        out = bytearray(max(min(length, self.size - offset), 0) if offset >= 0 else 0)
        for start, end in self.data_ranges(offset, offset + len(out)):
            data = self._source.read(start, end - start)
            out[start - offset : start - offset + len(data)] = data
        return bytes(out)

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        index = max(bisect_right(self._parts, (start, 1 << 64)) - 1, 0)
        while index < len(self._parts) and self._parts[index][0] < end:
            first, stop = max(self._parts[index][0], start), min(self._parts[index][1], end)
            if first < stop:
                yield first, stop
            index += 1
