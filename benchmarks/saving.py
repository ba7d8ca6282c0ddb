"""Compare saving a copy with `cp`, and saving in place on dumps of two sizes; each pair takes turns in one run.

Run by hand: `python benchmarks/saving.py [RUNS]`. As root it also makes an XFS file
system in a file, to see blocks shared; elsewhere that row is left out, saying so.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sparse import make_sparse

from vmci_tui.opening.open_file import open_document

SAMPLES = Path(__file__).parent.parent / "sample_dumps"
VMCI = [sys.executable, "-m", "vmci_tui"]
GIB, TIB = 1 << 30, 1 << 40


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        print("| what | is | at most |\n|---|---|---|")
        in_place(Path(folder), runs)
        against_cp(Path(folder), max(runs // 2, 3))
        shared(Path(folder))


def in_place(folder: Path, runs: int) -> None:
    """Append a note that makes the header area grow, on 1 GiB and on 1 TiB; undo it after each run."""
    dumps = {size: str(make_sparse(folder / f"{size}.elf", size)) for size in (GIB, TIB)}
    text = folder / "long.txt"
    with open_document(str(SAMPLES / "amd64-cut-note.elf")) as document:
        note = document.state.vmcoreinfo
        assert note is not None
        text.write_bytes(note.text + b"".join(b"NUMBER(n%d)=%d\n" % (n, n) for n in range(400)))
    took: dict[int, list[float]] = {size: [] for size in dumps}
    written = 0
    for _ in range(runs + 1):
        for size, dump in dumps.items():
            took[size].append(_time(lambda d=dump: _run(*VMCI, "append", d, "--text", str(text), "--in-place")))
            written = os.stat(f"{dump}.vmci-undo").st_size
            _run(*VMCI, "undo", dump)
    small, large = (statistics.median(times[1:]) for times in took.values())
    print(f"| in place, 1 TiB to 1 GiB ({large * 1000:.0f} and {small * 1000:.0f} ms) | {large / small:.2f} | 1.5 |")
    print(f"| bytes in the journal, old and new ones together | {written} | 4194304 |")


def against_cp(folder: Path, runs: int) -> None:
    """Copy 2 GiB of data without holes, and compare it; then the same with `cp`, `sync` and `cmp`."""
    source = _with_data(folder / "data.elf", 2 * GIB)
    out, other = folder / "out.elf", folder / "other.elf"
    times: dict[str, list[float]] = {"vmci": [], "cp": []}
    for _ in range(runs):
        times["vmci"].append(_time(lambda: _run(*VMCI, "set", str(source), "NUMBER(x)=1", "-o", str(out))))
        out.unlink()
        times["cp"].append(_time(lambda: _cp(source, other)))
        other.unlink()
    ours, theirs = (statistics.median(times[name]) for name in ("vmci", "cp"))
    ratios = statistics.median(a / b for a, b in zip(times["vmci"], times["cp"], strict=True))
    print(f"| copy of 2 GiB with proof, to cp, sync and cmp ({ours:.1f} and {theirs:.1f} s) | {ratios:.2f} | 1.10 |")
    source.unlink()


def shared(folder: Path) -> None:
    """Copy 10 GiB of sparse data on a file system that shares blocks."""
    if os.geteuid() != 0 or not shutil.which("mkfs.xfs"):
        print("| copy of 10 GiB on XFS | left out: needs root and mkfs.xfs | 1 s |")
        return
    disk, mount = folder / "disk", folder / "mount"
    mount.mkdir()
    with disk.open("wb") as file:
        file.truncate(4 * GIB)
    _run("mkfs.xfs", "-q", "-m", "reflink=1", str(disk))
    if subprocess.run(["mount", "-o", "loop", str(disk), str(mount)], capture_output=True, check=False).returncode:
        print("| copy of 10 GiB on XFS | left out: mounting is not allowed here | 1 s |")
        return
    try:
        dump = make_sparse(mount / "dump.elf", 10 * GIB)
        with dump.open("r+b") as file:
            for at in range(GIB, 10 * GIB, GIB // 4):
                file.seek(at)
                file.write(os.urandom(1 << 20))
        took = _time(lambda: _run(*VMCI, "set", str(dump), "NUMBER(x)=1", "-o", str(mount / "out.elf")))
        print(f"| copy of 10 GiB of sparse data on XFS, s | {took:.2f} | 1 |")
    finally:
        _run("umount", str(mount))


def _with_data(path: Path, size: int) -> Path:
    make_sparse(path, size)
    block = os.urandom(1 << 20)
    with path.open("r+b") as file:
        for number in range(16, size >> 20):
            file.seek(number << 20)
            file.write(number.to_bytes(8, "little") + block[8:])
        os.fsync(file.fileno())
    return path


def _cp(source: Path, target: Path) -> None:
    _run("cp", str(source), str(target))
    _run("sync", str(target))
    _run("cmp", str(source), str(target))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _time(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
