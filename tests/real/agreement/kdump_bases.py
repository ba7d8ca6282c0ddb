"""Make the kdump files that the mutator starts from: real guests of every machine, in all three sub-header forms.

The guest's memory is that of the cut dumps. One is QEMU's own file; the others are laid
out as QEMU does it, most of them with the utsname that makedumpfile, or a repair, puts in.
"""

from __future__ import annotations

import gzip
import random
from functools import cache

from tests.dumps.elf_shape import Note
from tests.dumps.factory import TEXT_32, TEXT_64
from tests.dumps.records import NOTE_NAME
from tests.paths import SAMPLES
from tests.real.agreement import bases
from tests.real.agreement.kdump_shape import KdumpShape, from_elf, take_apart, text_of

_FILES = SAMPLES.parent / "tests" / "data" / "kdump"
_CASES: dict[str, float] = {
    "amd64": 30,
    "amd64-old": 5,
    "amd64-behind": 8,
    "amd64-qemu": 6,
    "amd64-no-note": 3,
    "amd64-short": 6,
    "i386-real": 5,
    "i386-filled": 6,
    "i386-behind-padded": 4,
    "i386-in-64": 3,
    "armhf": 3,
    "armhf-padded": 3,
    "arm64": 7,
    "arm64-qemu": 1,
    "s390x": 8,
    "s390x-qemu": 1,
    "ppc64el": 3,
    "riscv64": 2,
}
"""Every base with its weight: crash and makedumpfile are native programs, so most are amd64."""
_MACHINES = {"amd64": b"x86_64", "i386": b"i686", "armhf": b"armv7l", "arm64": b"aarch64", "s390x": b"s390x",
             "ppc64el": b"ppc64le", "riscv64": b"riscv64"}  # fmt: skip
_QEMU_MACHINES = {"amd64": b"x86_64", "s390x": b"S390X", "arm64": b"Unknown"}


def any_base(rng: random.Random) -> tuple[str, KdumpShape]:
    """Return a random base, which may be changed."""
    name = rng.choices(list(_CASES), list(_CASES.values()))[0]
    return name, base(name).copy()


@cache
def base(name: str) -> KdumpShape:
    """Return a base by its name; it must not be changed."""
    machine, _, form = name.partition("-")
    if name == "i386-real":
        return real_packed()
    shape = _laid_out(machine, form)
    if form in ("qemu", "no-note"):
        shape.uts = {"machine": _QEMU_MACHINES[machine]}
    else:
        release = (text_of(shape) or b"OSRELEASE=6.1.0-test\n").partition(b"\n")[0].partition(b"=")[2]
        names = {"sysname": b"Linux", "nodename": b"host", "release": release, "domainname": b"(none)"}
        shape.uts = names | {"version": b"#1 SMP Debian 6.1.1", "machine": _MACHINES[machine]}
        if form == "in-64":
            shape.uts["machine"] = b"i686"
    return shape


def real_packed() -> KdumpShape:
    """Return QEMU 10's file of an i386 guest: a 32-bit packed header."""
    return take_apart(gzip.decompress((_FILES / "i386-packed.kdump.gz").read_bytes()))


def real_flattened() -> bytes:
    """Return the same guest's flattened file, as QEMU writes it."""
    return gzip.decompress((_FILES / "i386-flattened.kdump.gz").read_bytes())


def _laid_out(machine: str, form: str) -> KdumpShape:
    match machine:
        case "amd64" if form == "no-note":
            return from_elf(bases.base("amd64-no-note"), 4096, "wide")
        case "amd64" if form == "short":
            shape = from_elf(bases.base("amd64-small"), 4096, "wide")
            shape.notes.areas[0].notes = [Note(NOTE_NAME, TEXT_64)]
            return shape
        case "amd64":
            shape = from_elf(bases.base("amd64-small" if form == "old" else "amd64"), 4096, "wide")
            shape.version = 3 if form == "old" else 6
            shape.notes_behind = form == "behind"
            return shape
        case "i386" if form == "in-64":
            return from_elf(bases.base("i386-in-64"), 4096, "wide")
        case "i386":
            shape = real_packed()
            if form == "behind-padded":
                shape.form, shape.notes_behind = "padded", True
            return shape
        case "armhf":
            elf = bases.base("armhf")
            shape = from_elf(elf, 4096, "padded" if form == "padded" else "packed")
            shape.notes.areas[0].notes = [*elf.notes[:-1], Note(NOTE_NAME, TEXT_32)]
            return shape
        case "arm64":
            return from_elf(bases.base("arm64"), 65536 if form == "qemu" else 4096, "wide")
        case "s390x":
            return from_elf(bases.base("s390x"), 4096, "wide")
        case "ppc64el":
            return from_elf(bases.base("ppc64el"), 65536, "wide")
        case "riscv64":
            shape = from_elf(bases.base("amd64-small"), 4096, "wide")
            shape.notes.areas[0].notes = [Note(NOTE_NAME, TEXT_64)]
            return shape
    raise AssertionError(machine)
