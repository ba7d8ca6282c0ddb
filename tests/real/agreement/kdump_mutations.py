"""kdump files out of the bases, each damaged up to three times, plain or flattened: the same ones for the same seed."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.dumps.records import UTS, UTS_SIZE
from tests.real.agreement.kdump_bases import any_base, base, real_flattened
from tests.real.agreement.kdump_flat import damage, flatten
from tests.real.agreement.kdump_shape import HEADER, LZO, SNAPPY, SUB, ZLIB, ZSTD, KdumpShape
from tests.real.agreement.mutations import near
from tests.real.agreement.mutator import Mutant
from tests.real.agreement.note_mutations import losses, notes
from tests.real.agreement.text_mutations import text

KDUMP_READERS = ("crash", "drgn", "libkdumpfile", "makedumpfile")
"""The readers that open kdump files; the others report that it is not ELF."""
MEMORY = 2 << 30
"""Most bytes of memory that drgn may use for one file: a size in it may ask for all there is."""
_FLAT_SHARE = 0.35
_REAL_FLAT_SHARE = 0.03
_WORD = (1 << 32) - 1
_MACHINES = (
    *b"x86_64 i686 i386 i586 i486 S390X s390x s390 Unknown aarch64 arm64 armv7l arm armv8l ppc64le ppc64 ppc".split(),
    *b"riscv64 riscv32 mips mips64 ia64 alpha loongarch64 x86 X86_64 ia32".split(),
    b"x86_64 ",
    b"",
)


class _Mutation(NamedTuple):
    weight: float
    damage: Callable[[random.Random, KdumpShape], str | None]


_ALL: dict[str, _Mutation] = {}


def _mutation(weight: float) -> Callable[..., Callable[[random.Random, KdumpShape], str | None]]:
    def keep(
        change: Callable[[random.Random, KdumpShape], str | None],
    ) -> Callable[[random.Random, KdumpShape], str | None]:
        _ALL[change.__name__.strip("_")] = _Mutation(weight, change)
        return change

    return keep


def kdump_mutants(seed: int | str, count: int) -> Iterator[Mutant]:
    """Return `count` mutants."""
    for number in range(count):
        yield kdump_mutant(seed, number)


def kdump_mutant(seed: int | str, number: int) -> Mutant:
    """Return the mutant of this number."""
    rng = random.Random(f"kdump/{seed}/{number}")
    name, shape = any_base(rng)
    what = [name]
    wanted = rng.choices((0, 1, 2, 3), (6, 58, 25, 11))[0]
    flat = rng.random() < _FLAT_SHARE
    if flat and rng.random() < _REAL_FLAT_SHARE * 3:
        data = bytearray(real_flattened())
        for _ in range(wanted):
            at = rng.choice((rng.randrange(4096 + 16 + 600), rng.randrange(len(data))))
            data[at] ^= 1 << rng.randrange(8)
            what.append(f"bit of {at:#x}")
        return Mutant(f"kdump-{seed}-{number}", bytes(data), ["i386-flattened-real", *what[1:]])
    damages = sum(rng.random() < 0.6 for _ in range(wanted)) if flat else 0
    for _ in range(50):
        if len(what) > wanted - damages:
            break
        done = _once(rng, shape)
        if done is not None:
            what.append(done)
    data_bytes = shape.bytes(rng)
    if flat:
        what.insert(1, "flattened")
        records = flatten(rng, data_bytes)
        what += [damage(rng, records) for _ in range(damages)]
        data_bytes = records.bytes()
    return Mutant(f"kdump-{seed}-{number}", data_bytes, what)


def _once(rng: random.Random, shape: KdumpShape) -> str | None:
    name = rng.choices(list(_ALL), [m.weight for m in _ALL.values()])[0]
    done = _ALL[name].damage(rng, shape)
    return None if done is None else f"{name}: {done}"


@_mutation(14)
def _text(rng: random.Random, shape: KdumpShape) -> str | None:
    return text.apply(rng, shape.notes)


@_mutation(12)
def _notes(rng: random.Random, shape: KdumpShape) -> str | None:
    return notes.apply(rng, shape.notes)


@_mutation(2)
def _lost_notes(rng: random.Random, shape: KdumpShape) -> str | None:
    return losses.apply(rng, shape.notes)


@_mutation(7)
def _header_version(rng: random.Random, shape: KdumpShape) -> str | None:
    if rng.random() < 0.1:
        shape.version_swapped = True
        return f"{shape.version} in the other byte order"
    shape.version = rng.choice((0, 1, 2, 3, 3, 4, 5, 6, 7, 100, -1 & _WORD, 1 << 31, (1 << 31) - 1))
    return str(shape.version)


@_mutation(16)
def _header_field(rng: random.Random, shape: KdumpShape) -> str | None:
    name = rng.choice(("block_size", "block_size", "sub_hdr_size", "sub_hdr_size", "bitmap_blocks", "bitmap_blocks",
                       "max_mapnr", "status", *HEADER))  # fmt: skip
    values = {
        "block_size": (
            0,
            1,
            512,
            2048,
            4095,
            4097,
            5000,
            8192,
            16384,
            65536,
            131072,
            1 << 20,
            1 << 31,
            0x00100000,
            4096,
        ),
        "sub_hdr_size": (0, 1, 2, 3, 16, 255, 1 << 16, (1 << 31) - 1, 1 << 31, _WORD),
        "bitmap_blocks": (0, 1, 2, 3, 4, 16, 255, 1 << 12, 1 << 16, (1 << 31) - 1, 1 << 31, _WORD),
        "max_mapnr": (0, 1, 100, shape.max_pfn + 1, 1 << 16, 1 << 20, 1 << 28, _WORD),
        "status": (0, 1, 2, 4, 8, 9, 0x10, 0x20, 0x21, 0x40, _WORD),
    }.get(name, (0, 1, 4096, 0x1000, 65536, 1 << 31, _WORD))
    shape.header[name] = rng.choice(values)
    return f"{name} {shape.header[name]:#x}"


@_mutation(14)
def _sub_field(rng: random.Random, shape: KdumpShape) -> str | None:
    name = rng.choice((*SUB, "size_note", "offset_note", "max_mapnr_64", "size_eraseinfo", "offset_vmcoreinfo"))
    if name in ("offset_note", "size_note", "offset_vmcoreinfo", "size_vmcoreinfo") and rng.random() < 0.6:
        at, size = shape.block + 80, sum(len(n.desc) + 24 for n in shape.notes.notes)
        shape.sub[name] = near(rng, at if name.startswith("offset") else size)
    else:
        shape.sub[name] = near(rng, shape.sub.get(name, rng.choice((0, 4096, shape.max_pfn))))
    return f"{name} {shape.sub[name]:#x}"


@_mutation(3)
def _erase_info(rng: random.Random, shape: KdumpShape) -> str | None:
    shape.sub["offset_eraseinfo"] = rng.choice((0, 4096, 1 << 20, 1 << 40, (1 << 63) - 1, 1 << 63))
    shape.sub["size_eraseinfo"] = rng.choice((1, 10, 5000, 1 << 22, 1 << 31, 1 << 40, (1 << 64) - 1))
    return f"{shape.sub['offset_eraseinfo']:#x}, {shape.sub['size_eraseinfo']:#x}"


@_mutation(3)
def _no_notes(rng: random.Random, shape: KdumpShape) -> str | None:
    """Set one or both pointers to zero."""
    names = rng.choice((("offset_note", "size_note"), ("offset_vmcoreinfo", "size_vmcoreinfo"), ("size_note",),
                        ("offset_note", "size_note", "offset_vmcoreinfo", "size_vmcoreinfo")))  # fmt: skip
    shape.sub |= dict.fromkeys(names, 0)
    return ", ".join(names)


@_mutation(5)
def _other_pointer(rng: random.Random, shape: KdumpShape) -> str | None:
    """Let offset_vmcoreinfo lead to another text than offset_note."""
    note = shape.notes.vmcoreinfo
    mine = b"" if note is None else note.desc
    changed = mine.replace(b"OSRELEASE=", b"OSRELEASE=9.9.9-header", 1)
    short = b"OSRELEASE=9.9.9-header\nPAGESIZE=4096\n"
    part = mine[: rng.randrange(len(mine) + 1)]
    shape.own_pointer = rng.choice((changed, changed, short, b"", b"x", part, mine + b"\0" * 50))
    return f"{len(shape.own_pointer)} bytes {shape.own_pointer[:40]!r}"


@_mutation(4)
def _place(rng: random.Random, shape: KdumpShape) -> str | None:
    """Move the notes to the end of the file, or further back in the sub-header's blocks."""
    if rng.random() < 0.5:
        shape.notes_behind = not shape.notes_behind
        return "behind" if shape.notes_behind else "in front"
    shape.gap = rng.choice((1, 2, 3, 4, 100, 904, 4000, 4016, 8000))
    return f"{shape.gap} bytes further"


@_mutation(3)
def _other_form(rng: random.Random, shape: KdumpShape) -> str | None:
    """Write the sub-header in the layout of another width."""
    shape.form = rng.choice([form for form in ("packed", "padded", "wide") if form != shape.form])
    return shape.form


@_mutation(2)
def _other_width(rng: random.Random, shape: KdumpShape) -> str | None:
    """Write the header in the other width, with the old sub-header."""
    shape.bits = 32 if shape.bits == 64 else 64
    return str(shape.bits)


@_mutation(3)
def _other_order(rng: random.Random, shape: KdumpShape) -> str | None:
    """Write everything in the other byte order."""
    shape.order = "big" if shape.order == "little" else "little"
    return shape.order


@_mutation(12)
def _uts(rng: random.Random, shape: KdumpShape) -> str | None:
    if rng.random() < 0.25:
        shape.uts = {"machine": rng.choice(_MACHINES)}
        return f"only the machine {shape.uts['machine']!r}"
    name = rng.choice((*UTS, "sysname", "machine", "machine", "machine"))
    full = b"L" * UTS_SIZE
    shape.uts[name] = rng.choice(
        {
            "sysname": (b"", b"linux", b"Linux ", b"LinuxX", b"Linu", b"Linux\0X", b"FreeBSD", full, b"\0Linux"),
            "machine": _MACHINES,
        }.get(name, (b"", b"x", full, full[:64], b"\0x", b"\n", b"\xff\xfe"))
    )
    return f"{name} {shape.uts[name]!r}"


@_mutation(3)
def _bitmaps(rng: random.Random, shape: KdumpShape) -> str | None:
    """Flip bits of the bitmaps, or change the count of pages that they describe."""
    which = rng.randrange(4)
    if which == 0:
        shape.memory = set()
    elif which == 1:
        shape.memory |= {rng.randrange(max(shape.max_pfn, 1)) for _ in range(20)}
    elif which == 2:
        shape.max_pfn = near(rng, shape.max_pfn) & 0xFFFFF
        return f"max_pfn {shape.max_pfn:#x}"
    else:
        shape.pages = {number: page for number, page in shape.pages.items() if rng.random() < 0.5}
    return ("no first bitmap", "more in the first bitmap", "", "half of the pages")[which]


@_mutation(4)
def _page(rng: random.Random, shape: KdumpShape) -> str | None:
    """Damage a page descriptor or its bytes; page 0 is the one that a reader of s390x needs."""
    if not shape.pages:
        return None
    number = min(shape.pages) if rng.random() < 0.6 else rng.choice(list(shape.pages))
    page = shape.pages[number]
    which = rng.randrange(6)
    if which == 0:
        page.flags = rng.choice((0, ZLIB, LZO, SNAPPY, ZSTD, 3, 0x10, _WORD))
    elif which == 1:
        page.size = near(rng, len(page.data))
    elif which == 2:
        page.offset = near(rng, 4096)
    elif which == 3:
        page.data = bytes(b ^ (1 if rng.random() < 0.02 else 0) for b in page.data)
    elif which == 4 and page.flags == ZLIB:
        page.data = zlib.compress(zlib.decompress(page.data)[: rng.choice((0, 100, 4000))] * rng.choice((1, 2, 60)))
    elif page.flags == ZLIB:
        page.data, page.flags = zlib.decompress(page.data), 0
    return f"{number:#x}: {('flags', 'size', 'offset', 'data', 'other length', 'stored')[which]}"


@_mutation(1)
def _all_stored(rng: random.Random, shape: KdumpShape) -> str | None:
    for number in list(shape.pages)[:200]:
        page = shape.pages[number]
        if page.flags == ZLIB:
            page.data, page.flags = zlib.decompress(page.data), 0
    return "pages that are not compressed"


@_mutation(2)
def _magic(rng: random.Random, shape: KdumpShape) -> str | None:
    shape.magic = rng.choice((b"KDUMP  ", b"KDUMP\0\0\0", b"DISKDUMP", b"kdump   ", b"KDUMP   "))
    shape.magic = shape.magic.ljust(8, b"\0")
    return str(shape.magic)


@_mutation(5)
def _cut(rng: random.Random, shape: KdumpShape) -> str | None:
    """Truncate the file somewhere."""
    share, early = rng.random(), rng.random() < 0.4

    def cut(rng: random.Random, out: bytearray) -> None:
        near_start = rng.choice(
            (0, 7, 8, 16, 400, 452, 463, 464, 465, 4095, 4096, 4097, 4200, 5000, 8191, 8192, 12288, 20000)
        )
        del out[min(near_start, len(out)) if early else int(len(out) * share) :]

    shape.late.append(cut)
    return "early" if early else f"{share:.0%}"


@_mutation(6)
def _bits(rng: random.Random, shape: KdumpShape) -> str | None:
    """Flip single bits of the two headers and the notes."""
    count = rng.choice((1, 1, 1, 2, 5))
    places = [(rng.choice((0, 0, shape.block)) + rng.randrange(rng.choice((110, 470, 4096))), rng.randrange(8))
              for _ in range(count)]  # fmt: skip

    def flip(_: random.Random, out: bytearray) -> None:
        for at, bit in places:
            if at < len(out):
                out[at] ^= 1 << bit

    shape.late.append(flip)
    return ", ".join(f"{at:#x}.{bit}" for at, bit in places)


@_mutation(1)
def _more(rng: random.Random, shape: KdumpShape) -> str | None:
    length = rng.choice((1, 4096, 5 << 20))
    shape.late.append(lambda rng, out: out.extend(bytes(length)))
    return f"{length} zeros behind"


@_mutation(1)
def _head_of_another(rng: random.Random, shape: KdumpShape) -> str | None:
    """Replace the first block by that of another file."""
    name, other = any_base(rng)
    head = base(name).bytes(rng)[:464]
    shape.late.append(lambda rng, out: out.__setitem__(slice(0, min(464, len(out))), head[: len(out)]))
    return f"{name}, of {other.bits} bits"


__all__ = ["KDUMP_READERS", "MEMORY", "kdump_mutant", "kdump_mutants"]
