"""Mutate the samples with a seed: each number is one case, the same on every machine.

It knows the offsets of the fields, so that most cases keep the magic and damage what comes
after it: ELF header, program and section headers, PN_XNUM, note headers, names, texts,
blobs and write JSON.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Final, Literal, NamedTuple

from tests.dumps import factory
from tests.dumps.records import ELF_HEADER, NOTE_NAME, SECTION, SEGMENT, Bits, Order, Record
from tests.faults import corpus
from tests.paths import SAMPLES

_SEED_BYTES: Final = 48 << 10
"""Bytes of a sample that are mutated: its headers and some memory."""

_TEXT_BYTES: Final = 1 << 20
"""Longest text, in bytes: a line made 400 times as long repeatedly would test this machine's memory."""

EDGES: Final[tuple[int, ...]] = tuple(
    value
    for power in (0, 8, 12, 16, 20, 26, 31, 32, 33, 40, 62, 63, 64)
    for near in (-2, -1, 0, 1, 2)
    if (value := (1 << power) + near) >= 0
)
"""Numbers near the limits of widths and signs."""


class Case(NamedTuple):
    """A file to open, and its entry, if any."""

    kind: Literal["dump", "blob", "writes"]
    data: bytes
    blob: bytes | None = None


class _Fields(NamedTuple):
    """The offsets and widths of a record's fields; names are not needed here."""

    header: tuple[tuple[int, int], ...]
    segment: tuple[tuple[int, int], ...]
    section: tuple[tuple[int, int], ...]
    segment_size: int
    section_size: int


def _places(record: Record) -> tuple[tuple[int, int], ...]:
    return tuple((field.at, field.size) for field in record.fields.values())


def _fields(bits: Bits) -> _Fields:
    segment, section = SEGMENT[bits], SECTION[bits]
    return _Fields(_places(ELF_HEADER[bits]), _places(segment), _places(section), segment.size, section.size)


class _Elf:
    """A dump under mutation; it parses only the headers that mutations need."""

    def __init__(self, data: bytes) -> None:
        self.data = bytearray(data)
        self.bits: Bits = 32 if data[4:5] == b"\x01" else 64
        self.order: Order = "big" if data[5:6] == b"\x02" else "little"
        self.fields = _fields(self.bits)

    def get(self, at: int, width: int) -> int:
        return int.from_bytes(self.data[at : at + width], self.order)

    def put(self, at: int, width: int, value: int) -> None:
        if 0 <= at <= len(self.data) - width:
            self.data[at : at + width] = (value % (1 << 8 * width)).to_bytes(width, self.order)

    def header(self, index: int) -> int:
        return self.get(*self.fields.header[index])

    def records(self, table: int, count: int, size: int) -> list[int]:
        """Return the offsets of the first whole records of the table at header field `table`."""
        start = self.header(table)
        return [start + n * size for n in range(min(self.header(count), 64)) if start + (n + 1) * size < len(self.data)]

    @property
    def segments(self) -> list[int]:
        return self.records(4, 9, self.fields.segment_size)

    @property
    def sections(self) -> list[int]:
        return self.records(5, 11, self.fields.section_size)

    @property
    def notes(self) -> list[int]:
        """Return the offsets of the note headers, up to the first inconsistent one."""
        out: list[int] = []
        offset, filesz = (self.fields.segment[2], self.fields.segment[5])
        if self.bits == 32:
            offset, filesz = self.fields.segment[1], self.fields.segment[4]
        for at in self.segments:
            if self.get(at, 4) == 4:
                place = self.get(at + offset[0], offset[1])
                end = min(place + self.get(at + filesz[0], filesz[1]), len(self.data))
                while place + 12 <= end and len(out) < 64:
                    out.append(place)
                    place += 12 + sum(-(-self.get(place + 4 * word, 4) // 4) * 4 for word in (0, 1))
        return out


def _number(rng: Random, old: int, width: int, size: int) -> int:
    return rng.choice(
        (
            rng.choice(EDGES),
            rng.choice(EDGES),
            -rng.choice(EDGES),
            old + rng.choice((-8, -4, -1, 1, 3, 4, 8, 4096)),
            old ^ (1 << rng.randrange(8 * width)),
            size + rng.choice((-1, 0, 1)),
            rng.randrange(size + 1),
            rng.getrandbits(8 * width),
        )
    )


def _hit(elf: _Elf, rng: Random, at: int, field: tuple[int, int]) -> None:
    place, width = at + field[0], field[1]
    elf.put(place, width, _number(rng, elf.get(place, width), width, len(elf.data)))


def _header(elf: _Elf, rng: Random) -> None:
    _hit(elf, rng, 0, rng.choice(elf.fields.header))


def _ident(elf: _Elf, rng: Random) -> None:
    elf.data[rng.choice((4, 5, 6, 7, rng.randrange(16)))] = rng.choice((0, 1, 2, 3, 255))


def _machine(elf: _Elf, rng: Random) -> None:
    elf.put(18, 2, rng.choice((0, 2, 3, 8, 20, 21, 22, 40, 62, 94, 183, 243, 258, 0x9026, 0xFFFF)))


def _segment(elf: _Elf, rng: Random) -> None:
    if elf.segments:
        _hit(elf, rng, rng.choice(elf.segments), rng.choice(elf.fields.segment))


def _all_segments(elf: _Elf, rng: Random) -> None:
    field, value = rng.choice(elf.fields.segment), rng.choice(EDGES)
    for at in elf.segments:
        elf.put(at + field[0], field[1], value)


def _swap_segments(elf: _Elf, rng: Random) -> None:
    if len(elf.segments) > 1:
        a, b = rng.sample(elf.segments, 2)
        size = elf.fields.segment_size
        elf.data[a : a + size], elf.data[b : b + size] = elf.data[b : b + size], elf.data[a : a + size]


def _one_kind(elf: _Elf, rng: Random) -> None:
    kind = rng.choice((1, 4, 4, 0, 6))
    for at in elf.segments:
        if rng.random() < 0.7:
            elf.put(at, 4, kind)


def _section(elf: _Elf, rng: Random) -> None:
    if elf.sections:
        _hit(elf, rng, rng.choice(elf.sections), rng.choice(elf.fields.section))


def _new_sections(elf: _Elf, rng: Random) -> None:
    """Add section headers over bytes of another meaning."""
    elf.put(*elf.fields.header[5], rng.randrange(len(elf.data)))
    elf.put(*elf.fields.header[10], rng.choice((elf.fields.section_size, 0, 65535)))
    elf.put(*elf.fields.header[11], rng.choice((1, 2, 7, 4096, 4097, 65535)))


def _xnum(elf: _Elf, rng: Random) -> None:
    """Set PN_XNUM, with any number in section 0."""
    elf.put(*elf.fields.header[9], 0xFFFF)
    if not elf.sections:
        elf.put(*elf.fields.header[5], len(elf.data))
        elf.put(*elf.fields.header[11], 1)
        elf.data += bytes(elf.fields.section_size)
    info = elf.fields.section[7]
    elf.put(elf.header(5) + info[0], 4, rng.choice((0, 1, len(elf.segments), 0xFFFE, 0xFFFF, 1 << 20, 0xFFFFFFFF)))


def _note_words(elf: _Elf, rng: Random) -> None:
    if elf.notes:
        _hit(elf, rng, rng.choice(elf.notes), (4 * rng.randrange(3), 4))


def _note_swapped(elf: _Elf, rng: Random) -> None:
    if elf.notes:
        at = rng.choice(elf.notes)
        for word in range(3):
            elf.data[at + 4 * word : at + 4 * word + 4] = elf.data[at + 4 * word : at + 4 * word + 4][::-1]


def _note_name(elf: _Elf, rng: Random) -> None:
    if elf.notes:
        at = rng.choice(elf.notes)
        name = rng.choice((*corpus.NOTE_NAMES, b"VMCOREINFO\0", b"VMCOREINFO", b"VMCOREINFO_XEN\0", b"CORE\0"))
        if rng.random() < 0.7:
            elf.put(at, 4, len(name))
        elf.data[at + 12 : at + 12 + len(name)] = name


def _bytes(elf: _Elf, rng: Random) -> None:
    for _ in range(rng.choice((1, 3, 16))):
        elf.data[rng.randrange(min(len(elf.data), 8192))] = rng.randrange(256)


def _cut(elf: _Elf, rng: Random) -> None:
    del elf.data[rng.choice((rng.randrange(64), rng.randrange(1024), rng.randrange(len(elf.data)))) :]


def _copy(elf: _Elf, rng: Random) -> None:
    """Copy bytes from one offset to another."""
    at, to, length = rng.randrange(len(elf.data)), rng.randrange(min(len(elf.data), 4096)), rng.choice((12, 56, 600))
    elf.data[to : to + length] = elf.data[at : at + length]


_DAMAGE: Final[tuple[Callable[[_Elf, Random], None], ...]] = (
    _header, _header, _ident, _machine, _segment, _segment, _segment, _all_segments, _swap_segments, _one_kind,
    _section, _new_sections, _xnum, _note_words, _note_words, _note_swapped, _note_name, _bytes, _cut, _copy,
)  # fmt: skip


def _damaged(data: bytes, rng: Random) -> bytes:
    elf = _Elf(data)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 6))):
        if len(elf.data) >= 64:
            rng.choice(_DAMAGE)(elf, rng)
    return bytes(elf.data)


def damaged_text(text: bytes, rng: Random) -> bytes:
    """Return a vmcoreinfo text with a few faults."""
    lines = text.split(b"\n")
    for _ in range(rng.choice((1, 2, 5))):
        at = rng.randrange(len(lines))
        line = lines[at]
        hostile = rng.choice(tuple(corpus.TEXTS.values()))
        key, _, value = line.partition(b"=")
        lines[at] = rng.choice(
            (
                key + b"=" + hostile,
                hostile + b"=" + value,
                hostile,
                line + b"\r",
                key,
                b"=" + value,
                key + b"==" + value,
                key + b"=" + value * rng.choice((2, 40, 400)),
                key + b"=" + str(rng.choice(EDGES)).encode(),
                key + b"=-0x" + value,
                b"PAGESIZE=" + rng.choice((b"0", b"3", b"4096", b"9" * 5000, b"-1", b"")),
                b"",
                line + b"\n" + line,
                b"\0" * rng.choice((1, 300)),
                rng.randbytes(rng.choice((1, 30, 300))),
            )
        )
    out = b"\n".join(lines)[:_TEXT_BYTES]
    if rng.random() < 0.03:
        out = rng.choice((lambda: out * 40, lambda: b"K=1\n" * 3000, lambda: b"\n" * 5000, lambda: b"x\n" * 3000))()
    return out[: rng.randrange(len(out) + 1)] if rng.random() < 0.1 else out


def _crafted(rng: Random) -> bytes:
    """Return a dump of the factory with a hostile text, name, class or order."""
    orders: tuple[Order, Order] = "little", "big"
    widths: tuple[Bits, Bits] = 32, 64
    order, bits = rng.choice(orders), rng.choice(widths)
    text = damaged_text(rng.choice(_texts()), rng)
    name = rng.choice((NOTE_NAME, NOTE_NAME, NOTE_NAME, *corpus.NOTE_NAMES[:4], b"VMCOREINFO", b""))
    notes = [
        factory.note(text, name, rng.choice((0, 0, 1, 1 << 31)), order=rng.choice((order, order, *orders)))
        for _ in range(rng.choice((1, 1, 1, 2, 3)))
    ]
    loads = [
        factory.Load(rng.choice(EDGES) % (1 << bits), bytes(rng.choice((0, 64, 4096))), vaddr=0)
        for _ in range(rng.choice((0, 1, 1, 4)))
    ]
    return factory.elf(
        rng.choice(([b"".join(notes)], notes, [factory.cpus(2, order), *notes], [])),
        loads,
        bits=bits,
        order=order,
        machine=rng.choice((3, 21, 22, 40, 62, 183)),
        qemu=rng.random() < 0.5,
        p_align=rng.choice((0, 1, 4, 8, 4096)),
        note_first=rng.random() < 0.7,
        notes_behind=rng.random() < 0.2,
        gap=rng.choice((0, 0, 1, 4096)),
        sections=[bytes(100)] * rng.choice((0, 0, 0, 3)),
    )


def hostile_blob(rng: Random) -> bytes:
    """Return a blob: mostly 16 bytes with fields at a limit, sometimes of another length."""
    fields = (rng.choice(EDGES) % (1 << 8 * width) for width in (2, 2, 4, 8))
    data = struct.pack("<HHIQ", *fields)
    if rng.random() < 0.3:
        data = data[: rng.randrange(17)] + rng.randbytes(rng.choice((0, 1, 16, 48, 5000)))
    return data


def _write(rng: Random) -> object:
    length = rng.choice((0, 1, 2, 8, 15, 16, 17, 20))
    write: dict[str, object] = {"offset": rng.choice((0, 0, 0, 1, 8, 16, 1 << 31)), "length": length}
    write["bytes"] = rng.randbytes(length).hex()
    if rng.random() < 0.4:
        write[rng.choice(tuple(write))] = rng.choice(
            (None, True, -1, 1.5, 1e300, "0x10", "zz", "\u202e\x1b[31m", [], {}, *EDGES)
        )
    if rng.random() < 0.1:
        write.pop(rng.choice(tuple(write)))
    return rng.choice((write, write, write, {"write": write}, {"write": None}, None, [write], "x", 7))


def hostile_writes(rng: Random) -> bytes:
    """Return a `.write.json` with wrong values, shape or bytes."""
    data = json.dumps([_write(rng) for _ in range(rng.choice((0, 1, 1, 2, 7)))], ensure_ascii=rng.random() < 0.5)
    out = data.encode("utf-8", "surrogatepass")
    return rng.choice(
        (
            lambda: out,
            lambda: out,
            lambda: out[: rng.randrange(len(out) + 1)],
            lambda: b"[" * 5000 + out,
            lambda: out.replace(b"16", b"9" * 5000),
            lambda: rng.randbytes(40),
            lambda: b"\xff\xfe" + out,
            lambda: b"\xef\xbb\xbf" + out,
        )
    )()


@cache
def _dumps() -> tuple[bytes, ...]:
    found = []
    for path in sorted(path for path in SAMPLES.iterdir() if path.is_file()):
        with path.open("rb") as file:
            data = file.read(_SEED_BYTES)
        if data.startswith(b"\x7fELF"):
            found.append(data)
    return tuple(found)


@cache
def _texts() -> tuple[bytes, ...]:
    return (factory.TEXT_64, factory.TEXT_32, corpus.TEXT)


def case(seed: int, number: int) -> Case:
    """Return case `number` of campaign `seed`."""
    rng = Random(f"{seed}:{number}")
    blob = hostile_blob(rng) if rng.random() < 0.2 else None
    what = rng.random()
    if what < 0.06:
        return Case("blob", hostile_blob(rng))
    if what < 0.12:
        return Case("writes", hostile_writes(rng))
    if what < 0.5:
        return Case("dump", _crafted(rng), blob)
    if what < 0.65:
        return Case("dump", _damaged(_crafted(rng), rng), blob)
    return Case("dump", _damaged(rng.choice(_dumps()), rng), blob)
