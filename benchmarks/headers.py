"""`vmci show` of a dump with a million program headers, beside `readelf -lW`: ratios of medians, and peak memory.

Needs binutils. Run by hand: `python benchmarks/headers.py [RUNS]`. The contestants take turns,
so that whatever else the machine does hits all of them alike.
"""

from __future__ import annotations

import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

COUNT = 1_000_000
PAGE = 4096
BIN = Path(sys.executable).parent
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_PEAK = """
import os, sys
child = os.fork()
if not child:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.execv(sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(child, 0)
sys.exit("it failed") if os.waitstatus_to_exitcode(status) not in (0, 1) else print(used.ru_maxrss)
"""
"""A small process starts the contestant: ru_maxrss counts what its parent had before it."""


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
        times: dict[str, list[float]] = {name: [] for name in commands}
        peaks: dict[str, int] = {}
        for number in range(runs + 1):
            for name, command in commands.items():
                start = time.perf_counter()
                peaks[name] = peak(command)
                if number:
                    times[name].append(time.perf_counter() - start)
    median = {name: statistics.median(values) for name, values in times.items()}
    print(f"| program | median of {runs}, s | least, s | resident, MiB |\n|---|---|---|---|")
    for name, values in times.items():
        print(f"| {name} | {median[name]:.2f} | {min(values):.2f} | {peaks[name] >> 10} |")
    print("\n| ratio of medians | is | at most |\n|---|---|---|")
    print(f"| `vmci show` to `readelf -lW` | {median['vmci show'] / median['readelf -lW']:.2f} | 1.00 |")


def make(path: Path, pages: list[int]) -> str:
    """A dump whose headers name every second page of memory, in the order of `pages`."""
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


def peak(command: list[str]) -> int:
    """Run it; the most KiB that were resident."""
    # A checkout has its .pyc files after the first run, as pip makes them for the others.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run([sys.executable, "-c", _PEAK, *command], env=env, capture_output=True, text=True, check=True)
    return int(done.stdout)


if __name__ == "__main__":
    main()
