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
from typing import Final

from large_streams import write_stream

from vmci_tui.images.guest_image import GuestImage, ImageChoice
from vmci_tui.images.stream_image.open_stream import open_stream
from vmci_tui.layers.file import FileSource

RUNS: Final = 3


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
            write_stream(path, gib, "plain" if plain else "zero")
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
