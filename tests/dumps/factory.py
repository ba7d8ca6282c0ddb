"""Build ELF dumps from the records of tests alone, so that no bug of `vmci_tui` can hide in its own tests.

`elf` makes a whole file: classic, or as QEMU 7.2 and later lay it out (section headers
first, program headers at 192, `e_ehsize` 8, section names after memory). Every damage is
a keyword: notes of any bytes, headers overridden field by field.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

from tests.dumps import records
from tests.dumps.records import (
    ELF_HEADER,
    NOTE_NAME,
    PN_XNUM,
    PT_LOAD,
    PT_NOTE,
    SECTION,
    SEGMENT,
    SHT_STRTAB,
    Bits,
    Order,
)

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
    e_size, p_size, s_size = ELF_HEADER[bits].size, SEGMENT[bits].size, SECTION[bits].size
    count = len(notes) + len(loads)
    xnum = count >= PN_XNUM
    names = 2 if qemu else 0
    s_count = len(sections) + max(names, 1) if names or xnum or sections else 0
    shoff = (e_size if qemu else e_size + count * p_size) if s_count else 0
    phoff = e_size + s_count * s_size if qemu else e_size
    head = e_size + count * p_size + s_count * s_size

    memory_at = head + gap + (0 if notes_behind else sum(map(len, notes)))
    placed: list[int] = []
    at = memory_at
    for load in loads:
        placed.append(at if load.at is None else placed[load.at])
        at += len(load.data) if load.at is None else 0
    notes_at = at if notes_behind else head
    at += sum(map(len, notes)) if notes_behind else 0

    own: list[dict[str, int]] = []
    for area in notes:
        size = len(area)
        own.append({"type": PT_NOTE, "offset": notes_at, "filesz": size, "memsz": size, "align": p_align})
        notes_at += size
    mapped: list[dict[str, int]] = []
    for load, offset in zip(loads, placed, strict=True):
        filesz = len(load.data if load.at is None else loads[load.at].data)
        memsz = filesz if load.memsz is None else load.memsz
        mapped.append({
            "type": PT_LOAD, "flags": 7, "offset": offset, "vaddr": load.vaddr, "paddr": load.paddr,
            "filesz": filesz, "memsz": memsz, "align": p_align,
        })  # fmt: skip
    segments = own + mapped if note_first else mapped + own

    strtab = b"\0.shstrtab\0"
    table: list[dict[str, int]] = [{"info": count if xnum else 0}] if s_count else []
    tail = b""
    if qemu:
        table.append({"name": 1, "type": SHT_STRTAB, "offset": at, "size": len(strtab)})
        tail = strtab
    for data in sections:
        table.append({"type": 1, "offset": at + len(tail), "size": len(data)})
        tail += data

    fields = {
        "type": 4, "machine": machine, "version": 1, "entry": 0, "phoff": phoff, "shoff": shoff, "flags": 0,
        "ehsize": 8 if qemu else e_size, "phentsize": p_size, "phnum": PN_XNUM if xnum else count,
        "shentsize": s_size if s_count else 0, "shnum": s_count, "shstrndx": 1 if qemu else 0,
    } | header  # fmt: skip
    start = bytearray(ELF_HEADER[bits].pack(order, fields))
    start[:16] = records.identification(bits, order)
    p_table = b"".join(SEGMENT[bits].pack(order, segment) for segment in segments)
    # QEMU does not swap the words of the .shstrtab header (seen in s390x and ppc64 dumps).
    orders: list[Order] = ["little" if qemu and n == 1 else order for n in range(len(table))]
    s_table = b"".join(SECTION[bits].pack(each, row) for each, row in zip(orders, table, strict=True))
    area = b"".join(notes)
    memory = bytes(gap) + b"".join(load.data for load in loads if load.at is None)
    body = memory + area if notes_behind else area + memory
    return bytes(start) + (s_table + p_table if qemu else p_table + s_table) + body + tail
