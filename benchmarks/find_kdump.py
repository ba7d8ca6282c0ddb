"""Compare finding the note in a kdump file of 200 MiB (zlib) with decompressing all its pages; time a stop.

Run by hand: `python benchmarks/find_kdump.py KDUMP FOLDER [RUNS]`. KDUMP is a plain 64-bit one of a booted guest, as
`makedumpfile -c -d 0` writes it, in pages of 4 KiB; its pages are repeated to 200 MiB of file in FOLDER (removed
afterwards). The contestants take turns. drgn reads by its own libkdumpfile; without it that row is left out.
"""

from __future__ import annotations

import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from find import CommandResult, _run

from vmci_tui.containers.guest import guest_of
from vmci_tui.containers.kdump.dump import KdumpDump
from vmci_tui.opening.open_file import open_document
from vmci_tui.search.find_notes import find

SIZE = 200 << 20
_OPEN = """
import sys, time, zlib
from vmci_tui.search.pages import scheduler as scan_pages
from vmci_tui.search.find_notes import find
from vmci_tui.containers.guest import guest_of
from vmci_tui.opening.open_file import open_document
dump = open_document(sys.argv[1]).dump
guest = guest_of(dump)
start = time.perf_counter()
"""
_PRINT = "\nprint(time.perf_counter() - start)\n"
_SCAN = _OPEN + "assert list(find(guest, sys.argv[2] == 'all'))" + _PRINT
_ALONE = _SCAN.replace("start =", "scan_pages.WORTH = 1e9\nstart =", 1)
_HELPED = _SCAN.replace("start =", "import os; os.getloadavg = lambda: (0, 0, 0)\nstart =", 1)
_WHOLE = (
    _OPEN
    + """
pages, total = dump.pages, 0
number = 0
for first, last in pages.bitmap.runs():
    table = pages.descriptor_table(number, last - first)
    number += last - first
    for offset, size, flags, _ in dump.header.form.page.iter_unpack(table):
        data = pages.plain.read(offset, size)
        total += len(zlib.decompress(data, 15, 4096) if flags else data)
assert total == guest.memory.size
"""
    + _PRINT
)
_DRGN = """
import sys, time, drgn
prog = drgn.Program()
prog.set_core_dump(sys.argv[1])
start = time.perf_counter()
for item in sys.argv[2:]:
    first, last = map(int, item.split("-"))
    for paddr in range(first, last, 4096):
        prog.read(paddr, 4096, physical=True)
print(time.perf_counter() - start)
"""


def main() -> None:
    if sys.argv[1] == "--make":
        _repeated(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    dump, folder = Path(sys.argv[1]), Path(sys.argv[2])
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    with tempfile.TemporaryDirectory(dir=folder) as made:
        full = str(Path(made) / "200MiB.kdump")
        # In its own process: the memory of this one would count as resident in its children.
        subprocess.run([sys.executable, __file__, "--make", dump, full], check=True)
        guest = guest_of(_opened(full))
        python = [sys.executable, "-c"]
        commands = {
            "search of page starts": [*python, _SCAN, full, "pages"],
            "the same, one process": [*python, _ALONE, full, "pages"],
            "the same, all processors, however busy": [*python, _HELPED, full, "pages"],
            "search of every byte": [*python, _SCAN, full, "all"],
            "the same, every byte, one process": [*python, _ALONE, full, "all"],
            "the same, every byte, all processors": [*python, _HELPED, full, "all"],
            "all pages decompressed by Python's zlib": [*python, _WHOLE, full],
            "vmci find": [sys.executable, "-m", "vmci_tui", "find", full],
        }
        if find_spec("drgn"):
            ranges = [f"{item.paddr}-{item.end}" for item in guest.memory.ranges]
            commands["all pages read by drgn"] = [*python, _DRGN, full, *ranges]
        ran: dict[str, list[CommandResult]] = {name: [] for name in commands}
        for number in range(runs + 1):  # the first round only warms up
            for name, command in commands.items():
                one = _run(command)
                ran[name] += [one] if number else []
        stops = {everywhere: _longest_stop(full, everywhere) for everywhere in (False, True)}
        print(f"{os.path.getsize(full) >> 20} MiB of file, {guest.memory.size >> 20} MiB of memory\n")
    _report(ran, stops, runs)


def _report(ran: dict[str, list[CommandResult]], stops: dict[bool, float], runs: int) -> None:
    def seconds(name: str, one: CommandResult) -> float:
        return one.seconds if name == "vmci find" else float(one.out)

    took = {name: statistics.median(seconds(name, one) for one in all_of) for name, all_of in ran.items()}
    print(f"| kdump file in the page cache | median of {runs}, s |\n|---|---|")
    for name, median in took.items():
        print(f"| {name} | {median:.2f} |")
    print("\n| times as fast | is | at least |\n|---|---|---|")
    search, whole = took["search of page starts"], took["all pages decompressed by Python's zlib"]
    print(f"| the search to decompressing all pages | {whole / search:.1f} | 2 |")
    print(f"| `vmci find`, with start and proof, to decompressing all pages | {whole / took['vmci find']:.1f} | |")
    if "all pages read by drgn" in took:
        print(f"| the search to drgn's reading | {took['all pages read by drgn'] / search:.1f} | 1 |")
        print(
            f"| the search of every byte to drgn's reading "
            f"| {took['all pages read by drgn'] / took['search of every byte']:.1f} | |"
        )
    one, more = took["the same, one process"], took["the same, all processors, however busy"]
    print(f"| all processors to one, page starts | {one / more:.2f} | |")
    one, more = took["the same, every byte, one process"], took["the same, every byte, all processors"]
    print(f"| all processors to one, every byte | {one / more:.2f} | |")
    print("\n| what | is | at most |\n|---|---|---|")
    print(f"| resident, `vmci find`, MiB | {max(one.resident for one in ran['vmci find']):.1f} | 40 |")
    print(f"| resident, every byte, MiB | {max(one.resident for one in ran['search of every byte']):.1f} | 40 |")
    print(f"| longest from a stop to the end, page starts, ms | {stops[False] * 1e3:.0f} | 50 |")
    print(f"| the same, every byte, ms | {stops[True] * 1e3:.0f} | 50 |")


def _longest_stop(path: str, everywhere: bool) -> float:
    """Return the longest time in ms from a stop, at different moments, until no process is left."""
    worst = 0.0
    for number in range(1, 16):
        guest, begin = guest_of(_opened(path)), time.perf_counter()
        stop = begin + number * (0.2 if everywhere else 0.05)

        def progress(_what: str, _done: int, _total: int, stop: float = stop) -> None:
            if time.perf_counter() > stop:
                raise InterruptedError

        try:
            list(find(guest, everywhere, progress))
        except InterruptedError:
            worst = max(worst, time.perf_counter() - stop)
    return worst


def _opened(path: str) -> KdumpDump:
    dump = open_document(path).dump
    assert isinstance(dump, KdumpDump)
    return dump


def _repeated(source: Path, path: Path) -> None:
    """Write the file with its pages repeated; the first copies of the note and its data page stay."""
    dump = _opened(str(source))
    notes = {item.paddr >> 12 for item in find(guest_of(dump))}
    pfns = [pfn for first, end in dump.pages.bitmap.runs() for pfn in range(first, end)]
    stored = [one for pfn in pfns if (one := dump.pages.descriptor(pfn)) is not None]
    bodies = {(one.offset, one.size): dump.plain.read(one.offset, one.size) for one in stored}
    zeros = next(one for pfn, one in zip(pfns, stored, strict=True) if dump.pages.page(pfn) == bytes(4096))
    times = -(-SIZE // sum(map(len, bodies.values())))
    last = -(-dump.pages.bitmap.last // 8)
    bitmap = bytearray(last)
    for pfn in pfns:
        bitmap[pfn >> 3] |= 1 << (pfn & 7)
    blocks = -(-last * times // 4096)
    start, _ = dump.header.bitmaps
    head = bytearray(dump.plain.read(0, start))
    struct.pack_into("<II", head, 436, 2 * blocks, last * 8 * times)
    struct.pack_into("<Q", head, 4096 + 96, last * 8 * times)
    with path.open("wb") as target:
        target.write(head + (bytes(bitmap) * times).ljust(blocks * 4096, b"\0") * 2)
        at = target.tell() + 24 * len(pfns) * times
        for number in range(times):
            placed: dict[tuple[int, int], int] = {}
            for offset, size in bodies:
                placed[offset, size] = at
                at += size
            for pfn, one in zip(pfns, stored, strict=True):
                one = zeros if number and pfn in notes else one
                target.write(struct.pack("<QIIQ", placed[one.offset, one.size], one.size, one.flags, 0))
        for _ in range(times):
            target.writelines(bodies.values())


if __name__ == "__main__":
    main()
