"""Build kdump files from the records of tests alone, so that no bug of `vmci_tui` can hide in its own tests.

`kdump` makes a plain file of any width, byte order and version; `flattened` the records of one,
in any order and of any size. Every damage is a keyword, or a change of the bytes after.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from tests.dumps.factory import cpus, note, ram
from tests.dumps.records import (
    KDUMP_HEADER,
    KDUMP_SUB,
    NOTE,
    NOTE_NAME,
    PAGE_DESCRIPTOR,
    SINCE,
    UTS,
    UTS_SIZE,
    Bits,
    Order,
    Padding,
)

Compress = Callable[[bytes], bytes]
ZLIB, LZO, SNAPPY, INCOMPLETE, ZSTD = 1, 2, 4, 8, 0x20


@lru_cache(2)
def _once(compress: Compress, page: bytes) -> bytes:
    """Compress a page, once for equal pages."""
    return compress(page)


def pages(*pfns: int, block: int = 4096) -> dict[int, bytes]:
    """Return pages of which no two are equal, each compressible."""
    return {pfn: ram(512, pfn + 1).ljust(block, bytes([pfn % 251])) for pfn in pfns}


def kdump(
    memory: Mapping[int, bytes] | None = None,
    notes: Sequence[bytes] | None = None,
    bits: Bits = 64,
    order: Order = "little",
    padding: Padding = "packed",
    version: int = 6,
    block: int = 4096,
    compress: Compress | None = zlib.compress,
    flag: int = ZLIB,
    max_mapnr: int | None = None,
    bitmaps: int = 2,
    part: tuple[int, int] | None = None,
    uts: Mapping[str, bytes] | None = None,
    head: Mapping[str, int] | None = None,
    sub: Mapping[str, int] | None = None,
    named: bytes = b"",
    erased: bytes = b"",
) -> bytes:
    """Return a plain file. `part` makes it one of a split dump; `head` and `sub` override any field.

    `named` is a text after the notes that only the header names, `erased` the eraseinfo after that.
    """
    memory = pages(0, 1, 2, 5, 40, block=block) if memory is None else memory
    notes = [cpus(order=order), note(order=order)] if notes is None else notes
    last = max_mapnr if max_mapnr is not None else max(memory, default=0) + 1
    area = b"".join(notes)
    record = KDUMP_SUB[bits, padding]
    size = record.size
    sub_blocks = -(-(size + len(area) + len(named) + len(erased)) // block)
    one = -(-last // (8 * block))
    bitmap = bytearray(one * block)
    for pfn in memory:
        bitmap[pfn >> 3] |= 1 << (pfn & 7)
    table_at = (1 + sub_blocks + bitmaps * one) * block
    held = sorted(pfn for pfn in memory if part is None or part[0] <= pfn < part[1])
    table, data, at = bytearray(), bytearray(), table_at + PAGE_DESCRIPTOR.size * len(held)
    zero: tuple[int, int, int] | None = None
    for pfn in held:
        raw = memory[pfn]
        small = _once(compress, raw) if compress else raw
        is_zero = not raw.strip(b"\0")
        where = (at, len(small), flag) if len(small) < len(raw) else (at, len(raw), 0)
        if is_zero and zero is not None:
            where = zero
        else:
            data += small if where[2] else raw
            at += where[1]
            zero = where if is_zero else zero
        table += PAGE_DESCRIPTOR.pack(order, dict(zip(("offset", "size", "flags"), where, strict=True)))

    out = bytearray(table_at)
    fields = {
        "version": version, "status": flag, "block_size": block, "sub_hdr_size": sub_blocks,
        "bitmap_blocks": bitmaps * one, "max_mapnr": min(last, 0xFFFFFFFF), "nr_cpus": 1, **(head or {}),
    }  # fmt: skip
    packed = KDUMP_HEADER[bits].pack(order, fields)
    out[: len(packed)] = packed
    out[:8] = b"KDUMP   "
    for index, name in enumerate(UTS):
        word = (uts if uts is not None else {"machine": b"x86_64" if bits == 64 else b"i686"}).get(name, b"")
        out[12 + UTS_SIZE * index : 12 + UTS_SIZE * index + len(word)] = word
    text = area.rfind(b"OSRELEASE=")
    starts = {"start_pfn": part[0], "end_pfn": part[1], "start_pfn_64": part[0], "end_pfn_64": part[1]} if part else {}
    values = {
        "dump_level": 1, "split": int(part is not None), "offset_note": block + size if area else 0,
        "size_note": len(area), "max_mapnr_64": last, **starts,
    }  # fmt: skip
    if text >= 0:
        length = NOTE.unpack(order, area, area.rfind(NOTE_NAME) - NOTE.size)["descsz"]
        values |= {"offset_vmcoreinfo": block + size + text, "size_vmcoreinfo": length}
    behind = block + size + len(area)
    if named:
        values |= {"offset_vmcoreinfo": behind, "size_vmcoreinfo": len(named)}
    if erased:
        values |= {"offset_eraseinfo": behind + len(named), "size_eraseinfo": len(erased)}
    for name, value in {**values, **(sub or {})}.items():
        if version >= SINCE[name]:
            record.put(order, out, name, value, block)
    out[block + size : behind + len(named) + len(erased)] = area + named + erased
    start = (1 + sub_blocks) * block
    out[start : start + bitmaps * one * block] = bytes(bitmap) * bitmaps
    return bytes(out + table + data)


def flattened(
    plain: bytes,
    cuts: Sequence[int] = (464, 4096, 4200),
    order: Sequence[int] | None = None,
    end: bytes | None = struct.pack(">qq", -1, -1),
    kind: int = 1,
    version: int = 1,
) -> bytes:
    """Return the file as records, split at these offsets of the plain file, in this order, and the end mark."""
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(plain)}), len(plain)]
    parts = [(start, plain[start:stop]) for start, stop in pairwise(edges)]
    return of_records([parts[index] for index in order or range(len(parts))], end, kind, version)


def of_records(
    records: Sequence[tuple[int, bytes]],
    end: bytes | None = struct.pack(">qq", -1, -1),
    kind: int = 1,
    version: int = 1,
) -> bytes:
    head = struct.pack(">16sqq", b"makedumpfile", kind, version).ljust(4096, b"\0")
    body = b"".join(struct.pack(">qq", offset, len(data)) + data for offset, data in records)
    return head + body + (end or b"")
