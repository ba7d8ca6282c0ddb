"""The headers of a kdump-compressed file as makedumpfile 1.7.2 (x86-64) goes through them, up to the text.

After makedumpfile.c: `read_kdump_sub_header`, `get_kdump_compressed_header_info`.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.formats.kdump_records import HEADER_SIZE, SIGNATURE, SUB_HEADER_SIZE, DiskDumpHeader, KdumpSubHeader
from vmci_tui.readers.file_view import View
from vmci_tui.readers.shared.x86_64_kdump_header import header_of, place, sub_header_of

MEMORY: Final = 7 << 28
"""The largest size that malloc gives a program with 2 GiB; with more memory the read fails with other words."""
_CUT: Final = "No such file or directory"


class HeaderFault(NamedTuple):
    """Where it stops before it has a text."""

    kind: str
    words: str
    span: Span | None = None


class MakedumpfileKdump:
    """A kdump-compressed file."""

    def __init__(self, view: View) -> None:
        self.view = view

    @staticmethod
    def recognises(view: View) -> bool:
        return view.size >= HEADER_SIZE and view.head.startswith(SIGNATURE)

    @cached_property
    def header(self) -> DiskDumpHeader:
        return header_of(self.view.head)

    @cached_property
    def sub(self) -> KdumpSubHeader | None:
        """The sub-header; None if the file lacks a part of it."""
        return sub_header_of(self.view, self.header.block_size)

    @cached_property
    def fault(self) -> HeaderFault | None:
        """The fault for which it refuses the headers."""
        block = self.header.block_size
        if block < 0:
            words = "read_kdump_sub_header: Can't seek a file(FILE). Invalid argument"
            return HeaderFault("block", words, self.field("block_size"))
        if block + SUB_HEADER_SIZE > self.view.size:
            return HeaderFault(
                "block", f"read_kdump_sub_header: Can't read a file(FILE). {_CUT}", self.field("block_size")
            )
        if self.header.version < 1:
            words = "get_kdump_compressed_header_info: header does not have dump_level member"
            return HeaderFault("version", words, self.field("header_version"))
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

    def field(self, name: str, through: str = "") -> Span:
        """Return the span of a field of the headers, or of all fields through another."""
        return place(name, self.header.block_size, through)
