"""Another reading of ELF dumps, with struct alone: what it says must not depend on `vmci_tui`."""

from __future__ import annotations

import struct
from typing import NamedTuple

PT_LOAD, PT_NOTE, PN_XNUM = 1, 4, 0xFFFF


class Row(NamedTuple):
    """A program header."""

    type: int
    flags: int
    offset: int
    vaddr: int
    paddr: int
    filesz: int
    memsz: int
    align: int


class Run(NamedTuple):
    """Guest memory that follows each other by both addresses; `lacking` bytes of it the file is too short for."""

    flags: int
    vaddr: int
    paddr: int
    held: bytes
    lacking: int
    memsz: int


def _mark(data: bytes) -> str:
    return "<" if data[5] == 1 else ">"


def table(data: bytes) -> tuple[int, int, int]:
    """Where the program headers lie, how many, and the length of one."""
    mark, wide = _mark(data), data[4] == 2
    phoff, shoff = struct.unpack_from(mark + ("QQ" if wide else "II"), data, 32 if wide else 28)
    size, count = struct.unpack_from(mark + "HH", data, 54 if wide else 42)
    if count == PN_XNUM:
        (count,) = struct.unpack_from(mark + "I", data, shoff + (44 if wide else 28))
    return phoff, count, size


def sections(data: bytes) -> int:
    """How many section headers there are."""
    return int(struct.unpack_from(_mark(data) + "H", data, 60 if data[4] == 2 else 48)[0])


def rows(data: bytes) -> list[Row]:
    """All program headers, in their order."""
    mark, (at, count, size) = _mark(data), table(data)
    raw = [struct.unpack_from(mark + ("II6Q" if data[4] == 2 else "8I"), data, at + n * size) for n in range(count)]
    if data[4] == 2:
        return [Row(*fields) for fields in raw]
    return [Row(kind, flags, *rest, align) for kind, *rest, flags, align in raw]


def with_rows(data: bytes, new: list[Row]) -> bytes:
    """The file with these program headers, as many as it had."""
    mark, (at, count, size) = _mark(data), table(data)
    assert len(new) == count
    out = bytearray(data)
    for number, row in enumerate(new):
        if data[4] == 2:
            packed = struct.pack(mark + "II6Q", *row)
        else:
            packed = struct.pack(mark + "8I", row.type, *row[2:7], row.flags, row.align)
        out[at + number * size : at + number * size + len(packed)] = packed
    return bytes(out)


def memory(data: bytes) -> list[Run]:
    """What the PT_LOADs say, in their order, joined where one goes on with the other: splits don't show."""
    top = 1 << (64 if data[4] == 2 else 32)
    out: list[Run] = []
    for row in rows(data):
        if row.type != PT_LOAD:
            continue
        held = data[row.offset : row.offset + row.filesz] if row.filesz else b""
        run = Run(row.flags, row.vaddr, row.paddr, held, row.filesz - len(held), row.memsz)
        if out and _goes_on(out[-1], run, top):
            last = out.pop()
            run = last._replace(
                held=last.held + run.held, lacking=last.lacking + run.lacking, memsz=last.memsz + run.memsz
            )
        out.append(run)
    return out


def _goes_on(last: Run, run: Run, top: int) -> bool:
    length = len(last.held) + last.lacking
    virtual = last.vaddr + length if last.vaddr or not last.paddr else 0
    return (
        last.memsz == length > 0
        and (run.flags, run.vaddr, run.paddr) == (last.flags, virtual % top, (last.paddr + length) % top)
        and not (last.lacking and run.held)
        and len(run.held) + run.lacking > 0
    )


def read_at(data: bytes, address: int, length: int, virtual: bool) -> list[bytes]:
    """What each header that covers `address` has there, as far as it goes."""
    out = []
    for row in rows(data):
        start = row.vaddr if virtual else row.paddr
        if row.type == PT_LOAD and start <= address < start + row.filesz:
            at = row.offset + address - start
            out.append(data[at : at + min(length, start + row.filesz - address)])
    return out
