"""How crash 8.0.2 reads an ELF dump: headers, notes, text; netdump.c, step by step.

It takes program header 0 as the notes and the others as memory, whatever their p_type, and the lowest p_offset of
memory as the end of the header area. Sources: `is_netdump`, `resize_elf_header`, `dump_Elf64_Nhdr`,
`vmcoreinfo_read_string`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, NOTE_LIMIT, align_up, note_header
from vmci_tui.formats.elf_records import MAGIC, PN_XNUM, ElfFormat
from vmci_tui.formats.segment_table import Segments
from vmci_tui.layers.file import HEAD_LIMIT
from vmci_tui.readers.crash.deaths import BEFORE_FILE, FAR_NAME, NAME_BUFFER, XEN_INFO, behind_headers, killed_by_note
from vmci_tui.readers.crash.text_rules import CrashReading
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import RuleHit
from vmci_tui.readers.shared.elf_program import ElfFile

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


class NoteEvent(NamedTuple):
    """Something that happens in the walk over the notes: the bytes concerned, the words if crash prints any."""

    outcome: str
    """`taken`; `complains`, and continues; `ends` the walk, or is `lost` there, at n_namesz 0; `killed`; used for its
    `type`; of `xen`; the mark of the extension `snap`; `too-many`: there are more notes than vmci follows."""
    span: Span
    words: str | None = None
    desc: Span | None = None
    """The descriptor of a note that crash takes as the VMCOREINFO note."""


def _follow(view: View, start: int, end: int, filesz: int, form: ElfFormat) -> Iterator[NoteEvent]:
    """Yield what happens in the notes from offset `start` on; `end`: the end of the header area."""
    if start >= BEFORE_FILE:
        yield NoteEvent("ends", Span(0, HEADER), f"WARNING: possibly corrupt Elf{form.bits}_Nhdr: n_namesz: ")
        return
    # A note's header and the relevant part of its name may be after the last byte that p_filesz covers.
    area = view.read(start, min(end - start, filesz + HEADER + 2 * NAME_BUFFER))
    words, at = note_header(form.order), 0
    for count in range(NOTE_LIMIT + 1):
        here = Span(start + at, HEADER)
        remaining = end - here.offset - HEADER
        if at >= filesz:
            return
        if remaining < 0:
            yield NoteEvent("ends", here, f"WARNING: Elf{form.bits}_Nhdr pointer: ADDRESS  ELF header end: ADDRESS")
            return
        if len(area) < at + HEADER or count == NOTE_LIMIT:
            yield NoteEvent("too-many", here)
            return
        namesz, descsz, kind = words.unpack_from(area, at)
        if namesz == 0 or not remaining or namesz + descsz > remaining:
            numbers = f"n_namesz: {namesz} n_descsz: {descsz} n_type: {kind:x}"
            outcome = ("ends" if namesz else "lost") if namesz or descsz else "complains"
            yield NoteEvent(outcome, here, f"WARNING: possibly corrupt Elf{form.bits}_Nhdr: {numbers}")
            if namesz or descsz or not remaining:
                return
            if kind == 0:
                at += _zeros(area, at, remaining)
                continue
        name = area[at + HEADER : at + HEADER + min(namesz, NAME_BUFFER + 1)]
        if kind == XEN_INFO[1] and namesz < FAR_NAME:
            yield NoteEvent("complains", here, f"WARNING: obsolete Xen n_type: {kind:x} (NT_XEN_KDUMP_CR3)")
        if death := killed_by_note(name, namesz, kind, descsz):
            yield NoteEvent("killed", here, death)
            return
        at += align_up(align_up(HEADER + namesz) + descsz)
        if kind in _OWN_TYPES:
            if name.startswith(b"VMCOREINFO"):
                yield NoteEvent("type", words.span("type", here.offset))
            elif kind == 4 and name.startswith(b"SNAP"):
                yield NoteEvent("snap", here)
        elif name.startswith((b"XEN CORE", b"Xen")):
            yield NoteEvent("complains", here, f"WARNING: unknown Xen n_type: {kind:x}")
        elif name.startswith(b"VMCOREINFO_XEN"):
            yield NoteEvent("xen", Span(here.offset + HEADER, 15))
        elif name.startswith(b"VMCOREINFO"):
            # The 32-bit code relies on a name that ends in NUL and needs only that one byte of padding.
            desc = here.offset + (align_up(HEADER + namesz) if form.bits == 64 else HEADER + namesz + 1)
            yield NoteEvent("taken", Span(here.offset, start + at - here.offset), None, Span(desc, descsz))


def _zeros(area: bytes, at: int, remaining: int) -> int:
    """Return the length of a row of notes of twelve zero bytes each, which have no other effect."""
    other = _NOT_ZERO.search(area, at)
    whole = ((other.start() if other else len(area)) - at) // HEADER
    return HEADER * max(min(whole, (remaining + HEADER - 1) // HEADER), 1)


class CrashElf(ElfFile, CrashReading):
    """An ELF dump as crash reads it. It continues after a refusal of the x86-64 build, as another build would."""

    @property
    def is_elf(self) -> bool:
        return self.magic == MAGIC and self.has(0, SMALLEST)

    @cached_property
    def section_0(self) -> bytes | None:
        """The part of section header 0 that crash reads if e_phnum says that the count is there (ELF64 only)."""
        if not self.first_headers or self.bits != 64 or self.header.phnum != PN_XNUM:
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
    def walk(self) -> tuple[NoteEvent, ...] | None:
        """What happens in the walk over the notes; None if crash does not get that far."""
        end = self.head_end
        if not end or end > min(self.view.size, LONGEST_READ) or self.last_header > end:
            return None
        notes = self.first_headers[0]
        return tuple(_follow(self.view, notes.offset, end, notes.filesz, self.form))

    def events(self, *outcomes: str) -> list[NoteEvent]:
        """Return all events of these kinds, in order."""
        return [event for event in self.walk or () if event.outcome in outcomes]

    def hit(self, *outcomes: str) -> RuleHit | None:
        """Return the bytes and words of the first such event; None if there is none."""
        return next((RuleHit(event.span, event.words) for event in self.events(*outcomes)), None)

    @cached_property
    def missed(self) -> bool:
        """Whether crash goes through the notes and takes none."""
        return self.walk is not None and not self.events("taken", "killed")

    @property
    def ended(self) -> RuleHit | None:
        """Where the walk ends early, if it takes no note."""
        return self.hit("ends", "lost") if self.missed else None

    @cached_property
    def taken(self) -> NoteEvent | None:
        """The note that crash uses: the last one."""
        return next(reversed(self.events("taken")), None)

    @property
    def note(self) -> Span | None:
        return self.taken.span if self.taken else None

    @property
    def desc(self) -> Span | None:
        """The bytes of the text."""
        return self.taken.desc if self.taken else None

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
    def release(self) -> tuple[int, bytes] | None:
        """The value of the first OSRELEASE line, with what is after a NUL."""
        text, found = self.text_and_next, _OSRELEASE.search(b"\n" + self.text_and_next)
        if found is None:
            return None
        start = found.end() - 1
        end = text.find(b"\n", start, len(text) - 1)
        return start, text[start : len(text) if end < 0 else end]
