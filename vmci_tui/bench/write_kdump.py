"""Write parts as a kdump-compressed file, plain or flattened."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from typing import Any, Final

from vmci_tui.bench.parts import KdumpForm, Load, Parts
from vmci_tui.formats import flattened_records
from vmci_tui.formats.elf_note import HEADER, align_up
from vmci_tui.formats.flattened_records import END, HEADER_SIZE, RECORD
from vmci_tui.formats.kdump_records import SIGNATURE, ZLIB, DiskDumpHeader, KdumpFormat, KdumpSubHeader
from vmci_tui.machines.lookup import machine_facts

_RECORD: Final = 16384
"""Bytes of a record of a flattened file, as QEMU writes them."""
_WITH_NOTES: Final = 4
"""The first header version that has notes."""
_NAME: Final = 64
"""Bytes of a name of utsname, without its NUL."""
_LEFT: Final = 100
"""Bytes of the broken page that are in the file."""


def kdump_bytes(parts: Parts, form: KdumpForm, loads: Iterable[Load]) -> bytes:
    """Return the whole file. If two ranges overlap, the later one counts: a page is in the file once."""
    lay, block = KdumpFormat(64 if parts.bits == 64 else 32, parts.order), form.block_size
    notes = b"".join(parts.cpus) + parts.before + (b"" if parts.absent else parts.note) + parts.after
    notes = notes[: len(notes) - parts.trimmed] if form.version >= _WITH_NOTES else b""
    pages = _pages(loads, block)
    mapnr = max(pages, default=0) + 1
    length = lay.sub_header.size
    blocks = -(-(length + (0 if form.notes_after_memory else len(notes))) // block)
    bitmap = _bitmap(pages, block)
    table = (1 + blocks) * block + 2 * len(bitmap)
    memory = _memory(lay, pages, table, form.broken)
    at = table + len(memory) if form.notes_after_memory else block + length

    header = DiskDumpHeader(
        SIGNATURE, form.version, *_utsname(parts, form.names), seconds=0, microseconds=0, status=ZLIB,
        block_size=block, sub_hdr_size=blocks, bitmap_blocks=2 * len(bitmap) // block, max_mapnr=mapnr,
        total_ram_blocks=0, device_blocks=0, written_blocks=0, current_cpu=0, nr_cpus=1,
    )  # fmt: skip
    start = at + sum(map(len, parts.cpus)) + len(parts.before) + HEADER + align_up(len(parts.name))
    sub = KdumpSubHeader(phys_base=_phys_base(parts) % (1 << parts.bits), dump_level=1, max_mapnr_64=mapnr)
    if notes:
        sub = sub._replace(offset_note=at, size_note=len(notes))
    if notes and not parts.absent:
        sub = sub._replace(offset_vmcoreinfo=start, size_vmcoreinfo=len(parts.text))
    fields: dict[str, Any] = dict(form.head)
    top = lay.header.pack(*header._replace(**fields))
    second = lay.sub_header.pack(*sub._replace(**dict(form.sub)))
    if not form.notes_after_memory:
        second += notes
    out = top.ljust(block, b"\0") + second.ljust(blocks * block, b"\0") + 2 * bitmap + memory
    out += notes if form.notes_after_memory else b""
    return _flattened(out, form.end) if form.flattened else out


def _pages(loads: Iterable[Load], block: int) -> dict[int, bytes]:
    """Return memory in blocks, by number; bytes outside the ranges are 0."""
    found: dict[int, bytearray] = {}
    for load in loads:
        done = 0
        while done < len(load.data):
            pfn, within = divmod(load.paddr + done, block)
            piece = load.data[done : done + block - within]
            found.setdefault(pfn, bytearray(block))[within : within + len(piece)] = piece
            done += len(piece)
    return {pfn: bytes(found[pfn]) for pfn in sorted(found)}


def _bitmap(pages: Iterable[int], block: int) -> bytes:
    """Return one of the two bitmaps, which are equal: all memory is in the file."""
    out = bytearray(align_up(max(pages, default=0) // 8 + 1, block))
    for pfn in pages:
        out[pfn >> 3] |= 1 << (pfn & 7)
    return bytes(out)


def _memory(lay: KdumpFormat, pages: dict[int, bytes], table: int, broken: int | None) -> bytes:
    """Return the page descriptors, which begin at `table`, and the compressed pages."""
    descriptors, compressed = b"", [zlib.compress(raw) for raw in pages.values()]
    at = table + len(pages) * lay.page.size
    end = at + sum(map(len, compressed))
    for (pfn, raw), data in zip(pages.items(), compressed, strict=True):
        over = broken is not None and pfn == broken // len(raw)
        descriptors += lay.page.pack(*((end - _LEFT, len(raw), 0, 0) if over else (at, len(data), ZLIB, 0)))
        at += len(data)
    return descriptors + b"".join(compressed)


def _utsname(parts: Parts, names: bool) -> tuple[bytes, bytes, bytes, bytes, bytes, bytes]:
    """Return the names as in guest memory; QEMU writes only the machine."""
    machine = machine_facts(parts.machine).uname or parts.machine.encode()
    if not names:
        return b"", b"", b"", b"", machine, b""
    found = re.search(rb"(?m)^OSRELEASE=([^\n\0]+)", parts.text)
    return b"Linux", b"guest", found[1][:_NAME] if found else b"unknown", b"#1 SMP Debian", machine, b"(none)"


def _phys_base(parts: Parts) -> int:
    """Return phys_base of the text; only x86-64 has one."""
    found = re.search(rb"(?m)^NUMBER\(phys_base\)=(-?[0-9]{1,20})$", parts.text)
    return int(found[1]) if found and parts.machine == "x86_64" else 0


def _flattened(plain: bytes, end: bool) -> bytes:
    """Return the file as records, in order."""
    out = flattened_records.HEADER.pack(flattened_records.SIGNATURE, 1, 1).ljust(HEADER_SIZE, b"\0")
    for at in range(0, len(plain), _RECORD):
        data = plain[at : at + _RECORD]
        out += RECORD.pack(at, len(data)) + data
    return out + (END if end else b"")
