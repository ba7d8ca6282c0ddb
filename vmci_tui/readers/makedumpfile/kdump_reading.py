"""The headers of a kdump-compressed file as makedumpfile 1.7.2 (x86-64) goes through them, up to the text.

After makedumpfile.c: `read_kdump_sub_header`, `get_kdump_compressed_header_info`. It follows
offset_vmcoreinfo and size_vmcoreinfo, and ignores the notes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Final

from vmci_tui.formats.elf_note import NAME
from vmci_tui.formats.kdump_records import HEADER_SIZE, SIGNATURE, SUB_HEADER_SIZE
from vmci_tui.readers.file_view import View
from vmci_tui.readers.makedumpfile.notes import CUT
from vmci_tui.readers.rule import Fault
from vmci_tui.readers.shared.c_numbers import ULONG_MAX, strtol
from vmci_tui.readers.shared.elf_notes import walk
from vmci_tui.readers.shared.kdump_program import NARROW_SIZES, KdumpProgram

MEMORY: Final = 7 << 28
"""The largest size that malloc gives a program with 2 GiB; with more memory the read fails with other words."""
_BUFFER: Final = 4096
"""BUFSIZE_BITMAP: the bitmap is read in pieces of this many bytes."""
_MISREAD: Final = {"32 bits": "narrow-header", "big-endian": "header-in-other-byte-order"}
_NO_TEXT_BY: Final = {"32 bits": "no-text-by-narrow-header", "big-endian": "no-text-in-other-byte-order"}


class MakedumpfileKdump(KdumpProgram):
    """A kdump-compressed file."""

    @staticmethod
    def recognises(view: View) -> bool:
        return view.size >= HEADER_SIZE and view.head.startswith(SIGNATURE)

    @cached_property
    def fault(self) -> Fault | None:
        """The fault for which it refuses the headers."""
        block = self.header.block_size
        if block < 0:
            words = "read_kdump_sub_header: Can't seek a file(FILE). Invalid argument"
        elif block + SUB_HEADER_SIZE > self.view.size:
            words = f"read_kdump_sub_header: Can't read a file(FILE). {CUT}"
        elif self.header.version < 1:
            words = "get_kdump_compressed_header_info: header does not have dump_level member"
            return Fault("header-version", words, self.field("header_version"))
        else:
            return None
        return Fault("block-size", words, self.field("block_size"))

    @cached_property
    def text_place(self) -> tuple[int, int] | None:
        """(offset, length) of the text; the offset may be negative."""
        if self.fault is not None or self.sub is None or self.header.version < 3:
            return None
        place = self.sub.offset_vmcoreinfo, self.sub.size_vmcoreinfo
        return place if all(place) else None

    @property
    def is_x86_64(self) -> bool:
        """Whether the header names this machine, or no machine, as QEMU may leave it."""
        return self.header.machine.startswith((b"x86_64", b"Unknown", b"\0"))

    @cached_property
    def _text_of_note(self) -> bytes | None:
        """The text of the VMCOREINFO note at offset_note, which makedumpfile does not use."""
        if self.sub is None or self.header.version < 4:
            return None
        area = walk(self.sub.offset_note, self.view.read(self.sub.offset_note, self.sub.size_note), "little", 4)
        return next((note.desc for note in reversed(area.notes) if note.name == NAME), None)

    def faults(self, copy_fault: str) -> Iterator[Fault]:
        """Yield what keeps it from the text, each with the name of its rule; `copy_fault`: its words at the text."""
        if self.fault is not None:
            yield self.fault
            if self.layout:
                yield Fault(_MISREAD[self.layout], self.fault.words, NARROW_SIZES)
            return
        if self.layout and (copy_fault or self.text_place is None):
            yield Fault(_NO_TEXT_BY[self.layout], copy_fault, NARROW_SIZES)
        if self.text_place is not None:
            if copy_fault:
                yield Fault("pointer-outside", copy_fault, self.text_pointer)
            return
        if self.header.version < 3:
            yield Fault("old-version", "", self.field("header_version"))
        if self._text_of_note:
            yield Fault("note-without-pointer", "", self.text_pointer)
        yield Fault("no-pointer", "", self.text_pointer)

    def disagreements(self, text: bytes, phys_base: bytes | None) -> Iterator[Fault]:
        """Yield what in the headers does not fit to the text, or to the file."""
        if self._text_of_note not in (None, text):
            yield Fault("other-text", "", self.text_pointer)
        if self.sub is None:
            return
        if phys_base is not None and self.is_x86_64 and strtol(phys_base, 10).value & ULONG_MAX != self.sub.phys_base:
            yield Fault("header-phys-base", "", self.field("phys_base"))
        (pages, name), head = self.pages, self.header
        start = (1 + head.sub_hdr_size) * head.block_size + head.block_size * head.bitmap_blocks // 2
        if pages > 4096 and start + -(-(pages - 4096) // (8 * _BUFFER)) * _BUFFER > self.view.size:
            yield Fault("more-pages-than-bits", "", self.field(name))
