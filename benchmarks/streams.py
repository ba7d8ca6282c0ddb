"""Time the opening, the index and the reading of migration streams: 2 GiB of plain pages, and 64 GiB of zero pages.

The streams are made for the run, with the devices of a small one in tests/data. `cat` reads the same file.
"""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from struct import pack
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.zstd import zstd  # noqa: E402
from vmci_tui.images.guest_image import GuestImage, ImageChoice  # noqa: E402
from vmci_tui.images.stream_image.open_stream import open_stream  # noqa: E402
from vmci_tui.layers.file import FileSource  # noqa: E402

PAGE: Final = 4096
RUNS: Final = 3
_PART: Final = b"\2\0\0\0\2"
_END: Final = pack(">Q", 0x10) + b"\x7e\0\0\0\2"


def make(path: Path, gib: int, plain: bool) -> None:
    """Write a stream of a guest with `gib` GiB, all pages plain or all zero, in sections of 64 MiB of guest."""
    small = zstd.decompress((ROOT / "tests" / "data" / "streams" / "pc-7.2.qevm.zst").read_bytes())
    devices = small[small.index(b"\x7e\0\0\0\2\4", 10_000) + 5 :]
    size = gib << 30
    page = bytes(range(256)) * (PAGE // 256)
    with path.open("wb") as out:
        out.write(b"QEVM\0\0\0\3\7\0\0\0\x0dpc-i440fx-7.2\1\0\0\0\2\3ram" + pack(">II", 0, 4))
        out.write(pack(">Q", size | 4) + b"\6pc.ram" + pack(">Q", size) + _END)
        first = b"\6pc.ram"
        for start in range(0, size, 64 << 20):
            out.write(_PART)
            for address in range(start, start + (64 << 20), PAGE):
                head = pack(">Q", address | (8 if plain else 2) | (0 if first else 0x20)) + first
                out.write(head + (page if plain else b"\0"))
                first = b""
            out.write(_END)
        out.write(b"\3" + _PART[1:] + _END + devices)


def opened(path: str) -> None:
    with FileSource(path) as source:
        assert _image(source).entry is not None


def indexed(path: str) -> None:
    with FileSource(path) as source:
        assert len(_image(source).source.read(0, 1)) == 1


def read(path: str) -> None:
    with FileSource(path) as source:
        image = _image(source)
        for start, end in image.source.data_ranges(0, image.source.size):
            for at in range(start, end, 4 << 20):
                image.source.read(at, min(end - at, 4 << 20))


def cat(path: str) -> None:
    subprocess.run(["cat", path], stdout=subprocess.DEVNULL, check=True)


def copied(path: str) -> None:
    subprocess.run(["cp", "--reflink=never", path, f"{path}.copy"], check=True)
    Path(f"{path}.copy").unlink()


def _image(source: FileSource) -> GuestImage:
    return open_stream(source, ImageChoice())


def _measured(
    task: Callable[[str], None], path: str, out: multiprocessing.SimpleQueue[tuple[float, float, int]]
) -> None:
    start, before = time.perf_counter(), _processor()
    task(path)
    end, after = time.perf_counter(), _processor()
    out.put((end - start, after - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


def _processor() -> float:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def main() -> None:
    """Print a row for each task."""
    print("| stream | task | elapsed, median, s | processor, median, s | resident, MiB |\n|---|---|---|---|---|")
    spawn = multiprocessing.get_context("spawn")  # a process of its own memory: its peak is measured
    queue: multiprocessing.SimpleQueue[tuple[float, float, int]] = spawn.SimpleQueue()
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        for gib, plain in ((2, True), (64, False)):
            path = Path(folder) / f"{gib}.qevm"
            make(path, gib, plain)
            tasks = (opened, indexed, read, cat, copied) if plain else (opened, indexed, cat)
            rows: dict[str, list[tuple[float, float, int]]] = {task.__name__: [] for task in tasks}
            for _ in range(RUNS):
                for task in tasks:
                    worker = spawn.Process(target=_measured, args=(task, str(path), queue))
                    worker.start()
                    rows[task.__name__].append(queue.get())
                    worker.join()
            for name, found in rows.items():
                elapsed, processor, resident = (statistics.median(column) for column in zip(*found, strict=True))
                what = f"{gib} GiB, {'plain' if plain else 'zero'} pages"
                print(f"| {what} | {name} | {elapsed:.3f} | {processor:.3f} | {resident / 1024:.0f} |", flush=True)
            path.unlink()


if __name__ == "__main__":
    main()
