"""The headers of a kdump-compressed file as makedumpfile 1.7.2 (x86-64) goes through them, up to the text.

After makedumpfile.c: `read_kdump_sub_header`, `get_kdump_compressed_header_info`.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

from vmci_tui.formats.kdump_records import HEADER_SIZE, SIGNATURE, SUB_HEADER_SIZE
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import Fault
from vmci_tui.readers.shared.kdump_program import KdumpProgram

MEMORY: Final = 7 << 28
"""The largest size that malloc gives a program with 2 GiB; with more memory the read fails with other words."""
_CUT: Final = "No such file or directory"


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
            return Fault("block", words, self.field("block_size"))
        if block + SUB_HEADER_SIZE > self.view.size:
            return Fault("block", f"read_kdump_sub_header: Can't read a file(FILE). {_CUT}", self.field("block_size"))
        if self.header.version < 1:
            words = "get_kdump_compressed_header_info: header does not have dump_level member"
            return Fault("version", words, self.field("header_version"))
        return None

    @property
    def text_place(self) -> tuple[int, int] | None:
        """(offset, length) of the text; the offset may be negative."""
        sub = self.sub
        if self.fault is not None or sub is None or self.header.version < 3:
            return None
        there = sub.offset_vmcoreinfo and sub.size_vmcoreinfo
        return (sub.offset_vmcoreinfo, sub.size_vmcoreinfo) if there else None

    @property
    def is_x86_64(self) -> bool:
        """Whether the header names this machine, or no machine, as QEMU may leave it."""
        return self.header.machine.startswith((b"x86_64", b"Unknown", b"\0"))
