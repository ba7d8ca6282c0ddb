"""Compare `vmci show` and `vmci check` of a dump with a million program headers with `readelf -lW`.

Prints time, peak memory and ratios.

Needs binutils. Run by hand: `python benchmarks/headers.py [RUNS]`. The contestants take turns,
so that whatever else the machine does hits all of them alike. The processor's time is what counts;
on a machine that does nothing else it is the time that a user waits.
"""

from __future__ import annotations

import os
import statistics
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import NamedTuple

COUNT = 1_000_000
PAGE = 4096
BIN = Path(sys.executable).parent
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_MEASURE = """
import os, sys, time
begin = time.perf_counter()
child = os.fork()
if not child:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.execv(sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(child, 0)
if os.waitstatus_to_exitcode(status) not in (0, 1):
    sys.exit("it failed")
print(used.ru_utime + used.ru_stime, time.perf_counter() - begin, used.ru_maxrss / 1024)
"""
"""A small process starts each program, because ru_maxrss includes the peak of its parent."""


class RunCost(NamedTuple):
    """The cost of one run: processor seconds, elapsed seconds, peak MiB."""

    processor: float
    waited: float
    mib: float


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    vmci = str(BIN / "vmci")
    with tempfile.TemporaryDirectory() as folder:
        sorted_ = make(Path(folder) / "sorted.elf", list(range(COUNT - 1)))
        pages = list(range(COUNT - 1))
        Random(1).shuffle(pages)
        mixed = make(Path(folder) / "mixed.elf", pages)
        commands = {
            "vmci show": [vmci, "show", sorted_],
            "vmci show --json": [vmci, "show", "--json", sorted_],
            "vmci show, headers in no order": [vmci, "show", mixed],
            "vmci check": [vmci, "check", sorted_],
            "readelf -lW": ["/usr/bin/readelf", "-lW", sorted_],
        }
        runs_of: dict[str, list[RunCost]] = {name: [] for name in commands}
        for number in range(runs + 1):
            for name, command in commands.items():
                used = measure(command)
                if number:
                    runs_of[name].append(used)
    print(f"| program | processor, median of {runs}, s | least, s | waited, least, s | resident, MiB |")
    print("|---|---|---|---|---|")
    for name, all_ in runs_of.items():
        least, waited, most = min(u.processor for u in all_), min(u.waited for u in all_), max(u.mib for u in all_)
        print(f"| {name} | {_median(all_):.2f} | {least:.2f} | {waited:.2f} | {most:.0f} |")
    print("\n| what | is | at most |\n|---|---|---|")
    for name, most in (("vmci show", 4.0), ("vmci show, headers in no order", 6.0)):
        ratio = _median(runs_of[name]) / _median(runs_of["readelf -lW"])
        print(f"| `{name}` to `readelf -lW`, ratio of medians | {ratio:.2f} | {most:.2f} |")


def _median(used: list[RunCost]) -> float:
    return statistics.median(each.processor for each in used)


def make(path: Path, pages: list[int]) -> str:
    """Write a dump whose headers name every second page of memory, in the order of `pages`."""
    text = b"OSRELEASE=6.1.0\nPAGESIZE=4096\n\0\0"
    note = struct.pack("<III", 11, len(text) - 2, 0) + b"VMCOREINFO\0\0" + text
    table_end = _HEADER.size + (len(pages) + 1) * _SEGMENT.size
    notes = table_end + 64
    body = -(-(notes + len(note)) // PAGE) * PAGE
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    with path.open("wb") as file:
        file.write(_HEADER.pack(ident, 4, 62, 1, 0, _HEADER.size, table_end, 0, 64, 56, 0xFFFF, 64, 1, 0))
        file.write(_SEGMENT.pack(4, 0, notes, 0, 0, len(note), len(note), 0))
        for page in pages:
            file.write(_SEGMENT.pack(1, 7, body + page * PAGE, 0, 2 * page * PAGE, PAGE, PAGE, 0))
        file.write(struct.pack("<IIQQQQIIQQ", 0, 0, 0, 0, 0, 0, 0, len(pages) + 1, 0, 0))
        file.write(note)
        file.truncate(body + len(pages) * PAGE)
    return str(path)


def measure(command: list[str]) -> RunCost:
    """Run a program once and return its cost."""
    # A checkout has its .pyc files after the first run, as pip makes them for the others.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    words = [sys.executable, "-c", _MEASURE, *command]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=True)
    return RunCost(*map(float, done.stdout.split()))


if __name__ == "__main__":
    main()
