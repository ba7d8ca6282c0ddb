"""Make the good dumps that the mutator starts from: every machine, class and byte order.

The real guests' samples, unchanged and in the standard order (program headers after the
ELF header, no sections); where a sample has no note it gets the text of its guest. The cut
dumps hold every page that readers touch (makedumpfile completes with amd64's); most of the
others are made small.
"""

from __future__ import annotations

import random
from functools import cache

from tests.dumps.elf_shape import Note, Segment, Shape, take_apart
from tests.dumps.factory import I386, PPC64, S390, TEXT_32, Load, cpus, elf, note, ram
from tests.dumps.records import NOTE_NAME, PT_LOAD
from tests.paths import SAMPLES

_KEPT = 3
"""PT_LOADs of a base that is made small, one page each."""
_CASES: dict[str, float] = {
    "amd64": 16,
    "amd64-small": 26,
    "amd64-qemu": 7,
    "amd64-bad-phys-base": 3,
    "amd64-smp16": 2,
    "amd64-factory": 8,
    "amd64-factory-short": 3,
    "amd64-no-note": 3,
    "amd64-zero-note": 1,
    "amd64-windows": 1,
    "i386-in-64": 3,
    "i386-in-64-qemu": 1,
    "i386flash": 3,
    "i386-factory": 1,
    "i386flash-no-note": 1,
    "arm64": 4,
    "arm64-no-note": 1,
    "armhf": 3,
    "armhf-qemu": 1,
    "s390x": 4,
    "s390x-factory": 1,
    "ppc64el": 2,
    "ppc64el-qemu": 1,
    "ppc64el-raw-note": 1,
}
"""Every base with its weight: crash and makedumpfile are native programs, so most are amd64."""


def any_base(rng: random.Random) -> tuple[str, Shape]:
    """Return a random base, which may be changed."""
    name = rng.choices(list(_CASES), list(_CASES.values()))[0]
    return name, base(name).copy()


@cache
def base(name: str) -> Shape:
    """Return a base by its name; it must not be changed."""
    machine, _, form = name.partition("-")
    match name:
        case "amd64" | "arm64" | "s390x":
            return _sample(f"{machine}-cut-note.elf")
        case "amd64-small":
            return _small(_sample("amd64-cut-note.elf"))
        case "amd64-qemu":
            return _sample("amd64-note.elf-win4k")
        case "amd64-bad-phys-base" | "amd64-smp16" | "amd64-windows":
            return _small(_orderly(_sample(f"x86_64-{form}.elf")))
        case "amd64-no-note" | "arm64-no-note":
            return _small(_sample(f"{machine}-cut-nonote.elf"))
        case "amd64-zero-note":
            shape = _small(_sample("amd64-cut-nonote.elf"))
            shape.areas[0].trailing = bytes(12)
            return shape
        case "amd64-factory":
            return take_apart(elf([cpus(2) + note()], [Load(0, ram(4096)), Load(0x100000, ram(8192), vaddr=1 << 63)]))
        case "amd64-factory-short":
            return take_apart(elf([cpus() + note(b"OSRELEASE=6.9.0\nPAGESIZE=4096\nSYMBOL(swapper_pg_dir)=c1\n")]))
        case "i386-in-64":
            return _orderly(_sample("i386-note.elf-win16k"))
        case "i386-in-64-qemu":
            return _sample("i386-note.elf-win16k")
        case "i386flash":
            return _with_note(_orderly(_sample("i386flash-nonote.elf-win16k")), _text("i386flash.note"))
        case "i386flash-no-note":
            return _sample("i386flash-nonote.elf-win16k")
        case "i386-factory":
            return take_apart(elf([note(bytes(144), b"CORE\0", 1) + note(TEXT_32)], bits=32, machine=I386))
        case "armhf":
            return _with_note(_orderly(_sample("armhf-nonote.elf-win16k")), TEXT_32)
        case "armhf-qemu":
            return _with_note(_sample("armhf-nonote.elf-win16k"), TEXT_32)
        case "s390x-factory":
            area = cpus(order="big") + note(order="big")
            return take_apart(elf([area], order="big", machine=S390))
        case "ppc64el":
            return _with_note(_orderly(_sample("ppc64el-nonote.elf-win16k")), _text("ppc64el-little-endian.note"))
        case "ppc64el-qemu":
            return _with_note(_sample("ppc64el-nonote.elf-win16k"), _text("ppc64el-little-endian.note"))
        case "ppc64el-raw-note":
            shape = base("ppc64el").copy()
            shape.notes[-1].swapped = True
            assert shape.header["machine"] == PPC64
            return shape
    raise AssertionError(name)


def _sample(name: str) -> Shape:
    return take_apart((SAMPLES / name).read_bytes())


def _text(name: str) -> bytes:
    """Return the descriptor of a bare little-endian note."""
    data = (SAMPLES / name).read_bytes()
    return data[24 : 24 + int.from_bytes(data[4:8], "little")]


def _with_note(shape: Shape, text: bytes) -> Shape:
    notes = shape.areas[0].notes
    assert notes is not None
    notes.append(Note(NOTE_NAME, text))
    return shape


def _orderly(shape: Shape) -> Shape:
    shape.sections, shape.sections_first = [], False
    del shape.header["ehsize"]
    return shape


def _small(shape: Shape) -> Shape:
    """Return the dump with its first few PT_LOADs, one page each."""
    kept: list[Segment] = []
    for segment in shape.segments:
        if segment.type != PT_LOAD:
            kept.append(segment)
        elif len(kept) <= _KEPT:
            segment.data, segment.memsz = segment.data[:4096], None
            kept.append(segment)
    shape.segments = kept
    return shape
