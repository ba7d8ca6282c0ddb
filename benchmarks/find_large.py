"""Compare finding and proving the note in 1 GiB, 64 GiB and 1 TiB of memory, and in a kdump file of 16 GiB.

Run by hand, as root: `python benchmarks/find_large.py DUMP KDUMP FOLDER [RUNS]`. DUMP is a whole ELF dump of a booted
x86-64 guest, KDUMP a plain kdump file of one. FOLDER is on a file system with shared extents (xfs, btrfs), with 4 GiB
of room: the guest's pages are in low memory, and everything from 4 GiB on is data, 1 GiB of random bytes whose extents
the file has again and again (FICLONERANGE), so no byte of it is a hole. The kdump file has each of its pages many times
by its page descriptors. `--search` is the search as it is without the kernel's pointers. The contestants take turns.
"""

from __future__ import annotations

import fcntl
import os
import statistics
import struct
import sys
import tempfile
from pathlib import Path
from typing import Final

from find import CommandResult, _run

from vmci_tui.containers.guest import guest_of
from vmci_tui.containers.kdump.dump import KdumpDump
from vmci_tui.opening.open_file import open_document
from vmci_tui.search.find_notes import find

GIB: Final = 1 << 30
SIZES: Final = {"1 GiB": GIB, "64 GiB": 64 * GIB, "1 TiB": 1024 * GIB}
_CLONE_RANGE: Final = 0x4020940D
_HIGH: Final = 4 * GIB
_BLOCK: Final = 1 << 20
_PAGE: Final = 4096
_COMMAND: Final = """
import os, sys
from vmci_tui.adoption import choose
if sys.argv[1] == "--search":
    choose.LARGE = 1 << 64
from vmci_tui.cli.run import main
code = main(sys.argv[2:])
read = dict(line.split(": ") for line in open("/proc/self/io").read().splitlines())["rchar"]
print("\\nread", read, sum(os.times()[:4]))
sys.exit(code)
"""


def main() -> None:
    dump, kdump, folder = (Path(name) for name in sys.argv[1:4])
    runs = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    python = [sys.executable, "-c", _COMMAND]
    with tempfile.TemporaryDirectory(dir=folder) as made:
        block = Path(made) / "block"
        with block.open("wb") as file:
            for _ in range(GIB // _BLOCK):
                file.write(os.urandom(_BLOCK))
        commands: dict[str, list[str]] = {}
        for name, size in SIZES.items():
            path = str(laid_out(dump, block, Path(made) / f"{size}.elf", size))
            commands[f"vmci find, {name}"] = [*python, "", "find", path]
            commands[f"vmci prove, {name}"] = [*python, "", "prove", path]
        many = str(many_pages(kdump, Path(made) / "16GiB.kdump", 16 * GIB))
        commands["vmci find, kdump of 16 GiB"] = [*python, "", "find", many]
        once = {
            "search of 64 GiB": [*python, "--search", "find", str(Path(made) / f"{SIZES['64 GiB']}.elf")],
            "search of a kdump of 16 GiB": [*python, "--search", "find", many],
        }
        ran: dict[str, list[CommandResult]] = {name: [] for name in (*commands, *once)}
        for number in range(runs + 1):  # the first round only warms up
            for name, command in commands.items():
                one = _run(command)
                ran[name] += [one] if number else []
        for name, command in once.items():
            ran[name].append(_run(command))
    _report(ran, runs)


def _report(ran: dict[str, list[CommandResult]], runs: int) -> None:
    took = {name: statistics.median(_read(one)[1] for one in results) for name, results in ran.items()}
    print(f"| program | processor, median of {runs}, s | elapsed, s | read, MiB | resident, MiB |")
    print("|---|---|---|---|---|")
    for name, seconds in took.items():
        elapsed = statistics.median(one.seconds for one in ran[name])
        read = int(max(_read(one)[0] for one in ran[name])) >> 20
        resident = max(one.resident for one in ran[name])
        print(f"| {name} | {seconds:.2f} | {elapsed:.2f} | {read} | {resident:.0f} |")
    print("\n| ratio | is | at most |\n|---|---|---|")
    for command in ("find", "prove"):
        for name in ("64 GiB", "1 TiB"):
            ratio = took[f"vmci {command}, {name}"] / took[f"vmci {command}, 1 GiB"]
            print(f"| `vmci {command}` of {name} to 1 GiB | {ratio:.2f} | 1.30 |")
    faster = took["search of a kdump of 16 GiB"] / took["vmci find, kdump of 16 GiB"]
    print(f"\nThe kdump of 16 GiB: {faster:.1f} times as fast as a search, at least 10.")


def _read(one: CommandResult) -> list[float]:
    """Return the bytes that a run read, and its seconds of processor time."""
    return [float(word) for word in one.out.rsplit("\nread ", 1)[1].split()]


def laid_out(dump: Path, block: Path, path: Path, size: int) -> Path:
    """Write a dump with the notes and the memory of `dump` below 4 GiB, and `size` bytes of data from there on."""
    with open_document(str(dump)) as document, path.open("wb") as target, block.open("rb") as data:
        opened = document.dump
        assert opened is not None
        guest, ranges = guest_of(opened), [item for item in opened.guest_memory.ranges if item.paddr < _HIGH]
        head = bytearray(opened.source.read(0, 64))
        notes = b"".join(note.raw for note in opened.notes)
        left = size - sum(item.length for item in ranges)
        struct.pack_into("<Q", head, 32, 64)
        struct.pack_into("<Q", head, 40, 0)
        struct.pack_into("<HHHHH", head, 52, 64, 56, 2 + len(ranges), 0, 0)
        at = _up(64 + 56 * (2 + len(ranges)) + len(notes))
        head += struct.pack("<IIQQQQQQ", 4, 0, 64 + 56 * (2 + len(ranges)), 0, 0, len(notes), len(notes), 4)
        places = []
        for item in ranges:
            places.append(at)
            head += struct.pack("<IIQQQQQQ", 1, 0, at, 0, item.paddr, item.length, item.length, 0)
            at += _up(item.length)
        head += struct.pack("<IIQQQQQQ", 1, 0, at, 0, _HIGH, left, left, 0)
        target.write(head + notes)
        for item, place in zip(ranges, places, strict=True):
            target.seek(place)
            for paddr in range(item.paddr, item.end, _BLOCK):
                target.write(guest.read(paddr, min(_BLOCK, item.end - paddr)) or b"")
        target.truncate(at)
        while left > 0:
            length = min(left, GIB) // _PAGE * _PAGE
            fcntl.ioctl(target, _CLONE_RANGE, struct.pack("<qQQQ", data.fileno(), 0, length, at))
            at, left = at + length, left - max(length, _PAGE)
    return path


def _up(value: int) -> int:
    return -(-value // _PAGE) * _PAGE


def many_pages(source: Path, path: Path, size: int) -> Path:
    """Write a kdump file that has the pages of `source` as often as `size` bytes of memory need; the note once."""
    with open_document(str(source)) as document:
        dump = document.dump
        assert isinstance(dump, KdumpDump)
        notes = {item.paddr >> 12 for item in find(guest_of(dump))}
        pfns = [pfn for first, end in dump.pages.bitmap.runs() for pfn in range(first, end)]
        stored = [one for pfn in pfns if (one := dump.pages.descriptor(pfn)) is not None]
        zeros = next(one for pfn, one in zip(pfns, stored, strict=True) if dump.pages.page(pfn) == bytes(_PAGE))
        times = -(-size // (len(pfns) * _PAGE))
        last = -(-dump.pages.bitmap.last // 8)
        bitmap = bytearray(last)
        for pfn in pfns:
            bitmap[pfn >> 3] |= 1 << (pfn & 7)
        blocks = -(-last * times // _PAGE)
        start, _ = dump.header.bitmaps
        head = bytearray(dump.plain.read(0, start))
        struct.pack_into("<II", head, 436, 2 * blocks, last * 8 * times)
        struct.pack_into("<Q", head, _PAGE + 96, last * 8 * times)
        bodies = dict.fromkeys((one.offset, one.size) for one in stored)
        at = len(head) + 2 * blocks * _PAGE + 24 * len(pfns) * times
        for offset, length in bodies:
            bodies[offset, length] = at
            at += length
        with path.open("wb") as target:
            target.write(head + (bytes(bitmap) * times).ljust(blocks * _PAGE, b"\0") * 2)
            for number in range(times):
                for pfn, one in zip(pfns, stored, strict=True):
                    one = zeros if number and pfn in notes else one
                    target.write(struct.pack("<QIIQ", bodies[one.offset, one.size], one.size, one.flags, 0))
            target.writelines(dump.plain.read(offset, length) for offset, length in bodies)
    return path


if __name__ == "__main__":
    main()
