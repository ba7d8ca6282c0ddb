"""Compare finding the note in 4 GiB of real memory with `dd`, `grep` and volatility3; time it in 1 TiB of holes.

Run by hand: `python benchmarks/find.py DUMP FOLDER [VOL] [RUNS]`. DUMP is a whole dump of a booted guest,
whose memory is repeated to 4 GiB in FOLDER (removed afterwards; the machine needs that much page cache and
more). VOL is volatility3's `vol`; without it that row is left out. The contestants take turns.
"""

from __future__ import annotations

import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from sparse import make_sparse

GIB = 1 << 30
SIZE = 4 * GIB
_PT_LOAD = 1
_SCAN = """
import sys, time
from vmci_tui.search.find_notes import find
from vmci_tui.containers.guest import guest_of
from vmci_tui.opening.open_file import open_document
guest = guest_of(open_document(sys.argv[1]).dump)
start = time.perf_counter()
assert list(find(guest, sys.argv[2] == "all"))
print(time.perf_counter() - start)
"""
_STALL = """
import sys, threading, time
from vmci_tui.search.find_notes import find
from vmci_tui.containers.guest import guest_of
from vmci_tui.opening.open_file import open_document
guest = guest_of(open_document(sys.argv[1]).dump)
thread = threading.Thread(target=lambda: list(find(guest, sys.argv[2] == "all")))
thread.start()
worst, last = 0.0, time.perf_counter()
while thread.is_alive():
    time.sleep(0.001)
    worst, last = max(worst, time.perf_counter() - last), time.perf_counter()
print(worst)
"""


class CommandResult(NamedTuple):
    """One run of a program: seconds, peak resident memory in MiB, output."""

    seconds: float
    resident: float
    out: str


def main() -> None:
    dump, folder = Path(sys.argv[1]), Path(sys.argv[2])
    vol = sys.argv[3] if len(sys.argv) > 3 else ""
    runs = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    with tempfile.TemporaryDirectory(dir=folder) as made:
        full = str(_repeated(dump, Path(made) / "4GiB.elf"))
        vmci = [sys.executable, "-m", "vmci_tui", "find"]
        python = [sys.executable, "-c"]
        commands = {
            "page scan": [*python, _SCAN, full, "pages"],
            "scan of every byte": [*python, _SCAN, full, "all"],
            "dd": ["dd", f"if={full}", "of=/dev/null", "bs=4M"],
            "vmci find": [*vmci, full],
            "vmci find --all": [*vmci, "--all", full],
            "grep": ["grep", "-obUaP", r"VMCOREINFO\x00", full],
        }
        if vol:
            commands["vol linux.vmcoreinfo"] = [vol, "-q", "-f", full, "linux.vmcoreinfo"]
        ran: dict[str, list[CommandResult]] = {name: [] for name in commands}
        for number in range(runs + 1):  # the first round only warms up
            for name, command in commands.items():
                one = _run(command)
                ran[name] += [one] if number else []
        stall = {what: float(_run([*python, _STALL, full, what]).out) for what in ("pages", "all")}
        os.unlink(full)
        sparse = _run([*vmci, str(make_sparse(Path(made) / "1TiB.elf", 1024 * GIB))])
    _report(ran, stall, sparse, runs)


def _report(ran: dict[str, list[CommandResult]], stall: dict[str, float], sparse: CommandResult, runs: int) -> None:
    took = {name: statistics.median(_own_time(name, one) for one in all_of) for name, all_of in ran.items()}
    print(f"| 4 GiB in the page cache | median of {runs}, s | GB/s |\n|---|---|---|")
    for name, seconds in took.items():
        print(f"| {name} | {seconds:.2f} | {SIZE / seconds / 1e9:.1f} |")
    print("\n| ratio | is | at least |\n|---|---|---|")
    print(f"| rate of the page scan to dd | {took['dd'] / took['page scan']:.2f} | 0.85 |")
    for other, least in (("grep", 3), ("vol linux.vmcoreinfo", 8)):
        if other in took:
            print(f"| rate of the page scan to {other} | {took[other] / took['page scan']:.1f} | {least} |")
            print(
                f"| rate of `vmci find`, with start and proof, to {other} | {took[other] / took['vmci find']:.1f} | |"
            )
    print("\n| what | is | at most |\n|---|---|---|")
    print(f"| `vmci find` in 1 TiB of holes, s | {sparse.seconds:.2f} | 2 |")
    for name in ("vmci find", "vmci find --all"):
        print(f"| resident, `{name}`, MiB | {max(one.resident for one in ran[name]):.1f} | 40 |")
    print(f"| longest stall of another thread, page scan, ms | {stall['pages'] * 1e3:.0f} | 50 |")
    print(f"| the same, every byte, ms | {stall['all'] * 1e3:.0f} | 50 |")


def _own_time(name: str, one: CommandResult) -> float:
    """Return the seconds of each run: of scans without the start of Python, of programs in total."""
    return float(one.out) if "scan" in name else one.seconds


def _repeated(dump: Path, path: Path) -> Path:
    """Write a dump of 4 GiB that repeats the memory of `dump` (64 bit, its lowest memory first).

    Of the note and its data page only the first ones stay, as a memory holds no others on page starts.
    """
    with dump.open("rb") as source, path.open("wb") as target:
        head = bytearray(source.read(1 << 16))
        (phoff,) = struct.unpack_from("<Q", head, 32)
        (count,) = struct.unpack_from("<H", head, 56)
        at, start, length = 0, 0, 0
        for row in range(phoff, phoff + 56 * count, 56):
            if struct.unpack_from("<I", head, row)[0] == _PT_LOAD:
                if start:
                    struct.pack_into("<I", head, row, 0)  # other memory is not copied
                    continue
                at, start, length = row, *struct.unpack_from("<Q24xQ", head, row + 8)
        struct.pack_into("<QQ", head, at + 32, SIZE - start, SIZE - start)
        target.write(head[:start])
        first = True
        while (left := SIZE - target.tell()) > 0:
            source.seek(start)
            for done in range(0, min(left, length), 1 << 20):
                block = source.read(min(1 << 20, left - done, length - done))
                target.write(block if first else _without_notes(block))
            first = False
    return path


def _without_notes(block: bytes) -> bytes:
    out = bytearray(block)
    for page in range(0, len(out), 4096):
        if out[page + 12 : page + 22] == b"VMCOREINFO" or out[page : page + 10] == b"OSRELEASE=":
            out[page : page + 4096] = bytes(4096)
    return bytes(out)


def _run(command: list[str]) -> CommandResult:
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        out = process.stdout.read().decode("latin-1")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{shutil.which(command[0])} ended with {process.returncode}")
    return CommandResult(time.perf_counter() - start, usage.ru_maxrss / 1024, out)


if __name__ == "__main__":
    main()
