"""The headers and notes of a file as makedumpfile 1.7.2 (x86-64) reads them: elf_info.c, sadump_info.c.

In the headers it looks only at EI_CLASS, e_phnum and the program headers directly after
the ELF header, all as little-endian.
"""

from __future__ import annotations

import struct
from functools import cached_property
from itertools import pairwise
from typing import Final, Literal

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_records import IDENT, PN_XNUM, PT_LOAD, PT_NOTE, Segment, format_of
from vmci_tui.formats.flattened_records import SIGNATURE as FLATTENED
from vmci_tui.readers.file_view import SEGMENT_LIMIT
from vmci_tui.readers.makedumpfile.deaths import section_0_smashes
from vmci_tui.readers.makedumpfile.kdump_reading import MakedumpfileKdump
from vmci_tui.readers.makedumpfile.notes import CUT, SEEK_LIMIT, NotePlace, NoteWalk, walk
from vmci_tui.readers.rule import Fault
from vmci_tui.readers.shared.elf_program import ElfFile

_EHDR64: Final = format_of(64, "little").header_size
"""Bytes that it reads first, also from a 32-bit file."""
_BLOCK: Final = 4096
_SADUMP: Final = b"sadump\0\0"
_SADUMP_MAGIC_AT, _SADUMP_MAGIC = 168, struct.Struct("<982I")
"""The magic numbers fill a partition header of sadump up to the end of its block."""
_TOP: Final = (1 << 64) - 1
_NO_PADDR: Final = _TOP
"""p_paddr of a range of virtual addresses that is not in memory."""
NO_LOG: Final = "dump_dmesg: Can't find some symbols for log_buf."
KERNEL_IMAGE: Final = 0xFFFFFFFF80000000


class MakedumpfileElf(ElfFile):
    """The file up to its notes. Properties are independent: None if the file lacks what they need."""

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

    @cached_property
    def walk(self) -> NoteWalk:
        """The notes in the last PT_NOTE."""
        if self.head_fault is not None or self.note_segment is None:
            return NoteWalk()
        return walk(self.view, self.note_segment)

    @cached_property
    def words_without_note(self) -> str:
        """Its message without a text: it continues, and fails when it needs the log."""
        top = 0
        for kind, _, _, _, paddr, _, memsz, _ in self.table.rows():
            if kind == PT_LOAD and paddr != _NO_PADDR:
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
    def page_offset(self) -> int | None:
        """p_vaddr - p_paddr of the last PT_LOAD with a virtual address below the kernel's image.

        It takes this for the place of the linear map. None where no PT_LOAD of a 64-bit file has one.
        """
        if self.bits != 64 or not any(self.table.column("vaddr")):
            return None
        columns = (reversed(self.table.column(name)) for name in ("type", "vaddr", "paddr"))
        for kind, vaddr, paddr in zip(*columns, strict=True):
            if kind == PT_LOAD and 0 < vaddr < KERNEL_IMAGE and paddr != _NO_PADDR:
                return (vaddr - paddr & _TOP) or None
        return None
