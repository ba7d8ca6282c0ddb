"""Damage kdump files, each reproducible from its number: headers, bitmaps, descriptors, pages, records."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random
from typing import Final

import cramjam
import lzallright

from tests.dumps import factory as elf_factory
from tests.dumps import kdump_factory as factory
from tests.dumps.records import KDUMP_HEADER, KDUMP_SUB, PAGE_DESCRIPTOR, Bits, Order, Padding
from tests.zstd import zstd

_NUMBERS: Final = (0, 1, 2, 3, 4095, 4096, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 40, (1 << 63) - 1,
                   1 << 63, (1 << 64) - 1)  # fmt: skip
_COMPRESSIONS: Final[Sequence[tuple[Callable[[bytes], bytes], int]]] = (
    (zlib.compress, factory.ZLIB),
    (lzallright.LZOCompressor().compress, factory.LZO),
    (lambda data: bytes(cramjam.snappy.compress_raw(data)), factory.SNAPPY),
    (zstd.compress, factory.ZSTD),
)
_BOMBS: Final = (
    zlib.compress(bytes(3 << 20), 9), _COMPRESSIONS[1][0](bytes(600_000)), _COMPRESSIONS[2][0](bytes(65_536)),
    zstd.compress(bytes(64 << 20)), b"\xff\xff\xff\xff\x0f" + bytes(60),
)  # fmt: skip


_FORMS: Final[tuple[tuple[Bits, Order, Padding], ...]] = (
    (64, "little", "packed"), (64, "big", "packed"), (32, "little", "packed"), (32, "little", "padded"),
)  # fmt: skip


def case(seed: int, number: int) -> bytes:
    """Return the file of that number; every fourth is flattened, every thirty-second undamaged."""
    rng = Random(f"kdump {seed} {number}")
    bits, order, padding = rng.choice(_FORMS)
    compress, flag = rng.choice(_COMPRESSIONS)
    block = rng.choice((4096, 4096, 4096, 16384, 65536))
    memory = factory.pages(*rng.sample(range(rng.choice((40, 3000, 70_000))), rng.randrange(1, 12)), block=block)
    text = rng.choice((elf_factory.TEXT_64, elf_factory.TEXT_32, b"", b"\xff\0\x1b[31m\n" * 40))
    notes = [elf_factory.cpus(rng.randrange(3), order), elf_factory.note(text, order=order)]
    version = rng.choice((6, 6, 6, *range(6)))
    part = (rng.randrange(40), rng.randrange(3000)) if rng.random() < 0.1 else None
    plain = bytearray(factory.kdump(memory, notes, bits, order, padding, version, block, compress, flag, part=part))
    if number % 32:
        for _ in range(rng.choice((1, 1, 2, 3, 5))):
            _damage(rng, plain, bits, order, padding, block)
    data = bytes(plain)
    if number % 4 == 0:
        data = _flattened(rng, data, number % 32 != 0)
    if number % 32 and rng.random() < 0.1:
        data = data[: rng.randrange(16, len(data) + 1)]
    return data


def _damage(rng: Random, data: bytearray, bits: Bits, order: Order, padding: Padding, block: int) -> None:
    value = rng.choice((*_NUMBERS, rng.getrandbits(32), len(data), len(data) - rng.randrange(64)))
    header = KDUMP_HEADER[bits]
    table = (1 + header.unpack(order, data)["sub_hdr_size"]) * block
    kind = rng.randrange(8)
    if kind == 0:
        header.put(order, data, rng.choice(tuple(header.fields)[3:]), value)
    elif kind == 1:
        record = KDUMP_SUB[bits, padding]
        record.put(order, data, rng.choice(tuple(record.fields)), value, block)
    elif kind == 2:
        at = rng.randrange(len(data))
        data[at] = rng.randrange(256)
    elif kind == 3:  # the notes
        at = block + rng.randrange(min(900, len(data) - block))
        data[at : at + 4] = (value & 0xFFFFFFFF).to_bytes(4, order)
    elif kind == 4:  # the bitmaps
        at = min(table, len(data) - 64) + rng.randrange(64)
        fill = rng.choice((b"\xff", b"\x55", b"\0", b"\x01\x80"))
        length = rng.choice((1, 64, 4096))
        data[at : at + length] = (fill * length)[: len(data[at : at + length])]
    elif kind == 5:  # the page descriptors, which are after both bitmaps
        blocks = header.unpack(order, data)["bitmap_blocks"]
        at = min(table + blocks * block, max(len(data) - 24, 0)) + 24 * rng.randrange(4)
        at = max(min(at, len(data) - 24), 0)
        PAGE_DESCRIPTOR.put(order, data, rng.choice(tuple(PAGE_DESCRIPTOR.fields)), value, at)
    elif kind == 6:  # a page
        bomb = rng.choice(_BOMBS)
        at = len(data) - rng.randrange(1, min(len(data) - 8192, 9000) + 1) if len(data) > 8200 else 0
        data[at : at + len(bomb)] = bomb[: len(data) - at]
    else:
        at = rng.randrange(len(data))
        data[at : at + 8] = rng.randbytes(min(8, len(data) - at))


def _flattened(rng: Random, plain: bytes, damaged: bool) -> bytes:
    cuts = sorted({464, 4096, 4200, 8192, *(rng.randrange(1, len(plain)) for _ in range(rng.randrange(9)))})
    edges = [0, *(cut for cut in cuts if cut < len(plain)), len(plain)]
    records = [(start, plain[start:stop]) for start, stop in pairwise(edges)]
    rng.shuffle(records)
    if not damaged:
        return factory.of_records(records)
    kind = rng.randrange(7)
    if kind == 0:
        records += [(rng.randrange(len(plain)), rng.randbytes(rng.randrange(200))) for _ in range(rng.randrange(1, 40))]
    elif kind == 1:
        records.insert(rng.randrange(len(records)), (rng.choice(_NUMBERS) % (1 << 63), b"x" * rng.randrange(9)))
    elif kind == 2:
        records += [(0, b"")] * rng.randrange(1, 3000)
    elif kind == 3:
        records.pop(rng.randrange(len(records)))
    end = rng.choice((struct.pack(">qq", -1, -1),) * 4 + (None, bytes(16), struct.pack(">qq", -1, 7)))
    data = bytearray(factory.of_records(records, end, rng.choice((1, 1, 1, 7)), rng.choice((1, 1, 1, 9))))
    if kind == 4:
        struct.pack_into(">q", data, 4096 + rng.choice((0, 8)), rng.choice(_NUMBERS) % (1 << 63))
    elif kind == 5:
        at = rng.randrange(4096, len(data))
        data[at : at + 16] = rng.randbytes(len(data[at : at + 16]))
    elif kind == 6:
        data = data[: rng.randrange(4096, len(data))]
    return bytes(data)
