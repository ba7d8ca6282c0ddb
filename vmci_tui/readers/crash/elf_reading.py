"""How crash 8.0.2 reads an ELF dump: headers, notes, text; netdump.c, step by step.

Sources: `is_netdump`, `resize_elf_header`, `dump_Elf64_Nhdr`, `vmcoreinfo_read_string`. A kdump-compressed
or flattened file has its own reading; the properties of ELF are then empty.
"""

from __future__ import annotations

import re
import struct
from functools import cached_property
from typing import Final, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, NOTE_LIMIT, ByteOrder, align_up, note_header
from vmci_tui.formats.elf_records import IDENT, MAGIC, PN_XNUM, ElfHeader, format_of
from vmci_tui.formats.segment_table import Segments
from vmci_tui.layers.file import HEAD_LIMIT
from vmci_tui.readers.crash.flattened_reading import CrashFlattened
from vmci_tui.readers.crash.kdump_reading import CrashKdumpReading
from vmci_tui.readers.crash.text import UnanchoredText
from vmci_tui.readers.file_view import View

EM_X86_64: Final = 62
SMALLEST: Final = 64 + 2 * 56
"""MIN_NETDUMP_ELF_HEADER_SIZE: an ELF64 header and two program headers."""
FIRST_READ: Final = SMALLEST + 128
"""SAFE_NETDUMP_ELF_HEADER_SIZE: it must contain the first two program headers."""
LONGEST_READ: Final = 0x7FFFF000
"""The most that one read() returns: a longer header area looks cut off."""
NAME_BUFFER: Final = 1512
"""Bytes of a name that do no harm: BUFSIZE (1500) and the gap before the stack's guard."""
_FAR_NAME: Final = 1 << 14
"""About the length at which a name leaves the stack: above it is the environment, usually some kilobytes."""
BEFORE_FILE: Final = (1 << 64) - (1 << 46)
"""From here on a p_offset acts as a negative number: it points before the buffer of the headers."""
_XEN_INFO: Final = (0x1000001, 0x10000001)
_OWN_TYPES: Final = frozenset(
    (1, 2, 3, 4, 0x700, 0x301, 0x302, 0x303, 0x304, 0x305, 0x309, 0x30A, 0x70000001, 0x1000002, *_XEN_INFO)
)
"""Types that crash treats specially, whatever the name."""
_NOT_ZERO: Final = re.compile(rb"[^\0]")
_OSRELEASE: Final = re.compile(rb"\nOSRELEASE=")


class NoteComplaint(NamedTuple):
    """A line that crash prints about a note, and the note's offset in the file."""

    at: int
    words: str
    namesz: int | None = None
    """The note's n_namesz, if the line has it."""


class TakenNote(NamedTuple):
    """A note that crash takes as the VMCOREINFO note."""

    note: Span
    desc: Span


class CrashWalk(NamedTuple):
    """The result of crash's walk over the notes."""

    taken: tuple[TakenNote, ...] = ()
    """The last one counts."""
    complaints: tuple[NoteComplaint, ...] = ()
    """The first few complaints after which it continues."""
    ended: NoteComplaint | None = None
    """The complaint after which it stops looking at notes."""
    dies: NoteComplaint | None = None
    """What kills the program."""
    other_type: tuple[int, int] | None = None
    """(offset, type) of a note named VMCOREINFO whose type means something else to crash."""
    xen: int | None = None
    """Offset of a VMCOREINFO_XEN note."""
    snap: int | None = None
    """Offset of the note that marks a dump of the extension snap.so."""
    cut: int | None = None
    """Where vmci stopped, because there are too many notes."""


class CrashReading:
    """A file as crash reads it. It continues after a refusal of the x86-64 build, as another build would."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.ident = view.head[: IDENT.size]
        self.is_elf = self.ident.startswith(MAGIC) and view.size >= SMALLEST
        self.bits = 32 if IDENT.part("EI_CLASS", self.ident) == b"\1" else 64
        self.order: ByteOrder = "big" if IDENT.part("EI_DATA", self.ident) == b"\2" else "little"
        self.form = format_of(self.bits, self.order)
        self.flat = CrashFlattened(view) if CrashFlattened.recognises(view) else None
        self.kdump = CrashKdumpReading(view) if CrashKdumpReading.recognises(view) else None

    @property
    def is_other(self) -> bool:
        """Whether crash takes the file for another container than ELF."""
        return self.flat is not None or self.kdump is not None

    @cached_property
    def header(self) -> ElfHeader:
        return self.view.header(self.bits, self.order)

    @property
    def first_read(self) -> int:
        """Bytes that crash reads first, to recognize the file."""
        return min(FIRST_READ, self.view.size)

    @cached_property
    def xnum(self) -> bytes | None:
        """The part of section header 0 that crash reads if e_phnum says that the count is there (ELF64 only)."""
        if self.bits != 64 or self.header.phnum != PN_XNUM:
            return None
        return self.view.read(self.header.shoff, self.header.shentsize)

    @property
    def count(self) -> int:
        """The number of program headers, PT_NOTE included."""
        if self.xnum is None:
            return self.header.phnum
        return int.from_bytes(self.form.section.part("sh_info", self.xnum).ljust(4, b"\0"), self.order)

    @property
    def table_end(self) -> int:
        """The end of the bytes that crash reads for all program headers; it ignores e_phentsize."""
        return max(self.form.header_size, self.header.phoff) + self.form.segment.size * self.count

    @cached_property
    def first_headers(self) -> Segments:
        """Program headers 0 and 1; empty if the first read does not have both."""
        if not self.is_elf or self.header.phoff > self.first_read - 2 * self.form.segment.size:
            return Segments(self.form, b"")
        return self.view.segments(self.bits, self.order, self.header.phoff, 2)

    @cached_property
    def head_end(self) -> int | None:
        """The end of the header area for crash: the lowest nonzero p_offset of the headers after the first.

        Program header 1 counts even with p_offset 0. None if crash does not read that far.
        """
        if len(self.first_headers) < 2 or self.count < 2 or self.table_end > self.view.size:
            return None
        if not self.first_headers[1].offset:
            return 0
        offsets = self.view.segments(self.bits, self.order, self.header.phoff, self.count).column("offset")
        return min(filter(None, offsets[1:]), default=0)

    @cached_property
    def last_header(self) -> int:
        """Offset of the last program header."""
        return self.header.phoff + self.form.segment.size * (self.count - 1)

    @cached_property
    def walk(self) -> CrashWalk | None:
        """The walk over the notes; None if crash does not get that far."""
        end = self.head_end
        if not end or end > min(self.view.size, LONGEST_READ) or self.last_header > end:
            return None
        notes = self.first_headers[0]
        if notes.offset >= BEFORE_FILE:
            return CrashWalk(ended=NoteComplaint(0, f"WARNING: possibly corrupt Elf{self.bits}_Nhdr: n_namesz: "))
        # A note's header and the relevant part of its name may be after the last byte that p_filesz covers.
        length = min(end - notes.offset, notes.filesz + HEADER + 2 * NAME_BUFFER)
        return _walk(self.view.read(notes.offset, length), notes.offset, end, notes.filesz, self.bits, self.order)

    @cached_property
    def _last(self) -> TakenNote | None:
        return self.walk.taken[-1] if self.walk and self.walk.taken else None

    @property
    def note(self) -> Span | None:
        """The note; in a kdump-compressed file the text that the header names, because crash ignores notes there."""
        if self.kdump is not None:
            return self.kdump.text_span
        return self._last.note if self._last else None

    @property
    def desc(self) -> Span | None:
        if self.kdump is not None:
            return self.kdump.text_span
        return self._last.desc if self._last else None

    @cached_property
    def text_and_next(self) -> bytes:
        """The descriptor and the next byte, which crash adds to a last line without newline."""
        if self.desc is None or self.head_end is None:
            return b""
        wanted = min(self.desc.length, HEAD_LIMIT) + 1
        there = self.view.read(self.desc.offset, min(wanted, self.head_end - self.desc.offset))
        return there if len(there) == wanted else (there + self._behind_head).ljust(wanted, b"\0")[:wanted]

    @cached_property
    def _behind_head(self) -> bytes:
        """The bytes after the header area in crash's memory: a note that ends there is read a byte too far.

        The buffer is where the first 4,096 bytes of the file were (diskdump.c read_dump_header), or
        after its own first place if the program headers needed less than that; after it comes the
        size of the next block of glibc's malloc, that of the segments.
        """
        end = self.head_end or 0
        moved = _piece(self.table_end) <= _piece(FIRST_READ) - 32 and _piece(end) > _piece(self.table_end)
        start, room = end + (_piece(FIRST_READ) if moved else 0), _piece(end) - 8 - end
        stale = self.view.head[start:][:room].ljust(room, b"\0")
        return stale + struct.pack("<Q", _piece(32 * (self.count - 1)) | 1)

    @cached_property
    def text(self) -> bytes | None:
        if self.kdump is not None:
            return None if self.desc is None else UnanchoredText(self.view.read(self.desc.offset, self.desc.length))
        return self.text_and_next[:-1] if self.desc else None

    @cached_property
    def release_line(self) -> Span | None:
        """The span of the first OSRELEASE line's value in the file, including bytes after a NUL."""
        if self.kdump is not None:
            return self._unanchored_line
        found = _OSRELEASE.search(b"\n" + self.text_and_next)
        if found is None or self.desc is None:
            return None
        start = found.end() - 1
        end = self.text_and_next.find(b"\n", start, self.desc.length)
        return Span(self.desc.offset + start, (self.desc.length + 1 if end < 0 else end) - start)

    @cached_property
    def release(self) -> bytes | None:
        """The release that `crash --osrelease` would print, up to a NUL; None without such a line."""
        if self.flat is not None:
            return self.flat.release
        if self.kdump is not None:
            return None if self._unanchored_line is None else _of(self.text, self.desc, self._unanchored_line)
        if self.release_line is None or self.desc is None:
            return None
        at = self.release_line.offset - self.desc.offset
        return self.text_and_next[at : at + self.release_line.length].split(b"\0", 1)[0]

    @cached_property
    def _unanchored_line(self) -> Span | None:
        """The span of the value after the first OSRELEASE= anywhere in a kdump's text; a NUL ends the text."""
        if self.text is None or self.desc is None:
            return None
        # The buffer has its own newline after the last byte.
        text = (self.text + b"\n").partition(b"\0")[0]
        at = text.find(b"OSRELEASE=")
        end = text.find(b"\n", at)
        return Span(self.desc.offset + at + 10, end - at - 10) if 0 <= at < end else None

    @property
    def release_dies(self) -> bool:
        """Whether a NUL comes before the newline of a kdump's release, which kills crash."""
        before = b"" if self.kdump is None or self.text is None else self.text.partition(b"\0")[0]
        return b"OSRELEASE=" in before and self._unanchored_line is None

    @property
    def osrelease(self) -> bytes | None:
        """The release, even if another rule makes crash refuse the file."""
        return self.release

    def segment_field(self, index: int, name: str) -> Span:
        """Return the span of a field of a program header."""
        return self.form.segment.span(name, self.header.phoff + index * self.form.segment.size)


def _of(text: bytes | None, desc: Span | None, line: Span) -> bytes | None:
    return None if text is None or desc is None else text[line.offset - desc.offset :][: line.length]


def _piece(length: int) -> int:
    """Return the bytes that malloc uses for an allocation of `length` bytes."""
    return align_up(length + 8, 16)


def _walk(area: bytes, start: int, end: int, filesz: int, bits: int, order: ByteOrder) -> CrashWalk:
    """Follow the notes from offset `start` on; `area`: the bytes from there, `end`: the end of the header area."""
    words = note_header(order)
    seen = CrashWalk()
    at = count = 0
    while at < filesz:
        here = start + at
        remaining = end - here - HEADER
        if remaining < 0:
            line = f"WARNING: Elf{bits}_Nhdr pointer: ADDRESS  ELF header end: ADDRESS"
            return seen._replace(ended=NoteComplaint(here, line))
        if len(area) < at + HEADER or (count := count + 1) > NOTE_LIMIT:
            return seen._replace(cut=here)
        namesz, descsz, kind = words.unpack_from(area, at)
        if namesz == 0 or not remaining or namesz + descsz > remaining:
            line = f"n_namesz: {namesz} n_descsz: {descsz} n_type: {kind:x}"
            complaint = NoteComplaint(here, f"WARNING: possibly corrupt Elf{bits}_Nhdr: {line}", namesz)
            if namesz or descsz:
                return seen._replace(ended=complaint)
            seen = _complain(seen, complaint)
            if not remaining:
                return seen
            if kind == 0:
                at += _zeros(area, at, remaining)
                continue
        name = area[at + HEADER : at + HEADER + min(namesz, NAME_BUFFER + 1)]
        seen = _one(seen, name, here, (namesz, descsz, kind), bits)
        if seen.dies:
            return seen
        at += align_up(align_up(HEADER + namesz) + descsz)
    return seen


def _zeros(area: bytes, at: int, remaining: int) -> int:
    """Return the length of a row of notes of twelve zero bytes each, which have no other effect."""
    other = _NOT_ZERO.search(area, at)
    whole = ((other.start() if other else len(area)) - at) // HEADER
    return HEADER * max(min(whole, (remaining + HEADER - 1) // HEADER), 1)


def _complain(seen: CrashWalk, complaint: NoteComplaint) -> CrashWalk:
    return seen if len(seen.complaints) > 3 else seen._replace(complaints=(*seen.complaints, complaint))


def _one(seen: CrashWalk, name: bytes, here: int, header: tuple[int, int, int], bits: int) -> CrashWalk:
    """Process one note that fits, as crash does."""
    namesz, descsz, kind = header
    if namesz >= _FAR_NAME:
        return seen._replace(dies=NoteComplaint(here, "killed by SIGSEGV"))
    if kind == _XEN_INFO[1]:
        line = f"WARNING: obsolete Xen n_type: {kind:x} (NT_XEN_KDUMP_CR3)"
        seen = _complain(seen, NoteComplaint(here, line))
    if kind in _XEN_INFO and descsz < 8:
        return seen._replace(dies=NoteComplaint(here, "killed by SIGSEGV"))
    if name[NAME_BUFFER:].strip(b"\0") or namesz > NAME_BUFFER + 1:
        return seen._replace(dies=NoteComplaint(here, "*** stack smashing detected ***: terminated"))
    if kind in _OWN_TYPES:
        if name.startswith(b"VMCOREINFO") and seen.other_type is None:
            seen = seen._replace(other_type=(here, kind))
        return seen._replace(snap=here) if kind == 4 and name.startswith(b"SNAP") else seen
    if name.startswith((b"XEN CORE", b"Xen")):
        return _complain(seen, NoteComplaint(here, f"WARNING: unknown Xen n_type: {kind:x}"))
    if name.startswith(b"VMCOREINFO_XEN"):
        return seen._replace(xen=here)
    if not name.startswith(b"VMCOREINFO"):
        return seen
    # The 32-bit code relies on a name that ends in NUL and needs only that one byte of padding.
    desc = here + (align_up(HEADER + namesz) if bits == 64 else HEADER + namesz + 1)
    whole = Span(here, align_up(align_up(HEADER + namesz) + descsz))
    return seen._replace(taken=(*seen.taken[:1], TakenNote(whole, Span(desc, descsz))))
