"""Build ELF dumps from the records of tests alone, so that no bug of `vmci_tui` can hide in its own tests.

`elf` makes a whole file: classic, or as QEMU 7.2 and later lay it out (section headers
first, program headers at 192, `e_ehsize` 8, section names after memory). Every damage is
a keyword: notes of any bytes, headers overridden field by field.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

from tests.dumps import records
from tests.dumps.elf_shape import Section, Segment, Shape
from tests.dumps.records import NOTE_NAME, PN_XNUM, PT_LOAD, PT_NOTE, SHT_STRTAB, Bits, Order

X86_64, I386, ARM, AARCH64, S390, PPC64 = 62, 3, 40, 183, 22, 21

TEXT_64 = (
    b"OSRELEASE=6.1.0-test\nBUILD-ID=0123456789abcdef0123456789abcdef01234567\nPAGESIZE=4096\n"
    b"SYMBOL(init_uts_ns)=ffffffff827fb000\nSYMBOL(swapper_pg_dir)=ffffffff82610000\n"
    b"OFFSET(list_head.prev)=8\nSIZE(list_head)=16\nNUMBER(phys_base)=16777216\nKERNELOFFSET=1000000\n"
)
TEXT_32 = (
    b"OSRELEASE=6.1.0-test\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=c17fb000\nSYMBOL(swapper_pg_dir)=c1610000\n"
    b"OFFSET(list_head.prev)=4\nSIZE(list_head)=8\nCONFIG_X86_PAE=y\n"
)


class Load(NamedTuple):
    """One PT_LOAD. `memsz` beyond the data has no bytes; `at` points at the bytes of an earlier load."""

    paddr: int
    data: bytes = b""
    memsz: int | None = None
    vaddr: int = 0
    at: int | None = None


def note(
    desc: bytes = TEXT_64,
    name: bytes = NOTE_NAME,
    kind: int = 0,
    order: Order = "little",
    align: int = 4,
    namesz: int | None = None,
    descsz: int | None = None,
    pad: bytes = b"\0",
) -> bytes:
    """Return one note; `namesz` and `descsz` may be false, `pad` fills unused bytes."""
    return records.note(order, name, desc, kind, namesz, descsz, align, pad)


def cpus(count: int = 1, order: Order = "little", align: int = 4) -> bytes:
    """Return the notes that QEMU writes for its CPUs: all CORE notes, then all QEMU notes."""
    core = [note(bytes([n % 251]) * 336, b"CORE\0", 1, order, align) for n in range(count)]
    return b"".join(core + [note(bytes(440), b"QEMU\0", 0, order, align)] * count)


def ram(length: int = 8192, seed: int = 7) -> bytes:
    """Return bytes of which no two pages are equal."""
    return b"".join(struct.pack("<Q", seed << 32 | at) for at in range(0, length, 8))[:length]


def elf(
    notes: Sequence[bytes] | None = None,
    loads: Sequence[Load] = (Load(0x1000, ram()),),
    bits: Bits = 64,
    order: Order = "little",
    machine: int = X86_64,
    qemu: bool = False,
    p_align: int = 0,
    note_first: bool = True,
    notes_behind: bool = False,
    sections: Sequence[bytes] = (),
    gap: int = 0,
    **header: Any,
) -> bytes:
    """Return a dump. Each of `notes` is the area of one PT_NOTE (one CPU's); `gap` zero bytes precede memory.

    `sections` are the contents of sections that hold data, after memory as in an s390 PV
    dump. More than 65,534 program headers give PN_XNUM. `header` overrides e_* fields.
    """
    notes = (cpus(order=order),) if notes is None else notes
    areas = [Segment(PT_NOTE, [], align=p_align, trailing=area) for area in notes]
    memory: list[Segment] = []
    for paddr, data, memsz, vaddr, at in loads:
        over = None if at is None else memory[at]
        memory.append(Segment(PT_LOAD, None, data, 7, vaddr, paddr, p_align, memsz=memsz, over=over))
    count = len(areas) + len(memory)
    table = [Section(1, data) for data in sections]
    if qemu:  # QEMU does not swap the words of the .shstrtab header (seen in s390x and ppc64 dumps).
        table.insert(0, Section(SHT_STRTAB, b"\0.shstrtab\0", name=1, swapped=order == "big"))
    if table:
        table.insert(0, Section(info=count if count >= PN_XNUM else 0))
    fields = {"machine": machine, **({"ehsize": 8} if qemu else {}), **header}
    segments = areas + memory if note_first else memory + areas
    shape = Shape(bits, order, fields, segments, table, qemu, notes_behind, gap)
    return shape.bytes(random.Random(0))
