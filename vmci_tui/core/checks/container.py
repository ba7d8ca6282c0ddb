"""Findings about the container: class, machine, headers, the file's length (codes C)."""

from __future__ import annotations

from collections.abc import Iterator

from vmci_tui.core.checks.base import Context, Finding
from vmci_tui.core.checks.note import target_bits
from vmci_tui.core.containers.elf import ElfDump
from vmci_tui.core.containers.elf_format import ET_CORE, PT_LOAD, PT_NOTE
from vmci_tui.core.span import Span


def check(context: Context) -> Iterator[Finding]:
    """Everything about an ELF container."""
    dump = context.dump
    if not isinstance(dump, ElfDump):
        return
    bits = target_bits(dump)
    if bits != dump.bits:
        wider = dump.bits > bits
        yield Finding(
            "C01",
            "info" if wider else "error",
            f"the file is ELF{dump.bits}, its machine ({dump.machine}) is {bits}-bit",
            "QEMU writes ELF64 for a 32-bit guest whose memory or ROM reaches 4 GiB: nothing is wrong"
            if wider
            else "no dump of this machine fits into a 32-bit file",
            Span(4, 1),
        )
    end = max((s.offset + s.filesz for s in dump.segments if s.type == PT_LOAD and s.filesz), default=0)
    if end > dump.source.size:
        yield Finding(
            "C02",
            "error",
            f"the file is cut off: its memory ends at {end}, the file at {dump.source.size} bytes",
            "readers fail, or read zeros, where the bytes are missing; copy the dump again, whole",
            Span(max(dump.source.size - 1, 0), 1),
        )
    notes = sum(s.type == PT_NOTE for s in dump.segments)
    if notes != 1:
        yield Finding(
            "C03",
            "warning",
            f"the file has {notes or 'no'} PT_NOTE program headers" if notes != 1 else "",
            "readers want exactly one, as the first program header; saving makes it so",
            Span(min(dump.header.phoff, dump.source.size), 1),
        )
    if dump.header.type != ET_CORE:
        yield Finding(
            "C04",
            "warning",
            f"e_type is {dump.header.type}, a dump has 4 (ET_CORE)",
            "some readers look at it before anything else",
            Span(16, 2),
        )
    if dump.header.phentsize != dump.format.segment.size:
        yield Finding(
            "C05",
            "warning",
            f"e_phentsize is {dump.header.phentsize}, a program header has {dump.format.segment.size} bytes",
            "readers differ in which of the two they follow; saving writes the right one",
            Span(54 if dump.bits == 64 else 42, 2),
        )
