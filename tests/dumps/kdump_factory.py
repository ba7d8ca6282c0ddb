"""Builds kdump files with struct alone, so that no fault of `vmci_tui` can hide in its own tests.

`kdump` makes a plain file of any width, byte order and version; `flattened` the records of one,
in any order and of any size. Every damage is a keyword, or a change of the bytes after.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Literal

from tests.dumps.factory import Bits, Order, cpus, note, ram

Compress = Callable[[bytes], bytes]
Padding = Literal["packed", "padded"]
ZLIB, LZO, SNAPPY, INCOMPLETE, ZSTD = 1, 2, 4, 8, 0x20
UTS = ("sysname", "nodename", "release", "version", "machine", "domainname")

# Offsets by hand, from the C structures; what is not named here is 0.
_HEAD = {
    64: {"status": 424, "block_size": 428, "sub_hdr_size": 432, "bitmap_blocks": 436, "max_mapnr": 440, "nr_cpus": 460},
    32: {"status": 412, "block_size": 416, "sub_hdr_size": 420, "bitmap_blocks": 424, "max_mapnr": 428, "nr_cpus": 448},
}
SUB: dict[tuple[Bits, Padding], dict[str, tuple[int, str, int]]] = {
    (64, "packed"): {
        "phys_base": (0, "Q", 0), "dump_level": (8, "i", 1), "split": (12, "i", 2), "start_pfn": (16, "Q", 2),
        "end_pfn": (24, "Q", 2), "offset_vmcoreinfo": (32, "Q", 3), "size_vmcoreinfo": (40, "Q", 3),
        "offset_note": (48, "Q", 4), "size_note": (56, "Q", 4), "offset_eraseinfo": (64, "Q", 5),
        "size_eraseinfo": (72, "Q", 5), "start_pfn_64": (80, "Q", 6), "end_pfn_64": (88, "Q", 6),
        "max_mapnr_64": (96, "Q", 6),
    },
    (32, "packed"): {
        "phys_base": (0, "I", 0), "dump_level": (4, "i", 1), "split": (8, "i", 2), "start_pfn": (12, "I", 2),
        "end_pfn": (16, "I", 2), "offset_vmcoreinfo": (20, "Q", 3), "size_vmcoreinfo": (28, "I", 3),
        "offset_note": (32, "Q", 4), "size_note": (40, "I", 4), "offset_eraseinfo": (44, "Q", 5),
        "size_eraseinfo": (52, "I", 5), "start_pfn_64": (56, "Q", 6), "end_pfn_64": (64, "Q", 6),
        "max_mapnr_64": (72, "Q", 6),
    },
    (32, "padded"): {
        "phys_base": (0, "I", 0), "dump_level": (4, "i", 1), "split": (8, "i", 2), "start_pfn": (12, "I", 2),
        "end_pfn": (16, "I", 2), "offset_vmcoreinfo": (24, "Q", 3), "size_vmcoreinfo": (32, "I", 3),
        "offset_note": (40, "Q", 4), "size_note": (48, "I", 4), "offset_eraseinfo": (56, "Q", 5),
        "size_eraseinfo": (64, "I", 5), "start_pfn_64": (72, "Q", 6), "end_pfn_64": (80, "Q", 6),
        "max_mapnr_64": (88, "Q", 6),
    },
}  # fmt: skip
SUB_SIZE = {(64, "packed"): 104, (32, "packed"): 80, (32, "padded"): 96}


def pages(*pfns: int, block: int = 4096) -> dict[int, bytes]:
    """Pages of which no two are the same, each compressible."""
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
    """A plain file. `part` makes it one of a split dump; `head` and `sub` override fields after all else.

    `named` is a text behind the notes that only the header names, `erased` eraseinfo behind that.
    """
    e = "<" if order == "little" else ">"
    memory = pages(0, 1, 2, 5, 40, block=block) if memory is None else memory
    notes = [cpus(order=order), note(order=order)] if notes is None else notes
    last = max_mapnr if max_mapnr is not None else max(memory, default=0) + 1
    area = b"".join(notes)
    size = SUB_SIZE[bits, padding]
    sub_blocks = -(-(size + len(area) + len(named) + len(erased)) // block)
    one = -(-last // (8 * block))
    bitmap = bytearray(one * block)
    for pfn in memory:
        bitmap[pfn >> 3] |= 1 << (pfn & 7)
    table_at = (1 + sub_blocks + bitmaps * one) * block
    held = sorted(pfn for pfn in memory if part is None or part[0] <= pfn < part[1])
    table, data, at = b"", b"", table_at + 24 * len(held)
    zero: tuple[int, int, int] | None = None
    for pfn in held:
        raw = memory[pfn]
        small = compress(raw) if compress else raw
        where = (at, len(small), flag) if len(small) < len(raw) else (at, len(raw), 0)
        if not any(raw) and zero is not None:
            where = zero
        else:
            data += small if where[2] else raw
            at += where[1]
            zero = where if not any(raw) else zero
        table += struct.pack(e + "QIIQ", *where, 0)

    out = bytearray(table_at)
    out[:12] = struct.pack(e + "8si", b"KDUMP   ", version)
    for index, name in enumerate(UTS):
        value = (uts if uts is not None else {"machine": b"x86_64" if bits == 64 else b"i686"}).get(name, b"")
        out[12 + 65 * index : 12 + 65 * index + len(value)] = value
    fields = {
        "status": flag, "block_size": block, "sub_hdr_size": sub_blocks, "bitmap_blocks": bitmaps * one,
        "max_mapnr": min(last, 0xFFFFFFFF), "nr_cpus": 1, **(head or {}),
    }  # fmt: skip
    for name, value in fields.items():
        struct.pack_into(e + "I", out, _HEAD[bits][name], value & 0xFFFFFFFF)
    text = area.rfind(b"OSRELEASE=")
    starts = {"start_pfn": part[0], "end_pfn": part[1], "start_pfn_64": part[0], "end_pfn_64": part[1]} if part else {}
    values = {
        "dump_level": 1, "split": int(part is not None), "offset_note": block + size if area else 0,
        "size_note": len(area), "max_mapnr_64": last, **starts,
    }  # fmt: skip
    if text >= 0:
        start = area.rfind(b"VMCOREINFO\0") - 12
        (length,) = struct.unpack_from(e + "I", area, start + 4)
        values |= {"offset_vmcoreinfo": block + size + text, "size_vmcoreinfo": length}
    behind = block + size + len(area)
    if named:
        values |= {"offset_vmcoreinfo": behind, "size_vmcoreinfo": len(named)}
    if erased:
        values |= {"offset_eraseinfo": behind + len(named), "size_eraseinfo": len(erased)}
    for name, value in {**values, **(sub or {})}.items():
        offset, code, since = SUB[bits, padding][name]
        if version >= since:
            struct.pack_into(e + code, out, block + offset, value)
    out[block + size : behind + len(named) + len(erased)] = area + named + erased
    start = (1 + sub_blocks) * block
    out[start : start + bitmaps * one * block] = bytes(bitmap) * bitmaps
    return bytes(out) + table + data


def flattened(
    plain: bytes,
    cuts: Sequence[int] = (464, 4096, 4200),
    order: Sequence[int] | None = None,
    end: bytes | None = struct.pack(">qq", -1, -1),
    kind: int = 1,
    version: int = 1,
) -> bytes:
    """The file as records, cut at these offsets of the plain file, in this order; with the end mark, or other bytes."""
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
