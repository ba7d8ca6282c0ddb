"""Compose the head of the ELF dump that QEMU would have written: header, program headers and notes, then memory.

QEMU 7.2, dump/dump.c: a PT_NOTE, then a PT_LOAD for each range, whose p_vaddr is its p_paddr. The order of the parts is
the one that all readers take (containers/elf/layout.py).
"""

from __future__ import annotations

from array import array
from typing import Final

from vmci_tui.formats.elf_note import ByteOrder, Note, align_up
from vmci_tui.formats.elf_records import (
    ET_CORE,
    EV_CURRENT,
    IDENT,
    MAGIC,
    PN_XNUM,
    PT_LOAD,
    PT_NOTE,
    ElfFormat,
    ElfHeader,
    Section,
    Segment,
    format_of,
)
from vmci_tui.formats.segment_table import Segments
from vmci_tui.layers.head_and_memory import places
from vmci_tui.layers.range_table import Ranges
from vmci_tui.machines.facts import MachineFacts

_PAGE: Final = 4096
"""Memory begins at a multiple of this in the file, so that file systems can share its blocks."""
_32_BITS: Final = 1 << 32


def elf_head(machine: MachineFacts, bits: int, order: ByteOrder, notes: tuple[Note, ...], memory: Ranges) -> bytes:
    """Return all bytes before the first byte of memory. Each range of `memory` has bytes.

    Memory above 4 GiB gets a 64-bit header on a 32-bit machine too, as QEMU gives it.
    """
    area = b"".join(note.packed(order).raw for note in notes)
    held = sum(memory.lengths)
    if (memory and memory[-1].end > _32_BITS) or held + len(area) > _32_BITS >> 1:
        bits = 64
    form = format_of(bits, order)
    count = len(memory) + 1
    many = count >= PN_XNUM
    notes_at = form.header_size + count * form.segment.size + many * form.section.size
    body = align_up(notes_at + len(area), _PAGE)
    header = ElfHeader(
        type=ET_CORE,
        machine=machine.e_machine,
        version=EV_CURRENT,
        entry=0,
        phoff=form.header_size,
        shoff=form.header_size + count * form.segment.size if many else 0,
        flags=0,
        ehsize=form.header_size,
        phentsize=form.segment.size,
        phnum=min(count, PN_XNUM),
        shentsize=form.section.size if many else 0,
        shnum=int(many),
        shstrndx=0,
    )
    ident = IDENT.pack(MAGIC, 2 if bits == 64 else 1, 2 if order == "big" else 1, EV_CURRENT, 0, 0, b"")
    first = form.pack_segment(Segment(PT_NOTE, 0, notes_at, 0, 0, len(area), len(area), 0))
    section = form.section.pack(*Section(0, 0, 0, 0, 0, 0, 0, count, 0, 0)) if many else b""
    head = ident + form.header.pack(*header) + first + _loads(form, memory, body).table + section + area
    return head.ljust(body, b"\0")


def _loads(form: ElfFormat, memory: Ranges, body: int) -> Segments:
    """Return a PT_LOAD for each range; their bytes begin at `body`."""
    code = "Q" if form.bits == 64 else "I"
    lengths = array(code, memory.lengths)
    blank = Segments(form, bytes(len(memory) * form.segment.size))
    return blank.replaced(
        type=array("I", [PT_LOAD]) * len(memory),
        offset=array(code, places(memory, body)),
        vaddr=array(code, memory.starts),
        paddr=array(code, memory.starts),
        filesz=lengths,
        memsz=lengths,
    )
