"""Worker processes that search compressed memory on all processors.

Each is a fresh interpreter that gets its work through a pipe. It is not forked: a copy of this process would
keep the locks of its threads for ever, and would hold the terminal and all open files. A fresh one takes 60 ms
to start, during which this process works: it never waits for a worker. If a worker is lost, killed or stopped,
its batches are done here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Final

from vmci_tui.layers.file import FileSource, Source
from vmci_tui.layers.flattened import FlattenedSource
from vmci_tui.search.pages.scan_batch import BatchHits, PageBatch
from vmci_tui.search.pages.worker import LENGTH, FileParts, parse_answer, question

MOST: Final = 7
"""The most workers: preparing one batch takes as long as eight processes need for searching one each."""
AHEAD: Final = 8
"""The most batches of a worker: one to do, the others so that it seldom sleeps; waking it costs our processor time."""
_PARTS: Final = 1024
"""The most records of a flattened file in one batch; no program writes shorter ones."""
_CODE: Final = (
    "import sys; sys.path[:] = sys.argv[2:]; from vmci_tui.search.pages.worker import main; main(int(sys.argv[1]))"
)


class WorkerPool:
    """One worker for each idle processor except our own; none if the pages are not in a file."""

    def __init__(self, plain: Source) -> None:
        self._plain = plain
        self._file = plain.file if isinstance(plain, FlattenedSource) else plain
        self._running: list[_Worker] = []

    def start(self) -> None:
        """Start the workers; after an error there are fewer, or none."""
        if not isinstance(self._file, FileSource) or not sys.executable:
            return
        count = len(os.sched_getaffinity(0))
        # If other work keeps the processors busy, a worker takes as much from us as it gives.
        for _ in range(min(count - 1, round(count - os.getloadavg()[0]), MOST)):
            try:
                self._running.append(_Worker(self._file.fileno()))
            except OSError:
                return

    def take(self, number: int, batch: PageBatch) -> bool:
        """Give a batch to a worker that has room for it; return False if none has."""
        free = min(self._running, key=lambda worker: worker.pending, default=None)
        if free is None or free.pending >= AHEAD or (parts := self._parts(batch)) is None:
            return False
        free.ask(question(number, batch, parts))
        return True

    def collect(self) -> Iterator[tuple[int, BatchHits]]:
        """Yield the number and the hits of each batch that is done."""
        for worker in tuple(self._running):
            yield from worker.answers()
            if worker.lost:
                self._running.remove(worker)
                worker.end()

    def close(self) -> None:
        """End all workers at once."""
        while self._running:
            self._running.pop().end()

    def _parts(self, batch: PageBatch) -> tuple[FileParts, ...] | None:
        """Return where the ranges are in the file; None if there are too many records."""
        if not isinstance(self._plain, FlattenedSource):
            return tuple(((low, size, low),) for low, size, _ in batch.spans)
        out: list[FileParts] = []
        left = _PARTS
        for low, size, _ in batch.spans:
            here: list[tuple[int, int, int]] = []
            for record in self._plain.pieces(low, size):
                if not left:
                    return None
                left -= 1
                here.append((record.offset, record.length, record.place))
            out.append(tuple(here))
        return tuple(out)


class _Worker:
    """One process; both pipes are read and written without waiting."""

    def __init__(self, file: int) -> None:
        # A process group of its own: Ctrl-C goes to us, and we end the workers.
        process: Any = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _CODE, str(file), *sys.path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
            pass_fds=(file,), process_group=0,
        )  # fmt: skip
        self._process = process
        self._in, self._out = process.stdin.fileno(), process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        self._data = self._unsent = b""
        self.pending = 0
        self.lost = False

    def ask(self, data: bytes) -> None:
        self.pending += 1
        self._unsent += data
        self._send()

    def _send(self) -> None:
        """Write as much as the pipe takes."""
        try:
            self._unsent = self._unsent[os.write(self._in, self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            self.lost = True

    def answers(self) -> Iterator[tuple[int, BatchHits]]:
        if self._unsent:
            self._send()
        while True:
            try:
                more = os.read(self._out, 1 << 16)
            except BlockingIOError:
                break
            if not more:
                self.lost = True
                break
            self._data += more
        while len(self._data) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._data)
            if len(self._data) < LENGTH.size + length:
                return
            answer = self._data[LENGTH.size : LENGTH.size + length]
            self._data = self._data[LENGTH.size + length :]
            self.pending -= 1
            yield parse_answer(answer)

    def end(self) -> None:
        self._process.kill()
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
