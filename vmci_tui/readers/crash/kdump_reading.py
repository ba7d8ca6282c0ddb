"""How crash 8.0.2 (x86-64) reads a kdump-compressed file: diskdump.c, step by step, up to the text.

Sources: `read_dump_header`, `process_elf64_notes`, `is_diskdump`, `vmcoreinfo_read_string`;
xen_dom0.c `process_xen_note`. The messages are those of a process with less than 2 GiB of memory;
with more, crash rejects some of these files with other messages, but accepts none.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, NOTE_LIMIT, align_up, note_header
from vmci_tui.formats.kdump_records import DISKDUMP, SIGNATURE, KdumpSubHeader
from vmci_tui.machines.table import MACHINES
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import Fault
from vmci_tui.readers.shared.kdump_program import KdumpProgram

SMALLEST: Final = 4096
"""Bytes of the first page, which crash reads first."""
UNKNOWN: Final = "unknown"
SEGV: Final = "killed by SIGSEGV"
_MEMORY: Final = 7 << 28
"""The largest size that malloc and mmap still allocate."""
_FILE_TOP: Final = (1 << 63) - 1
"""A read that would end after this fails, but crash takes -1 as a large number of bytes: it continues without them."""
_SIZE_TOP: Final = (1 << 64) - 1
_PAGE: Final = 4096
_SECTION: Final = 4096
"""BITMAP_SECT_LEN: pages that are counted at once."""
_OVERRUN: Final = range(409, 425)
"""Block sizes for which malloc overwrites block_size itself when it shrinks the header's buffer."""
_ROOM: Final = 8194
"""Pointers from the array for one kind of notes to the next (NR_CPUS, and malloc's header)."""
_BEHIND_ROOMS: Final = 66
"""Pointers from the last of the three arrays to malloc's own number after them."""
_KILLING_COUNT: Final = 200
"""Further notes for which the program still prints why it dies."""
_NEAR: Final = 8 * (3 * _ROOM + _BEHIND_ROOMS)
"""Bytes after the notes that are always mapped."""
_HEAP_SPARE: Final = 150 << 10
"""The most that the heap may have left at its end."""
_OWN_MAPPING: Final = 128 << 10
"""From this size on malloc maps a block by itself; after it come at least 1 MiB and at most 8 MiB of other memory."""
_MAPPED_NEAR: Final = 1 << 20
_MAPPED_FAR: Final = 8 << 20
_XEN_CR3: Final = 0x10000001
_XEN_TYPES: Final = (0x1000001, _XEN_CR3)
_PRSTATUS: Final = 1
_TASKSTRUCT: Final = 4


class KdumpNotes(NamedTuple):
    """The results of the notes at offset_note."""

    desc: Span | None = None
    """The descriptor of the VMCOREINFO note, which crash does not look for."""
    dies: Fault | None = None
    may_die: Span | None = None
    """A note that makes crash read memory that may or may not be mapped."""
    too_many: bool = False
    """Whether there are more notes than vmci follows."""


class CrashKdumpReading(KdumpProgram):
    """A file that starts like a kdump-compressed or diskdump file."""

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self.is_kdump = view.head.startswith(SIGNATURE)

    @staticmethod
    def recognises(view: View) -> bool:
        """Whether crash takes the file for a kdump, before it looks further."""
        return view.size >= SMALLEST and view.head.startswith((SIGNATURE, DISKDUMP))

    @cached_property
    def sub(self) -> KdumpSubHeader | None:
        """The sub-header; None if the file lacks the whole block that crash reads, and in the old diskdump."""
        return super().sub if self.is_kdump and 0 < 2 * self.header.block_size <= self.view.size else None

    @property
    def machine(self) -> str:
        """The machine of the header in crash's words, if it is not x86-64; else empty."""
        name = self.header.machine + b"\0"
        known = ((row.crash.starts, row.crash.name) for row in MACHINES.values())
        return next((machine for start, machine in known if start and name.startswith(start)), "")

    @cached_property
    def fault(self) -> Fault | None:
        """The first fault that keeps crash from the text."""
        return self._head_fault or self._bitmap_fault or self._notes_fault or self._count_fault or self._pointer_fault

    @property
    def _head_fault(self) -> Fault | None:
        block, kind = self.header.block_size, "compressed kdump" if self.is_kdump else "diskdump"
        if self.machine:
            return Fault("machine", "WARNING: machine type mismatch:", self.field("utsname.machine"))
        if block <= 0 or block in _OVERRUN or block >= _MEMORY:
            words = "crash: diskdump / compressed kdump: cannot malloc block_size buffer"
            return Fault("block", words, self.field("block_size"))
        if block > self.view.size:
            return Fault("block", UNKNOWN, self.field("block_size"))
        if 2 * block > self.view.size:
            return Fault("cut", f"crash: {kind}: cannot read dump sub header", Span(block, self.view.size - block))
        return None

    @property
    def _bitmap_fault(self) -> Fault | None:
        """Check the bitmaps, which crash maps and then copies: by halves if there are two, else whole."""
        header, kind = self.header, "compressed kdump" if self.is_kdump else "diskdump"
        blocks = (header.sub_hdr_size + 1 + (1 << 31)) % (1 << 32) - (1 << 31)
        offset, length = header.block_size * blocks, header.block_size * header.bitmap_blocks
        span = self.field("sub_hdr_size", "bitmap_blocks")
        if offset < 0 or offset % _PAGE or not length or 2 * length > _MEMORY:
            return Fault("bitmap", f"crash: {kind}: cannot mmap bitmap buffer", span)
        if (offset + length - 1) // _PAGE * _PAGE >= self.view.size:
            return Fault("bitmap", "killed by SIGBUS", span)
        return None

    @property
    def _notes_fault(self) -> Fault | None:
        """Check the notes of the processors, which crash reads even if it does not need them."""
        sub = self.sub
        if sub is None or not self._has_notes(sub):
            return None
        words = ""
        if sub.size_note >= _MEMORY:
            return Fault("notes", "crash: compressed kdump: cannot malloc notes buffer", self.field("size_note"))
        if sub.offset_note < 0:
            words = "crash: compressed kdump: cannot lseek notes data"
        elif self.view.size < sub.offset_note + sub.size_note <= _FILE_TOP:
            words = "crash: compressed kdump: cannot read notes data"
        return Fault("notes", words, self.field("offset_note", "size_note")) if words else self.notes.dies

    def _has_notes(self, sub: KdumpSubHeader) -> bool:
        return self.header.version >= 4 and sub.offset_note != 0 and sub.size_note != 0

    @cached_property
    def notes(self) -> KdumpNotes:
        """The notes, walked in multiples of 4 bytes (process_elf64_notes)."""
        sub = self.sub
        if sub is None or not self._has_notes(sub) or sub.offset_note < 0:
            return KdumpNotes()
        return _walk(self.view.read(sub.offset_note, sub.size_note), sub.offset_note, sub.size_note)

    @cached_property
    def counted(self) -> tuple[int, int, Span]:
        """The first and last byte of the bitmap in which crash counts pages, and the field that says so."""
        header, sub = self.header, self.sub
        start, (pages, name) = 0, self.pages
        if sub is not None and header.version >= 2 and sub.split:
            wide = header.version >= 6
            start, last = (sub.start_pfn_64, sub.end_pfn_64) if wide else (sub.start_pfn, sub.end_pfn)
            pages, name = last - start + 1 & _SIZE_TOP, "start_pfn_64" if wide else "start_pfn"
        sections = (((pages + _SECTION - 1 & _SIZE_TOP) // _SECTION) + (1 << 31)) % (1 << 32) - (1 << 31)
        first = start // 64 * 8
        # The count is an int: from 2^43 pages on it is negative or 0, and nothing is counted.
        return first, first + max(sections, 0) * (_SECTION // 8), self.field(name)

    @cached_property
    def overrun(self) -> tuple[int, int, int]:
        """(bytes after the bitmap in which crash counts, how many are always mapped, how many at most)."""
        sub = self.sub
        first, end, _ = self.counted
        length = self.header.block_size * self.header.bitmap_blocks
        if length + 16 >= _OWN_MAPPING:
            near, far = _MAPPED_NEAR, _MAPPED_FAR
        else:
            near = align_up(sub.size_note, 16) + _NEAR if sub is not None and self._has_notes(sub) else 0
            far = near + _HEAP_SPARE + (end - first) // 64
        return (end if end > first else 0) - length, near, far

    @property
    def _count_fault(self) -> Fault | None:
        behind, _, far = self.overrun
        if behind > far:
            return Fault("pages", SEGV, self.counted[2])
        if self.header.block_size * 16 % (1 << 32) >= 1 << 31:
            words = "crash: compressed kdump: cannot malloc compressed page_cache_buf"
            return Fault("block", words, self.field("block_size"))
        return None

    @property
    def _pointer_fault(self) -> Fault | None:
        """The fault of the pointer (vmcoreinfo_read_string, which does not check for zeros in both fields)."""
        header, sub = self.header, self.sub
        if header.version < 3:
            return Fault("version", UNKNOWN, self.field("header_version"), "note")
        if sub is None:
            return Fault("diskdump", SEGV, self.field("signature"), "note")
        span = self.field("offset_vmcoreinfo", "size_vmcoreinfo")
        if not sub.size_vmcoreinfo:
            return Fault("none", UNKNOWN, span, "note")
        words = ""
        if sub.size_vmcoreinfo == _SIZE_TOP:
            words = "double free or corruption (out)"
        elif sub.size_vmcoreinfo >= _MEMORY:
            words = "crash: compressed kdump: cannot malloc vmcoreinfo buffer"
        elif sub.offset_vmcoreinfo < 0:
            words = "crash: compressed kdump: cannot lseek dump vmcoreinfo"
        elif sub.offset_vmcoreinfo + sub.size_vmcoreinfo > _FILE_TOP:
            return Fault("wrapped", UNKNOWN, span, "after")
        elif sub.offset_vmcoreinfo + sub.size_vmcoreinfo > self.view.size:
            words = "crash: compressed kdump: cannot read vmcoreinfo data"
        return Fault("pointer", words, span, "note") if words else None

    @cached_property
    def text_span(self) -> Span | None:
        """The span of offset_vmcoreinfo and size_vmcoreinfo; None if crash does not get that far."""
        if self.fault is not None or self.sub is None:
            return None
        return Span(self.sub.offset_vmcoreinfo, self.sub.size_vmcoreinfo)


def _walk(area: bytes, start: int, size: int) -> KdumpNotes:
    notes, at, count, registers, qemu, mfn = KdumpNotes(), 0, 0, 0, 0, 0
    while at + HEADER <= min(size, len(area)):
        if (count := count + 1) > NOTE_LIMIT:
            return notes._replace(too_many=True)
        namesz, descsz, kind = note_header("little").unpack_from(area, at)
        here, name = Span(start + at, HEADER), area[at + HEADER : at + HEADER + 11]
        registers += kind == _PRSTATUS
        qemu += name.startswith(b"QEMU")
        touched = None
        if kind in _XEN_TYPES:
            # The length of the name is rounded up in 32 bits; the last word of the descriptor counts.
            data, words = at + HEADER + align_up(namesz) % (1 << 32), descsz // 8
            if not mfn and not words:
                return notes._replace(dies=Fault("killed", SEGV, here, "note"))
            touched = data if mfn or (kind == _XEN_CR3 and words == 1) else data + 8 * (words - 1)
            if kind != _XEN_CR3 or words != 1:
                mfn = mfn or int.from_bytes(area[touched : touched + 8], "little")
        elif kind == _TASKSTRUCT and name.startswith(b"SNAP"):
            touched = at + HEADER + namesz
        if touched is not None and touched > size + _NEAR:
            if touched > size + _NEAR + _HEAP_SPARE:
                return notes._replace(dies=Fault("killed", SEGV, here, "note"))
            notes = notes._replace(may_die=here)
        # There are three arrays in a row: for registers, for QEMU's notes, for the data that these point at.
        over = max(registers - 3 * _ROOM, qemu - _ROOM) - _BEHIND_ROOMS
        if over >= 0 and notes.dies is None:
            notes = notes._replace(dies=Fault("killed", "malloc(): corrupted top size", here, "note"))
        if over > _KILLING_COUNT:
            return notes._replace(dies=Fault("killed", SEGV, here, "note"))
        body = at + align_up(HEADER + namesz)
        if name == b"VMCOREINFO\0" and namesz == 11 and body + descsz <= size:
            notes = notes._replace(desc=Span(start + body, descsz))
        at = align_up(body + descsz)
    return notes
