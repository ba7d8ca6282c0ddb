"""Findings about the container: class, machine, headers, the file's length (codes C)."""

from __future__ import annotations

from collections.abc import Iterator

from vmci_tui.common.span import Span
from vmci_tui.containers.elf.dump import ElfDump
from vmci_tui.findings.checks.note import target_bits
from vmci_tui.findings.finding import NEED_MEMORY, ORDER_HEADERS, Context, Finding, new_finding
from vmci_tui.formats.elf_records import ET_CORE, PT_NOTE


def check(context: Context) -> Iterator[Finding]:
    """Check an ELF container."""
    dump = context.dump
    if not isinstance(dump, ElfDump):
        return
    bits = target_bits(dump)
    if bits != dump.bits:
        wider = dump.bits > bits
        yield new_finding(
            "C01",
            f"the file is ELF{dump.bits}, but its machine ({dump.machine}) is {bits}-bit",
            dump.format.span("EI_CLASS"),
            severity="info" if wider else "error",
            why="QEMU writes ELF64 for a 32-bit guest whose memory or ROM reaches 4 GiB: nothing is wrong"
            if wider
            else "dumps of this machine need a 64-bit file",
        )
    if dump.missing:
        end = Span(max(dump.source.size - 1, 0), 1)
        yield new_finding("C02", dump.missing, end, readers=NEED_MEMORY, cure=dump.cure)
    if not context.arranged:
        yield from _head(dump)


def _head(dump: ElfDump) -> Iterator[Finding]:
    """Check the headers that saving would rewrite."""
    notes = dump.segments.count_of(PT_NOTE)
    if notes != 1:
        where = Span(min(dump.header.phoff, dump.source.size), 1)
        yield new_finding("C03", f"the file has {notes or 'no'} PT_NOTE program headers", where, ORDER_HEADERS)
    if dump.header.type != ET_CORE:
        words = f"e_type is {dump.header.type}, but dumps have 4 (ET_CORE)"
        yield new_finding("C04", words, dump.format.span("e_type"), ORDER_HEADERS)
    if dump.header.phentsize != dump.format.segment.size:
        words = f"e_phentsize is {dump.header.phentsize}, but a program header has {dump.format.segment.size} bytes"
        yield new_finding("C05", words, dump.format.span("e_phentsize"), ORDER_HEADERS)
