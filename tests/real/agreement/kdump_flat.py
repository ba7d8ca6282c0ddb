"""Flatten a file, and damage its records, header and end mark."""

from __future__ import annotations

import random
import struct

HEAD = b"makedumpfile\0\0\0\0"
_HUGE = (1 << 63) - 1


class Flat:
    """Records that can be damaged: (offset, bytes, the size in its header or None)."""

    def __init__(self, records: list[tuple[int, bytes, int | None]]) -> None:
        self.records = records
        self.magic, self.kind, self.version = HEAD, 1, 1
        self.end: bytes = struct.pack(">qq", -1, -1)
        self.behind = b""
        self.cut = 0

    def bytes(self) -> bytes:
        out = [(self.magic + struct.pack(">qq", self.kind, self.version)).ljust(4096, b"\0")]
        for offset, data, size in self.records:
            out += [struct.pack(">qq", offset, len(data) if size is None else size), data]
        whole = b"".join([*out, self.end, self.behind])
        return whole[: len(whole) - self.cut]


def flatten(rng: random.Random, plain: bytes) -> Flat:
    """Records in the order of the file, or with the headers last, of random sizes; some zeros are left out."""
    size = rng.choice((4096, 4096, 10000, 65536, 1 << 20))
    starts = range(0, len(plain), size)
    records: list[tuple[int, bytes, int | None]] = [(at, plain[at : at + size], None) for at in starts]
    if rng.random() < 0.3:
        kept = [r for r in records if r[1].strip(b"\0")]
        if kept:
            records = kept
    if rng.random() < 0.3:
        records = records[1:] + records[:1]
    return Flat(records)


def damage(rng: random.Random, flat: Flat) -> str:
    """Damage the flattened form once; return a description."""
    if not flat.records:
        return f"flat-head: {_head(rng, flat)}"
    name, change = rng.choices(_DAMAGES, [weight for *_, weight in _ALL])[0]
    return f"flat-{name}: {change(rng, flat)}"


def _no_end(rng: random.Random, flat: Flat) -> str:
    flat.end = b""
    return "no end mark"


def _odd_end(rng: random.Random, flat: Flat) -> str:
    pair = rng.choice(((0, 0), (-1, 0), (0, -1), (-2, -1), (-1, 5), (1 << 40, 0)))
    flat.end = struct.pack(">qq", *pair)
    return str(pair)


def _end_and_more(rng: random.Random, flat: Flat) -> str:
    flat.behind = rng.randbytes(rng.choice((1, 16, 5000)))
    return f"{len(flat.behind)} bytes behind the end mark"


def _early_end(rng: random.Random, flat: Flat) -> str:
    at = rng.randrange(len(flat.records) + 1)
    flat.records[at:at] = [(-1, b"", -1)]
    return f"end mark at record {at}"


def _cut(rng: random.Random, flat: Flat) -> str:
    whole = len(flat.bytes())
    flat.cut = rng.choice((1, 8, 15, 16, 17, 4096, rng.randrange(whole), whole - 4096, whole - 4097, whole - 4100))
    flat.cut = min(max(flat.cut, 0), whole - 1)
    return f"{flat.cut} bytes"


def _head(rng: random.Random, flat: Flat) -> str:
    which = rng.randrange(3)
    if which == 0:
        flat.kind = rng.choice((0, 2, -1, 1 << 32, 1 << 56))
        return f"type {flat.kind}"
    if which == 1:
        flat.version = rng.choice((0, 2, 9, -1, 1 << 56))
        return f"version {flat.version}"
    flat.magic = rng.choice(
        (b"makedumpfile\0\0\0\1", b"makedumpfilf\0\0\0\0", b"makedumpfile    ", b"Makedumpfile\0\0\0\0")
    )
    return f"signature {flat.magic!r}"


def _offset(rng: random.Random, flat: Flat) -> str:
    at = rng.randrange(len(flat.records))
    offset, data, size = flat.records[at]
    new = rng.choice(
        (-1, -2, offset + 1, offset + 4096, max(offset - 1, 0), 0, 1 << 40, _HUGE, _HUGE - len(data), -_HUGE)
    )
    flat.records[at] = new, data, size
    return f"record {at} at {new}, not {offset}"


def _size(rng: random.Random, flat: Flat) -> str:
    at = rng.randrange(len(flat.records))
    offset, data, _ = flat.records[at]
    length = len(data)
    new = rng.choice(
        (0, -1, 1, length - 1, length + 1, length - 16, length + 16, length + 4096, 1 << 40, _HUGE, -_HUGE)
    )
    flat.records[at] = offset, data, new
    return f"record {at} says {new}, has {length}"


def _twice(rng: random.Random, flat: Flat) -> str:
    """Add a record over the start of another one, before or after it."""
    at = rng.randrange(min(len(flat.records), 3)) if rng.random() < 0.6 else rng.randrange(len(flat.records))
    offset, data, _ = flat.records[at]
    start = rng.choice((0, 0, 0, rng.randrange(max(len(data), 1))))
    piece = data[start : start + rng.choice((1, 16, 500, 4096, 1 << 20))]
    if rng.random() < 0.6:
        piece = rng.choice((bytes(len(piece)), rng.randbytes(len(piece)), piece))
    to = rng.choice((at, at + 1, len(flat.records)))
    flat.records[to:to] = [(offset + start, piece or b"\0", None)]
    return f"{len(piece)} bytes at {offset + start} again, as record {to}"


def _missing(rng: random.Random, flat: Flat) -> str:
    at = rng.randrange(min(len(flat.records), 4)) if rng.random() < 0.6 else rng.randrange(len(flat.records))
    if len(flat.records) > 1:
        del flat.records[at]
    return f"record {at}"


def _mixed(rng: random.Random, flat: Flat) -> str:
    rng.shuffle(flat.records)
    return "records in any order"


def _small(rng: random.Random, flat: Flat) -> str:
    """Use records of a few bytes, so that every structure spans several."""
    out: list[tuple[int, bytes, int | None]] = []
    step = rng.choice((100, 256, 1000))
    for offset, data, _ in flat.records[:6]:
        out += [(offset + at, data[at : at + step], None) for at in range(0, len(data), step)]
    flat.records[:6] = out
    return f"{step} bytes each"


def _empty(rng: random.Random, flat: Flat) -> str:
    flat.records = []
    return "no records"


_ALL = (
    ("no-end", _no_end, 4), ("odd-end", _odd_end, 4), ("end-and-more", _end_and_more, 3), ("early-end", _early_end, 3),
    ("cut", _cut, 5), ("head", _head, 5), ("offset", _offset, 6), ("size", _size, 6), ("twice", _twice, 10),
    ("missing", _missing, 5), ("mixed", _mixed, 6), ("small", _small, 6), ("empty", _empty, 1),
)  # fmt: skip
_DAMAGES = [(name, change) for name, change, _ in _ALL]
