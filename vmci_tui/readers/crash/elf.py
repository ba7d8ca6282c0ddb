"""How crash 8.0.2 reads an ELF dump: headers, notes, text; netdump.c, step by step.

It takes program header 0 as the notes and the others as memory, whatever their p_type, and the lowest p_offset of
memory as the end of the header area. Sources: `is_netdump`, `resize_elf_header`, `dump_Elf64_Nhdr`,
`vmcoreinfo_read_string`.
"""

from __future__ import annotations

import re
import struct
from functools import cached_property
from typing import Final, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, NOTE_LIMIT, align_up, note_header
from vmci_tui.formats.elf_records import MAGIC, PN_XNUM
from vmci_tui.formats.segment_table import Segments
from vmci_tui.layers.file import HEAD_LIMIT
from vmci_tui.readers.crash.deaths import BEFORE_FILE, FAR_NAME, NAME_BUFFER, XEN_INFO, behind_headers, killed_by_note
from vmci_tui.readers.rule import RuleHit
from vmci_tui.readers.shared.elf_program import ElfFile
from vmci_tui.readers.shared.text_lines import c_string

SMALLEST: Final = 64 + 2 * 56
"""MIN_NETDUMP_ELF_HEADER_SIZE: an ELF64 header and two program headers."""
FIRST_READ: Final = SMALLEST + 128
"""SAFE_NETDUMP_ELF_HEADER_SIZE: it must contain the first two program headers."""
LONGEST_READ: Final = 0x7FFFF000
"""The most that one read() returns: a longer header area looks cut off."""
_OWN_TYPES: Final = frozenset(
    (1, 2, 3, 4, 0x700, 0x301, 0x302, 0x303, 0x304, 0x305, 0x309, 0x30A, 0x70000001, 0x1000002, *XEN_INFO)
)
"""Types that crash treats specially, whatever the name."""
_NOT_ZERO: Final = re.compile(rb"[^\0]")
_OSRELEASE: Final = re.compile(rb"\nOSRELEASE=")
_COMPLAINTS: Final = 4
"""Complaints that are kept: only the first is shown."""


class NoteComplaint(NamedTuple):
    """A line that crash prints about a note, and the note's offset in the file."""

    at: int
    words: str
    namesz: int | None = None
    """The note's n_namesz, if the line has it."""

    @property
    def hit(self) -> RuleHit:
        return RuleHit(Span(self.at, HEADER), self.words)


class TakenNote(NamedTuple):
    """A note that crash takes as the VMCOREINFO note."""

    note: Span
    desc: Span


class CrashWalk:
    """The notes of program header 0 as crash follows them; offsets in the file."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self.taken: list[TakenNote] = []
        """The last one counts."""
        self.complaints: list[NoteComplaint] = []
        """The first complaints after which it continues."""
        self.ended: NoteComplaint | None = None
        """The complaint after which it stops looking at notes."""
        self.dies: NoteComplaint | None = None
        """What kills the program."""
        self.other_type: int | None = None
        """Offset of the first note named VMCOREINFO whose type means something else to crash."""
        self.xen: int | None = None
        """Offset of the last VMCOREINFO_XEN note."""
        self.snap: int | None = None
        """Offset of the note that marks a dump of the extension snap.so."""
        self.cut: int | None = None
        """Where vmci stopped, because there are too many notes."""

    def corrupt(self, at: int, numbers: str, namesz: int | None = None) -> NoteComplaint:
        """Return the complaint about a note's numbers."""
        return NoteComplaint(at, f"WARNING: possibly corrupt Elf{self._bits}_Nhdr: n_namesz: {numbers}", namesz)

    def follow(self, area: bytes, start: int, end: int, filesz: int, words: struct.Struct) -> None:
        """Follow the notes from offset `start` on; `area`: the bytes from there, `end`: the end of the header area."""
        at = count = 0
        while at < filesz and self.dies is None:
            here = start + at
            remaining = end - here - HEADER
            if remaining < 0:
                line = f"WARNING: Elf{self._bits}_Nhdr pointer: ADDRESS  ELF header end: ADDRESS"
                self.ended = NoteComplaint(here, line)
                return
            if len(area) < at + HEADER or (count := count + 1) > NOTE_LIMIT:
                self.cut = here
                return
            namesz, descsz, kind = words.unpack_from(area, at)
            if namesz == 0 or not remaining or namesz + descsz > remaining:
                complaint = self.corrupt(here, f"{namesz} n_descsz: {descsz} n_type: {kind:x}", namesz)
                if namesz or descsz:
                    self.ended = complaint
                    return
                self._complain(complaint)
                if not remaining:
                    return
                if kind == 0:
                    at += _zeros(area, at, remaining)
                    continue
            name = area[at + HEADER : at + HEADER + min(namesz, NAME_BUFFER + 1)]
            self._one(name, here, namesz, descsz, kind)
            at += align_up(align_up(HEADER + namesz) + descsz)

    def _complain(self, complaint: NoteComplaint) -> None:
        if len(self.complaints) < _COMPLAINTS:
            self.complaints.append(complaint)

    def _one(self, name: bytes, here: int, namesz: int, descsz: int, kind: int) -> None:
        """Process one note that fits, as crash does."""
        if kind == XEN_INFO[1] and namesz < FAR_NAME:
            self._complain(NoteComplaint(here, f"WARNING: obsolete Xen n_type: {kind:x} (NT_XEN_KDUMP_CR3)"))
        if death := killed_by_note(name, namesz, kind, descsz):
            self.dies = NoteComplaint(here, death)
        elif kind in _OWN_TYPES:
            if name.startswith(b"VMCOREINFO") and self.other_type is None:
                self.other_type = here
            if kind == 4 and name.startswith(b"SNAP"):
                self.snap = here
        elif name.startswith((b"XEN CORE", b"Xen")):
            self._complain(NoteComplaint(here, f"WARNING: unknown Xen n_type: {kind:x}"))
        elif name.startswith(b"VMCOREINFO_XEN"):
            self.xen = here
        elif name.startswith(b"VMCOREINFO"):
            # The 32-bit code relies on a name that ends in NUL and needs only that one byte of padding.
            desc = here + (align_up(HEADER + namesz) if self._bits == 64 else HEADER + namesz + 1)
            whole = Span(here, align_up(align_up(HEADER + namesz) + descsz))
            self.taken.append(TakenNote(whole, Span(desc, descsz)))


def _zeros(area: bytes, at: int, remaining: int) -> int:
    """Return the length of a row of notes of twelve zero bytes each, which have no other effect."""
    other = _NOT_ZERO.search(area, at)
    whole = ((other.start() if other else len(area)) - at) // HEADER
    return HEADER * max(min(whole, (remaining + HEADER - 1) // HEADER), 1)


class CrashElf(ElfFile):
    """An ELF dump as crash reads it. It continues after a refusal of the x86-64 build, as another build would."""

    @property
    def is_elf(self) -> bool:
        return self.magic == MAGIC and self.has(0, SMALLEST)

    @cached_property
    def section_0(self) -> bytes | None:
        """The part of section header 0 that crash reads if e_phnum says that the count is there (ELF64 only)."""
        if self.bits != 64 or self.header.phnum != PN_XNUM:
            return None
        return self.view.read(self.header.shoff, self.header.shentsize)

    @cached_property
    def phnum(self) -> int:
        """The number of program headers, PT_NOTE included."""
        if self.section_0 is None:
            return self.header.phnum
        return int.from_bytes(self.form.section.part("sh_info", self.section_0).ljust(4, b"\0"), self.order)

    @property
    def table_end(self) -> int:
        """The end of the bytes that crash reads for all program headers; it ignores e_phentsize."""
        return max(self.form.header_size, self.phoff) + self.form.segment.size * self.phnum

    @property
    def has_table(self) -> bool:
        return self.table_end <= self.view.size

    @cached_property
    def first_headers(self) -> Segments:
        """Program headers 0 and 1; empty if the first read, of the start of the file, does not have both."""
        there = self.is_elf and self.phoff + 2 * self.form.segment.size <= min(FIRST_READ, self.view.size)
        return self.view.segments(self.bits, self.order, self.phoff, 2 if there else 0)

    @cached_property
    def head_end(self) -> int | None:
        """The end of the header area for crash: the lowest nonzero p_offset of the headers after the first.

        Program header 1 counts even with p_offset 0. None if crash does not read that far.
        """
        if not self.first_headers or self.phnum < 2 or not self.has_table:
            return None
        if not self.first_headers[1].offset:
            return 0
        return min(filter(None, self.table.column("offset")[1:]), default=0)

    @property
    def last_header(self) -> int:
        """Offset of the last program header."""
        return self.phoff + self.form.segment.size * (self.phnum - 1)

    def segment_field(self, index: int, name: str) -> Span:
        """Return the span of a field of a program header."""
        return self.form.segment.span(name, self.phoff + index * self.form.segment.size)

    @cached_property
    def walk(self) -> CrashWalk | None:
        """The walk over the notes; None if crash does not get that far."""
        end = self.head_end
        if not end or end > min(self.view.size, LONGEST_READ) or self.last_header > end:
            return None
        walk, notes = CrashWalk(self.bits), self.first_headers[0]
        if notes.offset >= BEFORE_FILE:
            walk.ended = walk.corrupt(0, "")
        else:
            # A note's header and the relevant part of its name may be after the last byte that p_filesz covers.
            length = min(end - notes.offset, notes.filesz + HEADER + 2 * NAME_BUFFER)
            area = self.view.read(notes.offset, length)
            walk.follow(area, notes.offset, end, notes.filesz, note_header(self.order))
        return walk

    @property
    def missing(self) -> CrashWalk | None:
        """The walk, if it goes through and crash takes no note."""
        walk = self.walk
        return walk if walk is not None and walk.dies is None and not walk.taken else None

    @property
    def ended(self) -> NoteComplaint | None:
        """The complaint after which it takes no note."""
        return None if self.missing is None else self.missing.ended

    @property
    def _last(self) -> TakenNote | None:
        return self.walk.taken[-1] if self.walk and self.walk.taken else None

    @property
    def note(self) -> Span | None:
        return self._last.note if self._last else None

    @property
    def desc(self) -> Span | None:
        """The bytes of the text."""
        return self._last.desc if self._last else None

    @cached_property
    def text_and_next(self) -> bytes:
        """The descriptor and the next byte, which crash adds to a last line without newline."""
        if self.desc is None or self.head_end is None:
            return b""
        wanted = min(self.desc.length, HEAD_LIMIT) + 1
        there = self.view.read(self.desc.offset, min(wanted, self.head_end - self.desc.offset))
        if len(there) == wanted:
            return there
        stale = behind_headers(self.view.head, FIRST_READ, self.table_end, self.head_end, self.phnum)
        return (there + stale).ljust(wanted, b"\0")[:wanted]

    @cached_property
    def text(self) -> bytes | None:
        return self.text_and_next[:-1] if self.desc else None

    @cached_property
    def release_line(self) -> Span | None:
        """The span of the first OSRELEASE line's value in the file, including bytes after a NUL."""
        found = _OSRELEASE.search(b"\n" + self.text_and_next)
        if found is None or self.desc is None:
            return None
        start = found.end() - 1
        end = self.text_and_next.find(b"\n", start, self.desc.length)
        return Span(self.desc.offset + start, (self.desc.length + 1 if end < 0 else end) - start)

    @property
    def osrelease(self) -> bytes | None:
        """The release that `crash --osrelease` prints, up to a NUL; None without such a line."""
        if self.release_line is None or self.desc is None:
            return None
        at = self.release_line.offset - self.desc.offset
        return c_string(self.text_and_next[at : at + self.release_line.length])
