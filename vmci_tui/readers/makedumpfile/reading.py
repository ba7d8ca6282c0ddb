"""A file as makedumpfile 1.7.2 (x86-64) reads it: the container, the headers, the notes, the text.

After elf_info.c (check_elf_format, get_elf_info) and makedumpfile.c
(initial, copy_vmcoreinfo). In the headers it looks only at EI_CLASS, e_phnum and the
program headers directly after the ELF header, all as little-endian.

What it prints while it looks for other containers (`read_device: Can't read a file`, for
files of less than 8 KiB) decides nothing and is not part of the words here. FILE is the
file's name.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import pairwise
from typing import Final, Literal

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_records import IDENT, PN_XNUM, PT_LOAD, PT_NOTE, Segment, format_of
from vmci_tui.formats.flattened_records import SIGNATURE as FLATTENED
from vmci_tui.readers.file_view import SEGMENT_LIMIT
from vmci_tui.readers.makedumpfile.deaths import section_0_smashes
from vmci_tui.readers.makedumpfile.kdump_reading import MEMORY, MakedumpfileKdump
from vmci_tui.readers.makedumpfile.notes import CUT, SEEK_LIMIT, NotePlace, NoteWalk, missing_note, walk
from vmci_tui.readers.makedumpfile.text import MakedumpfileText
from vmci_tui.readers.rule import Fault, RuleHit
from vmci_tui.readers.rule_rows import RuleRows
from vmci_tui.readers.shared.elf_program import ElfFile

_EM_X86_64: Final = 62
_EHDR64: Final = format_of(64, "little").header_size
"""Bytes that it reads first, also from a 32-bit file."""
_BLOCK: Final = 4096
_SADUMP: Final = b"sadump\0\0"
_SADUMP_MAGIC_AT, _SADUMP_MAGIC = 168, struct.Struct("<982I")
"""The magic numbers fill a partition header of sadump up to the end of its block."""
_TOP: Final = (1 << 64) - 1
NO_PADDR: Final = _TOP
"""p_paddr of a range of virtual addresses that is not in memory."""
NO_LOG: Final = "dump_dmesg: Can't find some symbols for log_buf."


class MakedumpfileReading(ElfFile):
    """A file as makedumpfile reads it. Properties are independent: None if the file lacks what they need."""

    only_order = "little"

    @cached_property
    def container(self) -> Literal["", "kdump", "flattened", "sadump"]:
        """The container that the first bytes mean to it, if it is not ELF."""
        if MakedumpfileKdump.recognises(self.view):
            return "kdump"
        if self.view.size >= _EHDR64 and self.view.head.startswith(FLATTENED):
            return "flattened"
        return "" if self.sadump_header is None else "sadump"

    @cached_property
    def kdump(self) -> MakedumpfileKdump | None:
        return MakedumpfileKdump(self.view) if self.container == "kdump" else None

    @cached_property
    def sadump_header(self) -> Span | None:
        """The partition header of sadump: at 0, or after a media header of one block."""
        places = (at for at in (0, _BLOCK) if self.has(at, _BLOCK) and self.view.read(at, len(_SADUMP)) == _SADUMP)
        return next((Span(at, len(_SADUMP)) for at in places), None)

    @cached_property
    def sadump_is_sound(self) -> bool:
        """Whether its magic numbers are right: each follows from the one before (sadump_info.c verify_magic_number)."""
        if self.sadump_header is None:
            return False
        words = self.view.read(self.sadump_header.offset + _SADUMP_MAGIC_AT, _SADUMP_MAGIC.size)
        return all(b == (a + 7) * 11 & 0xFFFFFFFF for a, b in pairwise(_SADUMP_MAGIC.unpack(words)))

    @property
    def phoff(self) -> int:
        return self.form.header_size

    @cached_property
    def _count(self) -> int | Fault:
        """The number of program headers, or the fault that hides it (get_elf64_phnum)."""
        if self.header.phnum != PN_XNUM or self.bits == 32:
            return self.header.phnum
        at, length, span = self.header.shoff, self.header.shentsize, self.form.span("e_shoff")
        if at > SEEK_LIMIT:
            return Fault("section-0-unreadable", f"get_elf64_phnum: Can't seek FILE at {at:#x}. Invalid argument", span)
        section = self.view.read(at, length)
        if section_0_smashes(section):
            return Fault("section-0-too-long", "", self.form.span("e_shentsize"))
        if len(section) < length:
            return Fault("section-0-unreadable", f"get_elf64_phnum: Can't read FILE at {at:#x}. {CUT}", span)
        # Bytes that it did not read are zeros on its stack (observed); sh_info goes into an int.
        return max(int.from_bytes(self.form.section.part("sh_info", section), "little", signed=True), 0)

    @property
    def has_class(self) -> bool:
        """Whether the file is not of another container, and has an ELF header with a class that it knows."""
        known = IDENT.part("EI_CLASS", self.view.head) in (b"\1", b"\2")
        return known and self.has(0, _EHDR64) and not self.container

    @property
    def phnum(self) -> int:
        return self._count if self.has_class and isinstance(self._count, int) else 0

    @property
    def has_table(self) -> bool:
        return True  # it reads the headers that are whole in the file

    @cached_property
    def note_segment(self) -> Segment | None:
        """The last PT_NOTE: each one replaces the one before."""
        last = self.table.last_of(PT_NOTE)
        return None if last is None else self.table[last]

    @cached_property
    def head_fault(self) -> Fault | None:
        """The fault that keeps it from the notes."""
        if self.container:
            return None
        if not self.has(0, _EHDR64):
            return Fault("too-short", f"check_elf_format: Can't read FILE. {CUT}", Span(0, self.view.size))
        if not self.has_class:
            return Fault("unknown-class", "check_elf_format: Can't get valid ehdr.", self.form.span("EI_CLASS"))
        return self._count if isinstance(self._count, Fault) else self._table_fault(self._count)

    def _table_fault(self, count: int) -> Fault | None:
        length, phnum = count * self.form.segment.size, self.form.span("e_phnum")
        table = Span(self.phoff, max(min(length, self.view.size - self.phoff), 0))
        if len(self.table) < min(count, SEGMENT_LIMIT):
            fault = Fault("more-headers-than-file", f"get_elf{self.bits}_phdr: Can't read FILE. {CUT}", phnum)
        elif not self.table.count_of(PT_LOAD):
            words = "get_elf_info: Can't get the number of PT_LOAD."
            fault = Fault("no-memory", words, table) if count else Fault("no-headers", words, phnum)
        elif not (self.note_segment and self.note_segment.offset and self.note_segment.filesz):
            return Fault("no-note-header", "get_elf_info: Can't find PT_NOTE Phdr.", table)
        else:
            return None
        if IDENT.part("EI_DATA", self.view.head) == b"\2":
            return fault._replace(kind="other-byte-order", span=self.form.span("EI_DATA"))
        if self._headers_elsewhere:
            return fault._replace(kind="headers-elsewhere", span=self.form.span("e_phoff"))
        return fault

    @property
    def _headers_elsewhere(self) -> bool:
        """Whether there is a PT_NOTE or PT_LOAD at e_phoff, which is not where it reads."""
        at = self.header.phoff
        first = self.view.segments(self.bits, "little", at, 1) if at != self.phoff else ()
        return any(item.type in (PT_LOAD, PT_NOTE) for item in first)

    @property
    def machine_is_x86_64(self) -> bool:
        return self.header.machine == _EM_X86_64 if self.kdump is None else self.kdump.is_x86_64

    @cached_property
    def walk(self) -> NoteWalk:
        """The notes in the last PT_NOTE."""
        if self.head_fault is not None or self.note_segment is None:
            return NoteWalk()
        return walk(self.view, self.note_segment)

    def _words_without_note(self) -> str:
        """Its message without a text: it continues, and fails when it needs the log."""
        top = 0
        for kind, _, _, _, paddr, _, memsz, _ in self.table.rows():
            if kind == PT_LOAD and paddr != NO_PADDR:
                top = max(top, paddr + memsz & _TOP)
        if not (top + 4095 & _TOP) >> 12:
            return "calculate_cyclic_buffer_size: Invalid max_mapnr(0)."
        return NO_LOG

    @cached_property
    def xen_fault(self) -> str:
        """Its message if it gives up a dump of a Xen hypervisor; else empty (init_xen_crash_info)."""
        note = self.walk.xen
        if note is None or not note.descsz or self.walk.fault is not None:
            return ""
        if note.descsz < 64:
            return f"init_xen_crash_info: Xen crash info too small ({note.descsz} bytes)."
        cut = not self.has(note.desc, note.descsz)
        return f"init_xen_crash_info: Can't read the dump memory(FILE). {CUT}" if cut else ""

    @cached_property
    def found(self) -> NotePlace | None:
        """The note of an ELF file whose text it copies; None if empty."""
        note = self.walk.found
        return note if note is not None and note.descsz and self.walk.fault is None else None

    @cached_property
    def place(self) -> tuple[int, int] | None:
        """Offset, which may be negative, and length of the text that it copies."""
        if self.kdump is not None:
            return self.kdump.text_place
        return None if self.found is None else (self.found.desc, self.found.descsz)

    @cached_property
    def copy_fault(self) -> str:
        """Its message if it cannot copy the text into its temporary file; else empty (copy_vmcoreinfo)."""
        if self.place is None:
            return ""
        offset, length = self.place
        if length >= (1 << 31 if self.kdump is None else MEMORY):
            return "copy_vmcoreinfo: Can't allocate buffer for vmcoreinfo. Cannot allocate memory"
        if offset < 0:
            return "copy_vmcoreinfo: Can't seek the dump memory(FILE). Invalid argument"
        return "" if self.has(offset, length) else f"copy_vmcoreinfo: Can't read the dump memory(FILE). {CUT}"

    @cached_property
    def note(self) -> Span | None:
        """The note; in a kdump-compressed file only its text."""
        if self.kdump is not None:
            return None if self.place is None else Span(*self.place)
        return None if self.found is None else self.found.span

    @cached_property
    def text(self) -> bytes | None:
        return None if self.place is None or self.copy_fault or self.xen_fault else self.view.read(*self.place)

    @cached_property
    def parsed(self) -> MakedumpfileText | None:
        return None if self.text is None else MakedumpfileText(self.text)

    @property
    def osrelease(self) -> bytes | None:
        return None if self.parsed is None else self.parsed.basic.release

    @property
    def page_size(self) -> int | None:
        return None if self.parsed is None else self.parsed.basic.page_size

    @property
    def first(self) -> Mapping[bytes, bytes]:
        """Each key with its first value; empty without a text."""
        return {} if self.parsed is None else self.parsed.first

    @property
    def goes_on(self) -> bool:
        """Whether it continues after it has printed the text."""
        return self.parsed is not None and not self.parsed.complaints

    def line_span(self, line: bytes) -> Span | None:
        """Return the span of a line of the text in the file."""
        if self.place is None or self.text is None:
            return None
        at = 0 if self.text.startswith(line) else self.text.find(b"\n" + line) + 1
        return Span(self.place[0] + at, len(line))

    def _faults(self) -> Iterator[Fault]:
        """Yield what is wrong with the file, each with the name of its rule; empty words are those of the rule."""
        if self.container == "flattened":
            yield Fault("flattened", "", Span(0, len(FLATTENED)))
        elif self.container == "sadump":
            yield Fault("sadump" if self.sadump_is_sound else "sadump-signature", "", self.sadump_header)
        elif self.kdump is not None:
            yield from self.kdump.faults(self.copy_fault)
            if self.text is not None:
                yield from self.kdump.disagreements(self.text, self.first.get(b"NUMBER(phys_base)"))
        elif (fault := self.head_fault or self.walk.fault) is not None:
            yield fault
        else:
            yield from self._note_faults()
        for rule, words, line in () if self.parsed is None else self.parsed.complaints:
            yield Fault(rule, words, self.note if line is None else self.line_span(line))

    def _note_faults(self) -> Iterator[Fault]:
        """Yield what is wrong with the notes, if it can walk them."""
        xen, text, segment = self.walk.xen, self.walk.xen_text, self.note_segment
        if xen is not None and self.xen_fault:
            yield Fault("xen-note-broken", self.xen_fault, xen.span)
        if xen is not None and text is not None and text.descsz:
            yield Fault("xen-text", "", text.span)
        if self.found is None and segment is not None:
            others = (each for each in self.table[:64].of_type(PT_NOTE) if each != segment)
            rule, span = missing_note(self.view, self.walk, segment, others)
            yield Fault(rule, self._words_without_note(), span)
        elif self.copy_fault:
            yield Fault("text-cut-off", self.copy_fault, self.note)

    @cached_property
    def _hits(self) -> Mapping[str, RuleHit]:
        return {rule: RuleHit(span, words or None) for rule, words, span, _ in self._faults()}

    def hit(self, rule: str) -> RuleHit | None:
        """Return the fault of a rule."""
        return self._hits.get(rule)


row: Final[RuleRows[MakedumpfileReading]] = RuleRows(
    "makedumpfile 1.7.2, ", lambda r, field: r.form.span(field), MakedumpfileReading.hit
)
