"""Parse and build ELF notes and note areas; every size is bounded before it is used.

A note is a header of three 32-bit words (namesz, descsz, type: the same bytes in 32 and
64 bit files), the name, the descriptor, each padded to 4 bytes. Padding to 8 exists if
p_align says so; it is tried only if parsing with 4 fails.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import accumulate
from typing import Final, Literal

from vmci_tui.common.named_struct import NamedStruct

ByteOrder = Literal["little", "big"]
NAME: Final = b"VMCOREINFO\0"
HEADER: Final = 12
WINDOWS_HEADERS: Final = (b"PAGEDU64", b"PAGEDUMP")
"""The first bytes of a Windows guest's descriptor: a dump header, not text."""
NOTE_LIMIT: Final = 1 << 16
"""More notes than a dump of 4,096 CPUs has; the bytes after them are not parsed."""


def align_up(value: int, align: int = 4) -> int:
    """Return `value` rounded up to a multiple of `align`."""
    return -(-value // align) * align


@cache
def note_header(order: ByteOrder) -> NamedStruct:
    """Return the layout of a note's first three words."""
    return NamedStruct.of(order, ("namesz", "descsz", "type"), "III")


@dataclass(frozen=True)
class Note:
    """A note, byte for byte, from the header to the padding.

    `broken` says why `raw` does not hold what its header claims; None for a whole note.
    """

    raw: bytes
    order: ByteOrder
    align: int = 4
    broken: str | None = None

    @cached_property
    def _header(self) -> tuple[int, int, int]:
        if len(self.raw) < HEADER:
            return 0, 0, 0
        namesz, descsz, kind = note_header(self.order).unpack_from(self.raw)
        return namesz, descsz, kind

    @property
    def namesz(self) -> int:
        return self._header[0]

    @property
    def descsz(self) -> int:
        return self._header[1]

    @property
    def type(self) -> int:
        return self._header[2]

    @property
    def name(self) -> bytes:
        """The name with its NUL, as long as `namesz` says or as there are bytes."""
        return self.raw[HEADER : HEADER + self.namesz]

    @property
    def desc_start(self) -> int:
        """Offset of the descriptor from the note's first byte."""
        return min(align_up(HEADER + self.namesz, self.align), len(self.raw))

    @property
    def desc(self) -> bytes:
        return self.raw[self.desc_start : self.desc_start + self.descsz]

    @property
    def padding(self) -> bytes:
        """The bytes that no field covers: after the name, and after the descriptor."""
        return self.raw[HEADER + self.namesz : self.desc_start] + self.raw[self.desc_start + self.descsz :]

    @property
    def whole(self) -> bool:
        return self.broken is None

    @property
    def is_vmcoreinfo(self) -> bool:
        """Whether this is the note of this project: the name is VMCOREINFO, with or without NUL."""
        return self.name.split(b"\0", 1)[0] == NAME[:-1]

    @property
    def is_windows(self) -> bool:
        return self.is_vmcoreinfo and self.desc.startswith(WINDOWS_HEADERS)

    @property
    def is_empty(self) -> bool:
        """Whether the header is 12 zero bytes: QEMU appends these silently for a paddr outside RAM."""
        return self.whole and not any(self.raw[:HEADER])

    def with_desc(self, desc: bytes) -> Note:
        return build(self.name, self.type, desc, self.order)

    def packed(self, order: ByteOrder) -> Note:
        """Return the same note padded to 4 bytes, its header in `order`; itself if nothing changes."""
        if not self.whole or (self.order == order and self.align == 4 and len(self.raw) % 4 == 0):
            return self
        return build(self.name, self.type, self.desc, order)


def build(name: bytes, kind: int, desc: bytes, order: ByteOrder) -> Note:
    """Return a whole note, padded with zeros to 4 bytes."""
    raw = b"".join(
        (
            note_header(order).pack(len(name), len(desc), kind),
            name.ljust(align_up(len(name)), b"\0"),
            desc.ljust(align_up(len(desc)), b"\0"),
        )
    )
    return Note(raw, order)


def parse_notes(area: bytes, order: ByteOrder, p_align: int = 0) -> tuple[Note, ...]:
    """Return the notes of an area, in order; joined they are the area, byte for byte.

    Bytes that do not hold what their header says become one last, broken note. `p_align` 8
    is tried only if the notes do not fit with padding to 4.
    """
    notes = _walk(area, order, 4)
    if p_align == 8 and any(not note.whole for note in notes):
        by_eight = _walk(area, order, 8)
        if all(note.whole for note in by_eight):
            return by_eight
    return notes


def placed_notes(
    area: bytes, offset: int, length: int, order: ByteOrder, p_align: int = 0
) -> tuple[tuple[Note, ...], tuple[int, ...]]:
    """Return the notes of `length` bytes at `offset` of a file, and the offset of each.

    `area` are those of the bytes that the file has: if some are missing, the last note is broken.
    """
    notes = parse_notes(area, order, p_align)
    if len(area) < length and notes:
        missing = f"the file ends {length - len(area)} bytes before the notes do"
        notes = (*notes[:-1], replace(notes[-1], broken=notes[-1].broken or missing))
    return notes, tuple(accumulate((len(note.raw) for note in notes[:-1]), initial=offset))[: len(notes)]


def _walk(area: bytes, order: ByteOrder, align: int) -> tuple[Note, ...]:
    notes: list[Note] = []
    at = 0
    while at < len(area):
        note = _one(area, at, order, align)
        if not note.whole:
            # A hypervisor that did not swap the header for the file's byte order.
            other = _one(area, at, "big" if order == "little" else "little", align)
            note = other if other.whole and other.name == NAME else note
        notes.append(note)
        at += len(note.raw)
        if len(notes) >= NOTE_LIMIT and at < len(area):
            notes.append(Note(area[at:], order, align, f"more than {NOTE_LIMIT} notes"))
            break
    return tuple(notes)


def _one(area: bytes, at: int, order: ByteOrder, align: int) -> Note:
    rest = len(area) - at
    if rest < HEADER:
        return Note(area[at:], order, align, f"{rest} bytes are too few for a header")
    namesz, descsz, _ = note_header(order).unpack_from(area, at)
    desc = align_up(HEADER + namesz, align)
    if HEADER + namesz > rest:
        return Note(area[at:], order, align, f"namesz {namesz} runs past the end of the notes")
    if desc + descsz > rest:
        return Note(area[at:], order, align, f"descsz {descsz} runs past the end of the notes")
    length = min(align_up(desc + descsz, align), rest)
    return Note(area[at : at + length], order, align)


def parse_raw(data: bytes) -> Note | None:
    """Return the VMCOREINFO note at the start of `data`, in either byte order, or None.

    `data` may be a whole region (the note, then zeros).
    """
    for order in ("little", "big"):
        note = _one(data, 0, order, 4)
        if note.whole and note.is_vmcoreinfo:
            return note
    return None
