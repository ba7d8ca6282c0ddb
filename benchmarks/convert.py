"""Compare converting 2 GiB of memory with `cp`, and with `cp`, `sync` and `cmp`; they take turns in one run.

Run by hand: `python benchmarks/convert.py lime|stream [RUNS]`. The image has the memory of a guest, then data without
zeros.
"""

from __future__ import annotations

import os
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from elftools.elf.elffile import ELFFile
from large_streams import write_stream

SAMPLE = Path(__file__).parent.parent / "sample_dumps" / "amd64-cut-nonote.elf"
VMCI = [sys.executable, "-m", "vmci_tui"]
SIZE = 2 << 30
HIGH = 1 << 40
"""Where the data is in guest memory: after all of the sample's."""


def main() -> None:
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        image, out = folder / "image", folder / "out"
        if sys.argv[1] == "stream":
            write_stream(image, SIZE >> 30, "plain")
        else:
            _write_lime(image)
        works: dict[str, Callable[[], None]] = {
            "convert": lambda: _run(*VMCI, "convert", str(image), "-o", str(out)),
            "convert, nothing read back": lambda: _run(
                *VMCI, "convert", str(image), "-o", str(out), "--check-limit", "1"
            ),
            "cp": lambda: _run("cp", str(image), str(out)),
            "cp, sync, cmp": lambda: _compared(image, out),
        }
        times: dict[str, list[tuple[float, float]]] = {what: [] for what in works}
        for _ in range(runs + 1):
            for what, work in works.items():
                start, before = time.perf_counter(), _processor()
                work()
                times[what].append((time.perf_counter() - start, _processor() - before))
                out.unlink()
        print("| what | elapsed, median, s | processor, median, s | `cp` takes of it, elapsed | processor |")
        print("|---|---|---|---|---|")
        medians = {
            what: [statistics.median(column) for column in zip(*rows[1:], strict=True)] for what, rows in times.items()
        }
        for what, (elapsed, processor) in medians.items():
            of_elapsed, of_processor = (one / own for one, own in zip(medians["cp"], (elapsed, processor), strict=True))
            print(f"| {what} | {elapsed:.2f} | {processor:.2f} | {of_elapsed:.2f} | {of_processor:.2f} |")


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _write_lime(path: Path) -> None:
    block = os.urandom(1 << 20)
    with SAMPLE.open("rb") as sample, path.open("wb") as file:
        for segment in ELFFile(sample).iter_segments("PT_LOAD"):
            _range(file.write, segment["p_paddr"], segment["p_filesz"])
            file.write(segment.data())
        _range(file.write, HIGH, SIZE)
        for number in range(SIZE >> 20):
            file.write(number.to_bytes(8, "little") + block[8:])
        os.fsync(file.fileno())


def _range(write: Callable[[bytes], int], paddr: int, length: int) -> None:
    write(struct.pack("<4sIQQ8x", b"EMiL", 1, paddr, paddr + length - 1))


def _compared(image: Path, out: Path) -> None:
    _run("cp", str(image), str(out))
    _run("sync", str(out))
    _run("cmp", str(image), str(out))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    main()
