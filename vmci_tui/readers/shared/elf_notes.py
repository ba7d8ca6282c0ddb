"""Note areas as GNU readelf, libelf and libkdumpfile walk them: each note must fit, or the walk ends.

They count padding from the start of the area, and never look for a note elsewhere.
(binutils 2.40, binutils/readelf.c process_notes_at; elfutils 0.188, libelf/gelf_getnote.c;
libkdumpfile 0.5.6, src/kdumpfile/notes.c do_notes.)
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, NAME, NOTE_LIMIT, ByteOrder, align_up, note_header
from vmci_tui.formats.flattened_records import SIGNATURE as FLATTENED
from vmci_tui.formats.kdump_records import DISKDUMP, SIGNATURE
from vmci_tui.machines.lookup import machine_of_elf
from vmci_tui.readers.rule import RuleHit

_NOT_ZERO: Final = re.compile(rb"[^\0]")
_RELEASE: Final = re.compile(rb"(?:^|\n)OSRELEASE=([^\n]*)")


class WalkedNote(NamedTuple):
    """A note that the walk reaches; offsets in the file."""

    offset: int
    name: bytes
    type: int
    at: int
    """The offset of its descriptor."""
    desc: bytes
    end: int
    """The offset after its padding, which may be missing in the file."""

    @property
    def span(self) -> Span:
        return Span(self.offset, self.end - self.offset)

    @property
    def unpadded(self) -> Span:
        """Its span without the padding after the descriptor."""
        return Span(self.offset, self.at + len(self.desc) - self.offset)

    @property
    def shown(self) -> bytes:
        """The name up to its first NUL, as C prints it."""
        return self.name.split(b"\0", 1)[0]

    @property
    def has_text(self) -> bool:
        return b"OSRELEASE=" in self.desc


class NoteArea(NamedTuple):
    """An area in which the reader looks for notes, with the bytes that the file has of it."""

    offset: int
    data: bytes
    align: int
    notes: tuple[WalkedNote, ...]
    broken: int | None
    """The offset in the area where the walk ends early; None if it reaches the end."""

    @property
    def span(self) -> Span:
        return Span(self.offset, len(self.data))


def walk(offset: int, data: bytes, order: ByteOrder, align: int, padding: bool = True) -> NoteArea:
    """Walk all notes of an area at file offset `offset`, padded to `align` (4 or 8) bytes.

    `padding`: whether the padding of the last note must be in the area.
    """
    words = note_header(order)
    notes: list[WalkedNote] = []
    at, size = 0, len(data)
    while at < size:
        if size - at < HEADER:
            return NoteArea(offset, data, align, tuple(notes), at)
        namesz, descsz, kind = words.unpack_from(data, at)
        desc = align_up(at + HEADER + namesz, align)
        end = align_up(desc + descsz, align)
        if desc + descsz > size or (padding and end > size):
            return NoteArea(offset, data, align, tuple(notes), at)
        if namesz or descsz or kind:
            name = data[at + HEADER : at + HEADER + namesz]
            notes.append(WalkedNote(offset + at, name, kind, offset + desc, data[desc : desc + descsz], offset + end))
            if len(notes) >= NOTE_LIMIT:
                break
        else:
            # Megabytes of zeros are notes without a name; skip them in one step.
            behind = _NOT_ZERO.search(data, at)
            step, stop = end - at, size if behind is None else behind.start()
            end += (stop - HEADER - at) // step * step
            end -= step if end > size else 0
        at = end
    return NoteArea(offset, data, align, tuple(notes), None)


def _missed(area: NoteArea, order: ByteOrder) -> tuple[int, ByteOrder] | None:
    """Return offset in the area and byte order of a whole VMCOREINFO note that the walk does not reach."""
    known = {note.offset - area.offset for note in area.notes}
    other: ByteOrder = "big" if order == "little" else "little"
    at = area.data.find(NAME[:-1])
    while at >= 0:
        start = at - HEADER
        if start >= 0 and start not in known:
            for each in (order, other):
                namesz, descsz, _ = note_header(each).unpack_from(area.data, start)
                if namesz in (10, 11) and align_up(HEADER + namesz) + descsz <= len(area.data) - start:
                    return start, each
        at = area.data.find(NAME[:-1], at + 1)
    return None


def padded_to_4(area: NoteArea, order: ByteOrder) -> Span | None:
    """Return the span of an area walked with alignment 8, if a walk with 4 would reach the note."""
    if area.align == 4:
        return None
    notes = walk(area.offset, area.data, order, 4).notes
    return area.span if any(note.shown == NAME[:-1] for note in notes) else None


def byte_swapped(area: NoteArea, order: ByteOrder) -> Span | None:
    """Return the span of a VMCOREINFO note's header whose byte order is not that of the file."""
    found = _missed(area, order)
    return Span(area.offset + found[0], HEADER) if found is not None and found[1] != order else None


def unpadded(area: NoteArea, order: ByteOrder) -> Span | None:
    """Return the span from a VMCOREINFO note on at which the walk ends because only its padding is missing."""
    found = _missed(area, order)
    return broken_note(area, order) if found is not None and found == (area.broken, order) else None


def shifted(area: NoteArea, order: ByteOrder) -> Span | None:
    """Return the span of zero bytes before a VMCOREINFO note, because of which the walk misses the note."""
    found = _missed(area, order)
    if found is None:
        return None
    zeros = len(area.data[: found[0]].rstrip(b"\0"))
    ends = (area.offset, *(note.end for note in area.notes))
    start = next((end for end in ends if zeros <= end - area.offset < found[0]), None)
    return None if start is None else Span(start, area.offset + found[0] - start)


def broken_note(area: NoteArea, order: ByteOrder) -> Span | None:
    """Return the span from the note on at which the walk ends early."""
    return None if area.broken is None else Span(area.offset + area.broken, len(area.data) - area.broken)


def release_of(text: bytes) -> bytes | None:
    """Return the value of the first OSRELEASE line."""
    found = _RELEASE.search(text)
    return None if found is None else found[1]


def other_container(head: bytes) -> RuleHit | None:
    """Return a hit if the first bytes are those of a kdump-compressed or flattened dump."""
    magic = FLATTENED.rstrip(b"\0")
    return RuleHit(Span(0, len(magic))) if head.startswith((SIGNATURE, DISKDUMP, magic)) else None


def other_class(machine: int, bits: int) -> bool:
    """Whether no dump of this machine has this class; QEMU writes 64-bit dumps of i386 if memory reaches 4 GiB."""
    facts = machine_of_elf(machine, bits)
    return facts.only_bits not in (None, bits) and (facts.name, bits) != ("i386", 64)
