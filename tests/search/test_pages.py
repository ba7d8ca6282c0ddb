"""Test that a search of compressed memory finds the same as in plain memory, with and without worker processes."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dumps.factory import TEXT_64, Load, elf, note
from tests.dumps.kdump_factory import LZO, SNAPPY, ZLIB, ZSTD, flattened, kdump
from tests.dumps.records import Bits, Order
from tests.limits import PATIENCE
from tests.opened_files import file_source
from vmci_tui.common.errors import Cancelled, OpenError
from vmci_tui.common.progress import no_progress
from vmci_tui.containers import open_dump
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.layers.file import BytesSource, FileSource
from vmci_tui.search.candidate import Candidate
from vmci_tui.search.find_notes import find, search_memory
from vmci_tui.search.pages import batches, scheduler, worker_pool
from vmci_tui.search.pages import scan_batch as page_pattern
from vmci_tui.search.pages.worker import question
from vmci_tui.search.pages.worker_pool import WorkerPool
from vmci_tui.search.patterns import EVERYWHERE, PAGE_STARTS, SearchPattern


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small batches, so that small memory has many."""
    monkeypatch.setattr(batches, "HEADS", 4)
    monkeypatch.setattr(batches, "BYTES", 4 * 4096)
    monkeypatch.setattr(scheduler, "WORTH", 1e9)
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Return the started processes, and assert that none is left at the end."""
    out: list[Any] = []
    popen = subprocess.Popen

    def start(*args: Any, **kwargs: Any) -> Any:
        out.append(popen(*args, **kwargs))
        return out[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    yield out
    assert all(process.returncode is not None for process in out)
    assert not any(os.path.exists(f"/proc/{process.pid}") for process in out)


@pytest.fixture
def helped(monkeypatch: pytest.MonkeyPatch, started: list[Any]) -> list[Any]:
    """Let two workers do all of the work: each is waited for, and nothing is searched here."""
    collect = WorkerPool.collect

    def patiently(self: WorkerPool) -> Iterator[tuple[int, page_pattern.BatchHits]]:
        end = time.monotonic() + PATIENCE
        while True:
            yield from collect(self)
            if not any(worker.pending for worker in self._running):
                return
            assert time.monotonic() < end
            time.sleep(0.001)

    def here(*_: object) -> page_pattern.BatchHits:
        raise AssertionError("looked at by this process")

    monkeypatch.setattr(scheduler, "WORTH", 0.0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    monkeypatch.setattr(WorkerPool, "collect", patiently)
    monkeypatch.setattr(scheduler, "scan", here)
    return started


def quickly(data: bytes) -> bytes:
    return zlib.compress(data, 1)


def memory_of(seed: int, size: int, order: Order) -> bytes:
    """Return 48 pages of 4 KiB with notes and texts at various places, and zeros between them."""
    rng = random.Random(seed)
    memory = bytearray(48 * 4096)
    for at in range(0, len(memory), size):
        if rng.random() < 0.5:
            memory[at : at + size] = rng.randbytes(64).ljust(size, bytes([rng.randrange(256)]))
    bodies = (note(order=order), TEXT_64, note(order=order)[:200], b"OSRELEASE=1\n" * 3)
    for _ in range(12):
        body, at = rng.choice(bodies), rng.randrange(0, 47) * 4096
        at = max(at + rng.choice((0, 0, -1, -3, -5, -12, -23, -24, -25, -33, -34, -35, 4, 100)), 0)
        memory[at : at + len(body)] = body
    return bytes(memory)


def plain(memory: dict[int, bytes], size: int, order: Order) -> Guest:
    dump = open_dump(BytesSource(elf(loads=[Load(pfn * size, page) for pfn, page in memory.items()], order=order)))
    assert dump is not None
    return guest_of(dump)


def compressed(data: bytes, folder: Path | None = None) -> Guest:
    """Return the guest of a kdump file, opened from bytes, or from a file that workers can read."""
    source: BytesSource | FileSource = BytesSource(data)
    if folder is not None:
        (folder / "dump").write_bytes(data)
        source = file_source(str(folder / "dump"))
    dump = open_dump(source)
    assert dump is not None
    return guest_of(dump)


def seen(guest: Guest, everywhere: bool) -> list[Candidate]:
    return [item._replace(offset=None) for item in find(guest, everywhere)]


def pages_of(memory: bytes, size: int, without: tuple[int, ...] = ()) -> dict[int, bytes]:
    return {at // size: memory[at : at + size] for at in range(0, len(memory), size) if at // size not in without}


@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize("size", [4096, 8192, 65536])
@pytest.mark.parametrize(("bits", "order"), [(64, "little"), (64, "big"), (32, "little")])
def test_compressed_and_plain_memory_give_the_same_results(
    bits: Bits, order: Order, size: int, everywhere: bool
) -> None:
    for seed in range(12):
        memory = pages_of(memory_of(seed, size, order), size, () if seed % 2 else (1, 7, 8, 20))
        data = kdump(memory, bits=bits, order=order, block=size, compress=quickly, notes=[])
        expected = seen(plain(memory, size, order), everywhere)
        assert seen(compressed(data), everywhere) == expected
        cuts = sorted(random.Random(seed).randrange(len(data)) for _ in range(40))
        assert seen(compressed(flattened(data, cuts)), everywhere) == expected


def test_a_full_pipe_is_written_later(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, helped: list[Any]) -> None:
    start = WorkerPool.start

    def narrow(self: WorkerPool) -> None:
        start(self)
        for process in helped:
            assert fcntl.fcntl(process.stdin, fcntl.F_SETPIPE_SZ, 4096) == 4096

    asked: list[int] = []
    monkeypatch.setattr(WorkerPool, "start", narrow)

    def counted(*args: Any) -> bytes:
        asked.append(len(made := question(*args)))
        return made

    monkeypatch.setattr(worker_pool, "question", counted)
    rng = random.Random(6)
    data = kdump({pfn: rng.randbytes(4096) for pfn in range(20)} | {20: note().ljust(4096, b"\0")}, notes=[])
    found = seen(compressed(flattened(data, range(3000, len(data), 50)), tmp_path), True)
    assert [item.paddr for item in found] == [20 << 12] and max(asked) > 4096


@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize("shape", ["plain", "flattened", "big"])
def test_worker_processes_find_the_same(shape: str, everywhere: bool, tmp_path: Path, helped: list[Any]) -> None:
    order: Order = "big" if shape == "big" else "little"
    memory = pages_of(memory_of(3, 4096, order), 4096)
    data = kdump(memory, order=order, notes=[])
    if shape == "flattened":
        data = flattened(data, range(3000, len(data), 1000))
    found = seen(compressed(data, tmp_path), everywhere)
    assert found == seen(plain(memory, 4096, order), everywhere) and len(found) > 3
    assert len(helped) == 2


def compressions() -> list[Any]:
    import cramjam
    import lzallright

    try:
        from compression import zstd  # type: ignore[import-not-found]
    except ImportError:
        from tests.zstd import zstd
    return [
        (LZO, lzallright.LZOCompressor().compress), (ZSTD, zstd.compress), (ZLIB, None),
        (SNAPPY, lambda data: bytes(cramjam.snappy.compress_raw(data))),
    ]  # fmt: skip


@pytest.mark.parametrize(("flag", "compress"), compressions())
def test_all_compressions(flag: int, compress: Any, tmp_path: Path, helped: list[Any]) -> None:
    memory = pages_of(memory_of(5, 4096, "little"), 4096)
    found = seen(compressed(kdump(memory, compress=compress, flag=flag, notes=[]), tmp_path), True)
    assert found == seen(plain(memory, 4096, "little"), True) and found


@pytest.mark.parametrize("everywhere", [False, True])
def test_a_page_that_is_stored_once_for_many_is_found_at_each(everywhere: bool) -> None:
    """A page is skipped only if no match begins in it."""
    data = bytearray(kdump({pfn: note().ljust(4096, b"\0") for pfn in range(40)}, notes=[]))
    table = data.find(struct.pack("<I", ZLIB) + bytes(8)) - 12
    for row in range(1, 40):
        data[table + 24 * row : table + 24 * row + 24] = data[table : table + 24]
    assert [item.paddr for item in seen(compressed(bytes(data)), everywhere)] == [pfn * 4096 for pfn in range(40)]


def test_a_damaged_page_hides_no_other() -> None:
    memory = {pfn: note().ljust(4096, bytes([pfn])) for pfn in range(12)}
    good = kdump(memory, notes=[])
    at = good.index(zlib.compress(memory[5]))
    for everywhere in (False, True):
        found = seen(compressed(good[:at] + b"\xff\xff" + good[at + 2 :]), everywhere)
        assert [item.paddr for item in found] == [pfn * 4096 for pfn in range(12) if pfn != 5]


def test_words_and_steps_are_found_too() -> None:
    memory = bytearray(b"\1" * (32 << 12))
    for at in (0x1100, 0x3FFE, 0x9100, 0xA0FF, 0x10100):
        memory[at : at + 4] = b"WORD"
    guest = compressed(kdump(pages_of(bytes(memory), 4096), notes=[]))
    assert list(search_memory(guest, SearchPattern((b"WORD",)), no_progress)) == [
        0x1100,
        0x3FFE,
        0x9100,
        0xA0FF,
        0x10100,
    ]
    assert list(search_memory(guest, SearchPattern((b"WORD",), 4096, 0x100), no_progress)) == [0x1100, 0x9100, 0x10100]
    assert list(search_memory(guest, SearchPattern((b"WORD",), 65536, 0x100), no_progress)) == [0x10100]
    assert list(search_memory(guest, SearchPattern((b"WORD",), 4096, 0xFFE), no_progress)) == [
        0x3FFE
    ]  # as far as the page goes


def test_progress_counts_pages_and_may_stop_it() -> None:
    guest = compressed(kdump(pages_of(memory_of(1, 4096, "little"), 4096), notes=[]))
    told: list[tuple[int, int]] = []
    list(find(guest, progress=lambda _, done, total: told.append((done, total))))
    assert told[0] == (0, 48 * 4096) and told[-1] == (48 * 4096, 48 * 4096)
    assert [done for done, _ in told] == sorted(done for done, _ in told) and len(told) > 5
    with pytest.raises(Cancelled):
        list(find(guest, progress=_stop_after(8)))


def _stop_after(calls: int) -> Callable[[str, int, int], None]:
    left = calls

    def told(_what: str, _done: int, _total: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Cancelled("stopped")

    return told


def test_stopping_leaves_no_process(tmp_path: Path, helped: list[Any]) -> None:
    guest = compressed(kdump(pages_of(memory_of(2, 4096, "little"), 4096), notes=[]), tmp_path)
    with pytest.raises(Cancelled):
        list(find(guest, True, _stop_after(4)))
    assert len(helped) == 2 and all(process.returncode is not None for process in helped)


def test_a_search_that_is_dropped_leaves_no_process(tmp_path: Path, helped: list[Any]) -> None:
    guest = compressed(kdump(pages_of(memory_of(2, 4096, "little"), 4096), notes=[]), tmp_path)
    search = find(guest, True)
    next(search)
    search.close()  # type: ignore[attr-defined]
    assert len(helped) == 2 and all(process.returncode is not None for process in helped)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_batches_of_a_lost_worker_are_searched_here(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, started: list[Any]
) -> None:
    memory = pages_of(memory_of(4, 4096, "little"), 4096)
    monkeypatch.setattr(scheduler, "WORTH", 0.0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    take = WorkerPool.take

    def taken(self: WorkerPool, at: int, batch: page_pattern.PageBatch) -> bool:
        done = take(self, at, batch)
        for process in started:
            if process.returncode is None:
                process.send_signal(number)
        return done

    monkeypatch.setattr(WorkerPool, "take", taken)
    for _ in range(3):
        assert seen(compressed(kdump(memory, notes=[]), tmp_path), True) == seen(plain(memory, 4096, "little"), True)
    assert len(started) == 6


def test_without_worker_processes_all_is_searched_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    memory = pages_of(memory_of(4, 4096, "little"), 4096)
    monkeypatch.setattr(scheduler, "WORTH", 0.0)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    assert seen(compressed(kdump(memory, notes=[]), tmp_path), False) == seen(plain(memory, 4096, "little"), False)


def test_a_busy_machine_starts_no_worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, started: list[Any]) -> None:
    monkeypatch.setattr(scheduler, "WORTH", 0.0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    for load, workers in ((2.7, 0), (1.8, 1), (0.2, 2)):
        monkeypatch.setattr(os, "getloadavg", lambda load=load: (load, 0.0, 0.0))
        before = len(started)
        assert seen(compressed(kdump(pages_of(memory_of(4, 4096, "little"), 4096), notes=[]), tmp_path), False)
        assert len(started) - before == workers


def test_memory_without_a_file_needs_no_worker(monkeypatch: pytest.MonkeyPatch, started: list[Any]) -> None:
    monkeypatch.setattr(scheduler, "WORTH", 0.0)
    memory = pages_of(memory_of(4, 4096, "little"), 4096)
    assert seen(compressed(kdump(memory, notes=[])), False) == seen(plain(memory, 4096, "little"), False)
    assert not started


def test_a_missing_package_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, started: list[Any]) -> None:
    """Workers lack the package too: they fail, and the error is raised here."""
    monkeypatch.setattr(scheduler, "WORTH", 0.0)
    monkeypatch.setitem(sys.modules, "lzallright", None)
    monkeypatch.setattr(worker_pool, "_CODE", "raise SystemExit(1)")
    guest = compressed(kdump(pages_of(memory_of(4, 4096, "little"), 4096), flag=LZO, notes=[]), tmp_path)
    with pytest.raises(OpenError, match="lzallright is missing"):
        list(find(guest))


_PARENT = """
import os, signal, sys, time
from vmci_tui.search.pages import scheduler
from vmci_tui.containers import open_dump
from vmci_tui.search.pages.worker_pool import WorkerPool
from vmci_tui.layers.file import FileSource
workers = WorkerPool(open_dump(FileSource(sys.argv[1])).plain)
os.sched_getaffinity, os.getloadavg = lambda _: {0, 1}, lambda: (0.0, 0.0, 0.0)
workers.start()
print(workers._running[0]._process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_workers_end_with_their_parent_process(tmp_path: Path) -> None:
    (tmp_path / "dump").write_bytes(kdump(notes=[]))
    done = subprocess.run([sys.executable, "-c", _PARENT, str(tmp_path / "dump")], capture_output=True, check=False)
    pid, end = int(done.stdout), time.monotonic() + PATIENCE
    while _runs(pid):
        assert time.monotonic() < end
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    """Return whether the process exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_page_starts_are_recognised_by_a_few_bytes() -> None:
    assert batches.prefix(PAGE_STARTS, 4096) == 34
    assert batches.prefix(PAGE_STARTS, 65536) == 61440 + 34
    assert batches.prefix(EVERYWHERE, 4096) == 4096
    assert batches.prefix(SearchPattern((b"Linux\0",), 65536, 0x12345), 4096) == 0x345 + 6
