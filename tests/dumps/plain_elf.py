"""Read ELF dumps by the records of tests, independently of `vmci_tui`."""

from __future__ import annotations

from typing import NamedTuple

from tests.dumps.records import ELF_HEADER, PN_XNUM, PT_LOAD, SECTION, SEGMENT, form_of


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


class MemoryRun(NamedTuple):
    """Guest memory that is contiguous by both addresses; the file is `lacking` bytes too short for it."""

    flags: int
    vaddr: int
    paddr: int
    held: bytes
    lacking: int
    memsz: int


def _header(data: bytes) -> dict[str, int]:
    bits, order = form_of(data)
    return ELF_HEADER[bits].unpack(order, data)


def table(data: bytes) -> tuple[int, int, int]:
    """Return the offset of the program headers, their number, and the length of one."""
    bits, order = form_of(data)
    header = _header(data)
    count = header["phnum"]
    if count == PN_XNUM:
        count = SECTION[bits].unpack(order, data, header["shoff"])["info"]
    return header["phoff"], count, header["phentsize"]


def sections(data: bytes) -> int:
    """Return the number of section headers."""
    return _header(data)["shnum"]


def rows(data: bytes) -> list[Row]:
    """Return all program headers, in their order."""
    (bits, order), (at, count, size) = form_of(data), table(data)
    return [Row(**SEGMENT[bits].unpack(order, data, at + n * size)) for n in range(count)]


def with_rows(data: bytes, new: list[Row]) -> bytes:
    """Return the file with these program headers, as many as it had."""
    (bits, order), (at, count, size) = form_of(data), table(data)
    assert len(new) == count
    out = bytearray(data)
    for number, row in enumerate(new):
        packed = SEGMENT[bits].pack(order, row._asdict())
        out[at + number * size : at + number * size + len(packed)] = packed
    return bytes(out)


def memory(data: bytes) -> list[MemoryRun]:
    """Return the memory of the PT_LOADs, in their order; contiguous ones are joined, so that splits do not show."""
    top = 1 << form_of(data)[0]
    out: list[MemoryRun] = []
    for row in rows(data):
        if row.type != PT_LOAD:
            continue
        held = data[row.offset : row.offset + row.filesz] if row.filesz else b""
        run = MemoryRun(row.flags, row.vaddr, row.paddr, held, row.filesz - len(held), row.memsz)
        if out and _goes_on(out[-1], run, top):
            last = out.pop()
            run = last._replace(
                held=last.held + run.held, lacking=last.lacking + run.lacking, memsz=last.memsz + run.memsz
            )
        out.append(run)
    return out


def _goes_on(last: MemoryRun, run: MemoryRun, top: int) -> bool:
    length = len(last.held) + last.lacking
    virtual = last.vaddr + length if last.vaddr or not last.paddr else 0
    return (
        last.memsz == length > 0
        and (run.flags, run.vaddr, run.paddr) == (last.flags, virtual % top, (last.paddr + length) % top)
        and not (last.lacking and run.held)
        and len(run.held) + run.lacking > 0
    )


def read_at(data: bytes, address: int, length: int, virtual: bool) -> list[bytes]:
    """Return the bytes that each header that covers `address` has there, up to its end."""
    out = []
    for row in rows(data):
        start = row.vaddr if virtual else row.paddr
        if row.type == PT_LOAD and start <= address < start + row.filesz:
            at = row.offset + address - start
            out.append(data[at : at + min(length, start + row.filesz - address)])
    return out
