"""Find the field at a byte of the file, its extent and its kind, for the hex view and messages."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import NamedTuple

from vmci_tui.common.safe_text import visible
from vmci_tui.containers import Region
from vmci_tui.document.document import Document
from vmci_tui.formats.elf_note import HEADER, Note
from vmci_tui.formats.header_text import HeaderText
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo

KINDS = (
    "header", "segments", "sections", "note", "name", "desc", "key", "value", "padding", "memory", "gap", "entry",
    "other",
)  # fmt: skip


class Place(NamedTuple):
    """Adjacent bytes with one meaning. `note` and `line` are the note's index and the text line's number."""

    offset: int
    length: int
    kind: str
    label: str
    note: int | None = None
    line: int | None = None

    @property
    def end(self) -> int:
        return self.offset + self.length


class Places:
    """The places of the layout that a document has now, by offset."""

    def __init__(self, document: Document) -> None:
        self.layout = layout = document.layout
        self.size = layout.image.size
        self.texts = {
            index: Vmcoreinfo(note.desc)
            for index, note in enumerate(layout.notes)
            if note.is_vmcoreinfo and note.whole and not note.is_windows
        }
        """The key=value text of each note that has one, by the note's index."""
        state = document.state
        if state.index is not None and state.vmcoreinfo is not None:
            self.texts[state.index] = state.vmcoreinfo  # its lines are split already

    @cached_property
    def _starts(self) -> list[int]:
        return [region.offset for region in self.layout.regions]

    @cached_property
    def _note_at(self) -> dict[int, int]:
        return {offset: index for index, offset in enumerate(self.layout.note_offsets)}

    def at(self, offset: int) -> Place:
        """Return the place that holds the byte at `offset`."""
        index = bisect_right(self._starts, offset) - 1
        region = self.layout.regions[index] if index >= 0 else None
        if region is None or offset >= region.end:
            return self._outside(offset, index)
        if region.fields:
            return _field(region, offset)
        if region.kind == "note" and (number := self._note_at.get(region.offset)) is not None:
            return self._in_note(self.layout.notes[number], number, region, offset)
        return Place(region.offset, region.length, region.kind, region.label)

    def _outside(self, offset: int, index: int) -> Place:
        """Memory, or a gap between regions."""
        regions = self.layout.regions
        start = regions[index].end if index >= 0 else 0
        end = regions[index + 1].offset if index + 1 < len(regions) else self.size
        paddr = self.layout.memory.paddr_of(offset)
        if paddr is None:
            start, end = self.layout.memory.gap_around(offset, start, end)
            return Place(start, max(end - start, 1), "gap", "in no header's range")
        item = self.layout.memory.range_at(paddr)
        assert item is not None and item.offset is not None
        start, end = max(start, item.offset), min(end, item.offset + item.length)
        return Place(start, end - start, "memory", f"guest memory from paddr {item.paddr:#x}")

    def _in_note(self, note: Note, number: int, region: Region, offset: int) -> Place:
        base, at = region.offset, offset - region.offset
        name = visible(note.name.rstrip(b"\0"))[:32] or "no name"
        text = self.texts.get(number)
        if text is not None and isinstance(note, HeaderText):
            return _in_text(text, base, at, number)
        if at < HEADER:
            word = at // 4
            label = f"note {number} {name}: {('namesz', 'descsz', 'type')[word]}"
            return Place(base + 4 * word, 4, "note", label, number)
        name_end = HEADER + note.namesz
        if at < name_end:
            length = min(note.namesz, region.length - HEADER)
            return Place(base + HEADER, length, "name", f"note {number}: name {name}", number)
        desc_end = note.desc_start + len(note.desc)
        if at < note.desc_start:
            length = note.desc_start - name_end
            return Place(base + name_end, length, "padding", f"note {number}: padding of the name", number)
        if at >= desc_end:
            length = max(region.length - desc_end, 1)
            return Place(base + desc_end, length, "padding", f"note {number}: padding", number)
        if text is None:
            if note.is_windows:
                return _in_header(note, base + note.desc_start, at - note.desc_start, number)
            label = f"note {number} {name} type {note.type:#x}: descriptor"
            return Place(base + note.desc_start, len(note.desc), "desc", label, number)
        return _in_text(text, base + note.desc_start, at - note.desc_start, number)


def _in_header(note: Note, base: int, at: int, number: int) -> Place:
    from vmci_tui.formats.windows_header import windows_header

    header = windows_header(note)
    start, end = 0, len(note.desc)
    for field in header.fields if header is not None else ():
        after = field.offset + field.length
        if after > len(note.desc):
            break
        if field.offset <= at < after:
            return Place(base + field.offset, field.length, "value", f"Windows header: {field.name}", number)
        if after <= at:
            start = after
        elif field.offset > at:
            end = field.offset
            break
    return Place(base + start, end - start, "desc", f"note {number}: Windows header", number)


def _in_text(text: Vmcoreinfo, base: int, at: int, number: int) -> Place:
    line = text.line_at(at)
    key = line.key
    if key is None:
        label = f"line {line.number}, no key=value"
        return Place(base + line.offset, len(line.raw), "padding", label, number, line.number)
    name = visible(key[:48])
    inside = at - line.offset
    if inside <= len(key):
        return Place(base + line.offset, len(key) + 1, "key", f"key {name}", number, line.number)
    start = len(key) + 1
    return Place(base + line.offset + start, len(line.raw) - start, "value", f"value of {name}", number, line.number)


def _field(region: Region, offset: int) -> Place:
    """Return a field from the region's own list, with the number of its record if the region is a table."""
    at, number = offset - region.offset + region.skipped, ""
    if region.record:
        index, at = divmod(at, region.record)
        number = f" {index}"
    for name, start, length in region.fields:
        if start <= at < start + length:
            return Place(offset - at + start, length, region.kind, f"{region.label}{number}: {name}")
    return Place(offset, 1, region.kind, f"{region.label}{number}")
