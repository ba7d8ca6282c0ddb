"""Defects of kdump-compressed files (C19 to C33, M07): each makes the dump one, and then damages something in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from vmci_tui.bench.defect import X86_64, Defect
from vmci_tui.bench.defects.text import PHYS_BASE, moved
from vmci_tui.bench.parts import Parts
from vmci_tui.formats.kdump_records import INCOMPLETE, ZLIB

_SMALL: Final = ("x86_64", "i386", "s390x")
"""Without aarch64: its memory begins so high that the bitmaps alone would take 70 KiB."""
_FAR: Final = 1 << 40
Apply = Callable[[Parts], Parts]


def _kdump(**changed: Any) -> Apply:
    return lambda parts: parts.with_kdump(**changed)


def _head(**fields: int) -> Apply:
    def apply(parts: Parts) -> Parts:
        old = parts.kdump.head if parts.kdump else ()
        return parts.with_kdump(head=(*old, *fields.items()))

    return apply


def _sub(**fields: int) -> Apply:
    def apply(parts: Parts) -> Parts:
        old = parts.kdump.sub if parts.kdump else ()
        return parts.with_kdump(sub=(*old, *fields.items()))

    return apply


def _old(parts: Parts) -> Parts:
    """Write the old version, which has no notes."""
    return replace(parts, absent=True).with_kdump(version=2)


def _taken_for_hexadecimal(parts: Parts) -> Parts:
    """Write phys_base like QEMU; 0, the value without KASLR, is the same in both."""
    higher = moved(parts) if b"NUMBER(phys_base)=0\n" in parts.text else parts
    return _sub(phys_base=int(str(PHYS_BASE), 16))(higher)


KDUMP_DEFECTS: Final = (
    Defect("phys-base-in-header", "makes it a kdump file with phys_base 0x16777216 instead of 16777216",
           _taken_for_hexadecimal, X86_64),
    Defect("large-blocks", "makes it a kdump file with blocks of 8192", _kdump(block_size=8192), X86_64),
    Defect("no-descriptor", "makes it a kdump file whose page 0 runs past the end of the file",
           _kdump(broken=0), ("s390x",)),
    Defect("notes-behind-memory", "makes it a packed kdump file with the notes after memory",
           _kdump(notes_after_memory=True), ("i386",)),
    Defect("no-utsname", "makes it a kdump file with only the machine in utsname, as QEMU does",
           _kdump(names=False), _SMALL),
    Defect("no-text-pointer", "makes it a kdump file with offset_vmcoreinfo and size_vmcoreinfo 0",
           _sub(offset_vmcoreinfo=0, size_vmcoreinfo=0), _SMALL),
    Defect("no-cpus", "makes it a kdump file with nr_cpus 0", _head(nr_cpus=0), X86_64),
    Defect("version-7", "makes it a kdump file with header_version 7", _kdump(version=7), _SMALL),
    Defect("erase-info", "makes it a kdump file with size_eraseinfo 2^40", _sub(size_eraseinfo=_FAR), X86_64),
    Defect("max-mapnr", "makes it a kdump file with max_mapnr_64 2^40", _sub(max_mapnr_64=_FAR), X86_64),
    Defect("version-2", "makes it a kdump file with header_version 2", _old, ("x86_64", "i386")),
    Defect("flattened", "makes it a flattened kdump file, as QEMU does", _kdump(flattened=True), _SMALL),
    Defect("split", "makes it a kdump file: the first part of a split dump, without pages",
           _sub(split=1, start_pfn=0, end_pfn=0, start_pfn_64=0, end_pfn_64=0), X86_64),
    Defect("incomplete", "makes it a kdump file that is marked as incomplete",
           _head(status=INCOMPLETE | ZLIB), _SMALL),
    Defect("no-end-mark", "makes it a flattened kdump file without the end mark",
           _kdump(flattened=True, end=False), _SMALL),
)  # fmt: skip
