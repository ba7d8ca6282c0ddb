"""The notes of an ELF file as makedumpfile 1.7.2 finds them in the last PT_NOTE (elf_info.c get_pt_note_info)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, NAME, note_header
from vmci_tui.formats.elf_records import Segment
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import Fault

CUT: Final = "No such file or directory"
"""The last value of errno, from the check that the output file does not exist."""
SEEK_LIMIT: Final = 0xFFFFFFFF000
"""The last offset to which ext4 seeks; beyond it lseek fails, not read."""
_COMPARED: Final = 15
"""Bytes of a name that it compares; it ignores a note with a longer name."""
_STEPS: Final = 1 << 16
"""Notes that are read at most."""
_AREA_LIMIT: Final = 1 << 20
_NAMED: Final = re.compile(rb"VMCOREINFO(?!_XEN)(.?)", re.DOTALL)
_XEN_TYPE: Final = 0x1000001


class NotePlace(NamedTuple):
    """A note whose name begins like one that it uses."""

    offset: int
    name: bytes
    """The 15 bytes that it compares, whatever the name's length."""
    compared: bool
    """Whether it compares them: the length is 1 to 15."""
    type: int
    desc: int
    """File offset of the descriptor."""
    descsz: int

    def named(self, name: bytes, type: int = 0) -> bool:
        return self.compared and self.name.startswith(name) and self.type == type

    @property
    def span(self) -> Span:
        return Span(self.offset, self.desc - self.offset + self.descsz)


class NoteWalk(NamedTuple):
    """The notes that it finds in one PT_NOTE, up to the fault that stops it there."""

    notes: tuple[NotePlace, ...] = ()
    fault: Fault | None = None

    def last(self, test: Callable[[NotePlace], bool]) -> NotePlace | None:
        """Return the last such note: it replaces those before."""
        return next(filter(test, reversed(self.notes)), None)

    @property
    def found(self) -> NotePlace | None:
        return self.last(lambda note: note.named(NAME))

    @property
    def xen(self) -> NotePlace | None:
        """Xen's crash information: makedumpfile then takes the file for a hypervisor's dump."""
        return self.last(lambda note: note.named(b"Xen\0", _XEN_TYPE))

    @property
    def xen_text(self) -> NotePlace | None:
        return self.last(lambda note: note.named(b"VMCOREINFO_XEN\0"))


def walk(view: View, segment: Segment) -> NoteWalk:
    """Go from one note header to the next, as little-endian, in the area of a PT_NOTE and beyond it."""
    notes: list[NotePlace] = []
    at, end = segment.offset, segment.offset + segment.filesz & (1 << 64) - 1
    for _ in range(_STEPS):
        if at >= end:
            break
        head = b"" if at > SEEK_LIMIT else view.read(at, HEADER + _COMPARED)
        namesz, descsz, kind = note_header("little").unpack(head[:HEADER].ljust(HEADER, b"\0"))
        compared = 0 < namesz <= _COMPARED
        if len(head) < (HEADER + _COMPARED if compared else HEADER):
            rule = "notes-cut-off" if segment.offset + segment.filesz > view.size else "notes-lead-out-of-the-file"
            why = ("seek", "Invalid argument") if at > SEEK_LIMIT else ("read", CUT)
            words = "get_pt_note_info: Can't {} the dump memory(FILE). {}".format(*why)
            return NoteWalk(tuple(notes), Fault(rule, words, Span(at, len(head))))
        if not namesz and not descsz:
            # Steps of one empty header through zeros.
            zeros = view.read(at, HEADER * 4096)
            at += max((len(zeros) - len(zeros.lstrip(b"\0"))) // HEADER * HEADER, HEADER)
            continue
        desc = at + HEADER + _up(namesz)
        if head.startswith((b"VMCOREINFO", b"Xen\0"), HEADER):
            notes.append(NotePlace(at, head[HEADER:], compared, kind, desc, descsz))
        at = desc + _up(descsz)
    return NoteWalk(tuple(notes))


def _up(number: int) -> int:
    """Round up to a multiple of 4, in 32 bits as the program does."""
    return (number + 3 & 0xFFFFFFFF) // 4 * 4


def missing_note(view: View, walked: NoteWalk, segment: Segment, others: Iterable[Segment]) -> tuple[str, Span]:
    """Return the rule by which a walk through a PT_NOTE ends without the note, and the bytes concerned."""
    if walked.found is not None:
        return "empty-text", walked.found.span
    if (other := walked.last(lambda note: note.compared and note.name.startswith(NAME))) is not None:
        return "note-type", other.span
    if (other := walked.last(lambda note: note.name.startswith(NAME))) is not None:
        return "note-byte-order" if _is_swapped(view, other.offset) else "note-name", Span(other.offset, HEADER)
    for each in others:
        if (other := walk(view, each).found) is not None:
            return "note-in-another-area", other.span
    area = view.read(segment.offset, min(segment.filesz, _AREA_LIMIT))
    hit = _NAMED.search(area)
    if hit is None or hit.start() < HEADER:
        return "no-note", Span(segment.offset, segment.filesz)
    at = hit.start() - HEADER
    span = Span(segment.offset + at, HEADER)
    if hit[1] != b"\0":
        return "note-name", span
    if _is_swapped(view, span.offset):
        return "note-byte-order", span
    is_header = note_header("little").unpack_from(area, at)[0] in (10, 11)
    return "note-out-of-step" if is_header else "note-header-broken", span


def _is_swapped(view: View, at: int) -> bool:
    """Whether a big-endian header with the right name length is at this offset."""
    return int.from_bytes(view.read(at, 4), "big") in (10, 11)
