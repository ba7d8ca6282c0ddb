"""How crash 8.0.2 (x86-64) reads a kdump-compressed file: diskdump.c, step by step, up to the text.

Sources: `read_dump_header`, `process_elf64_notes`, `is_diskdump`, `vmcoreinfo_read_string`;
xen_dom0.c `process_xen_note`. The messages are those of a process with less than 2 GiB of memory;
with more, crash rejects some of these files with other messages, but accepts none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final, Literal

from vmci_tui.common.span import Span
from vmci_tui.formats.kdump_records import DISKDUMP, SIGNATURE, KdumpSubHeader
from vmci_tui.machines.table import MACHINES
from vmci_tui.readers.crash.deaths import MEMORY, OVERWRITTEN, SEGV, KdumpNotes, kdump_notes, mapped_behind_bitmap
from vmci_tui.readers.crash.text import UnanchoredText
from vmci_tui.readers.crash.text_rules import UNKNOWN, CrashReading
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import Fault, RuleHit
from vmci_tui.readers.shared.kdump_program import KdumpProgram
from vmci_tui.readers.shared.text_lines import c_string

_OTHERS: Final = tuple(row.crash.starts for row in MACHINES.values() if row.crash and not row.crash.since)
_CANNOT: Final = "crash: compressed kdump: cannot "
NO_BLOCK: Final = "crash: diskdump / compressed kdump: cannot malloc block_size buffer"
KEY: Final = b"OSRELEASE="
_OSRELEASE: Final = re.compile(KEY + rb"([^\n]*)\n")
_SMALLEST: Final = 4096
"""Bytes of the first page, which crash reads first."""
_FILE_TOP: Final = (1 << 63) - 1
"""A read that would end after this fails, but crash takes -1 as a large number of bytes: it continues without them."""
_SIZE_TOP: Final = (1 << 64) - 1
_PAGE: Final = 4096
_SECTION: Final = 4096
"""BITMAP_SECT_LEN: pages that are counted at once."""

Way = Literal["read", "mapped", "sized"]
"""How versions of crash get at the bitmaps: they read them; map them; map them if the file is large enough."""


class CrashKdump(KdumpProgram, CrashReading):
    """A file that starts like a kdump-compressed or diskdump file."""

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self.is_kdump = view.head.startswith(SIGNATURE)
        self.kind = "compressed kdump" if self.is_kdump else "diskdump"

    @staticmethod
    def recognises(view: View) -> bool:
        """Whether crash takes the file for a kdump, before it looks further."""
        return view.size >= _SMALLEST and view.head.startswith((SIGNATURE, DISKDUMP))

    @cached_property
    def sub(self) -> KdumpSubHeader | None:
        """The sub-header; None if the file lacks the whole block that crash reads, and in the old diskdump."""
        return super().sub if self.is_kdump and 0 < 2 * self.header.block_size <= self.view.size else None

    @property
    def other_machine(self) -> bool:
        """Whether the header names a machine that every version of crash knows, but not x86-64."""
        return (self.header.machine + b"\0").startswith(_OTHERS)

    @cached_property
    def fault(self) -> Fault | None:
        """The first fault that keeps crash from the text."""
        return next(self._faults(), None)

    def _faults(self) -> Iterator[Fault]:
        """Yield the faults in the order of crash; what follows the first one is not to be relied on."""
        yield from filter(None, [self.stopped("mapped")])
        if (sub := self._with_notes) is not None:
            # The notes of the processors, which crash reads even if it does not need them.
            pointer = self.field("offset_note", "size_note")
            if sub.size_note >= MEMORY:
                yield Fault("notes-outside", _CANNOT + "malloc notes buffer", self.field("size_note"))
            if sub.offset_note < 0:
                yield Fault("notes-outside", _CANNOT + "lseek notes data", pointer)
            if self.view.size < sub.offset_note + sub.size_note <= _FILE_TOP:
                yield Fault("notes-outside", _CANNOT + "read notes data", pointer)
            if self.notes.dies is not None:
                yield self.notes.dies
        if self.overrun[0] > self.overrun[2]:
            yield Fault("pages", SEGV, self.counted[2])
        if self.header.block_size * 16 % (1 << 32) >= 1 << 31:
            yield Fault("block-size", _CANNOT + "malloc compressed page_cache_buf", self.field("block_size"))
        yield from self._pointer_faults()

    @cached_property
    def _head_fault(self) -> Fault | None:
        """The fault of the header and the place of the sub-header."""
        block, size, block_size = self.header.block_size, self.view.size, self.field("block_size")
        if self.other_machine:
            return Fault("kdump-machine", "WARNING: machine type mismatch:", self.field("utsname.machine"))
        if block <= 0 or block in OVERWRITTEN or block >= MEMORY:
            return Fault("block-size", NO_BLOCK, block_size)
        if block > size:
            return Fault("block-size", UNKNOWN, block_size)
        cut = f"crash: {self.kind}: cannot read dump sub header"
        return Fault("cut-off", cut, Span(block, size - block)) if 2 * block > size else None

    def bitmap_fault(self, way: Way) -> Fault | None:
        """Return the fault of the bitmaps in versions that read them, or map them, or look at the size before that."""
        offset, length = self.bitmap
        words, beyond = "", offset + length > self.view.size
        if way == "read" and (offset < 0 or (length and beyond)):
            words = f"crash: {self.kind}: cannot {'lseek' if offset < 0 else 'read'} memory bitmap"
        elif way == "sized" and beyond:
            words = "crash: Mmap: Beyond the end of mapped file, corrupted?"
        elif way != "read" and (offset < 0 or offset % _PAGE or not length or 2 * length > MEMORY):
            # They are mapped and then copied: by halves if there are two, else whole.
            words = f"crash: {self.kind}: cannot mmap bitmap buffer"
        elif way == "mapped" and (offset + length - 1) // _PAGE * _PAGE >= self.view.size:
            words = "killed by SIGBUS"
        return Fault("bitmap", words, self.field("sub_hdr_size", "bitmap_blocks")) if words else None

    def stopped(self, way: Way) -> Fault | None:
        """Return the first fault up to the bitmaps, in versions that read these in one way."""
        return self._head_fault or self.bitmap_fault(way)

    def at_bitmap(self, way: Way) -> RuleHit | None:
        """Return the bytes and words of the fault of the bitmaps, if it is the first one."""
        fault = None if self._head_fault else self.bitmap_fault(way)
        return None if fault is None else RuleHit(fault.span, fault.words)

    def at_fault(self, *rules: str) -> RuleHit | None:
        """Return the bytes and words of the first fault, if it is that of one of these rules."""
        fault = self.fault
        return RuleHit(fault.span, fault.words) if fault is not None and fault.kind in rules else None

    def _pointer_faults(self) -> Iterator[Fault]:
        """Yield the faults of the pointer (vmcoreinfo_read_string, which does not check for zeros in both fields)."""
        if self.header.version < 3:
            yield Fault("old-version", UNKNOWN, self.field("header_version"), "note")
        if (sub := self.sub) is None:
            yield Fault("diskdump", SEGV, self.field("signature"), "note")
            return
        pointer, end = self.text_pointer, sub.offset_vmcoreinfo + sub.size_vmcoreinfo
        if not sub.size_vmcoreinfo:
            yield Fault("no-pointer", UNKNOWN, pointer, "note")
        if sub.size_vmcoreinfo == _SIZE_TOP:
            yield Fault("pointer-outside", "double free or corruption (out)", pointer, "note")
        if sub.size_vmcoreinfo >= MEMORY:
            yield Fault("pointer-outside", _CANNOT + "malloc vmcoreinfo buffer", pointer, "note")
        if sub.offset_vmcoreinfo < 0:
            yield Fault("pointer-outside", _CANNOT + "lseek dump vmcoreinfo", pointer, "note")
        if end > _FILE_TOP:
            yield Fault("pointer-at-the-top", UNKNOWN, pointer, "after")
        if end > self.view.size:
            yield Fault("pointer-outside", _CANNOT + "read vmcoreinfo data", pointer, "note")

    @property
    def survives_head(self) -> bool:
        """Whether crash gets through the headers up to the notes."""
        return self.fault is None or self.fault.stage != "before"

    @property
    def bitmap(self) -> tuple[int, int]:
        """Offset and length of the bitmaps."""
        blocks = (self.header.sub_hdr_size + 1 + (1 << 31)) % (1 << 32) - (1 << 31)
        return self.header.block_size * blocks, self.header.block_size * self.header.bitmap_blocks

    @property
    def _with_notes(self) -> KdumpSubHeader | None:
        """The sub-header, if it has notes of processors."""
        sub = self.sub
        return sub if sub is not None and self.header.version >= 4 and sub.offset_note and sub.size_note else None

    @cached_property
    def notes(self) -> KdumpNotes:
        """The result of the notes of the processors."""
        sub = self._with_notes
        if sub is None or sub.offset_note < 0:
            return KdumpNotes()
        return kdump_notes(self.view.read(sub.offset_note, sub.size_note), sub.offset_note, sub.size_note)

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
        first, end, _ = self.counted
        length = self.bitmap[1]
        size_note = 0 if self._with_notes is None else self._with_notes.size_note
        return (end if end > first else 0) - length, *mapped_behind_bitmap(length, size_note, end - first)

    @property
    def desc(self) -> Span | None:
        return self.note

    @cached_property
    def note(self) -> Span | None:
        """The text that the header names, because crash ignores notes here; None if it does not get that far."""
        if self.fault is not None or self.sub is None:
            return None
        return Span(self.sub.offset_vmcoreinfo, self.sub.size_vmcoreinfo)

    @cached_property
    def text(self) -> bytes | None:
        """The bytes there, with a NUL or not."""
        return None if self.note is None else UnanchoredText(self.view.read(self.note.offset, self.note.length))

    @cached_property
    def release(self) -> tuple[int, bytes] | None:
        """The first OSRELEASE= anywhere, if its line ends before the NUL that ends the text."""
        # The buffer has its own newline after the last byte.
        found = _OSRELEASE.search(c_string((self.text or b"") + b"\n"))
        return None if found is None else (found.start(1), found[1])

    @property
    def release_dies(self) -> bool:
        """Whether a NUL comes before the newline of the release, which kills crash."""
        return self.release is None and KEY in c_string(self.text or b"")

    @property
    def no_release(self) -> bool:
        """Whether crash has read a text but found no release in it."""
        return self.text is not None and self.release is None and not self.release_dies

    @property
    def text_of_note(self) -> bytes | None:
        """The text of the VMCOREINFO note, if crash uses another place; it does not look there."""
        desc = None if self.text is None else self.notes.desc
        return None if desc is None or desc == self.note else self.view.read(desc.offset, desc.length)
