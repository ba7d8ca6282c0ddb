"""Search compressed memory on all processors; the result is the same as for plain memory, in the same order."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from typing import Final

from vmci_tui.common.progress import Progress
from vmci_tui.containers.kdump.pages import Pages
from vmci_tui.search.pages.batches import page_batches
from vmci_tui.search.pages.scan_batch import BatchHits, PageBatch, across, scan
from vmci_tui.search.pages.worker_pool import WorkerPool
from vmci_tui.search.patterns import SearchPattern

WORTH: Final = 0.3
"""Seconds of remaining work for which workers are started: starting one costs 0.1 s of a processor."""
_TRIED: Final = 0.03
"""Seconds of work after which the remaining time can be estimated."""
BEHIND: Final = 64
"""The most batches that wait for one before them; then that one is done in this process."""


def page_places(pages: Pages, pattern: SearchPattern, progress: Progress) -> Iterator[int]:
    """Yield the addresses at which `pattern` matches, ascending. Raises OpenError, and what `progress` raises.

    `progress` counts bytes of memory, once a batch and once a match. All processes have ended when this ends or is
    closed.
    """
    size = pages.block_size
    total = pages.bitmap.rank(pages.bitmap.last) * size
    workers = WorkerPool(pages.plain)
    progress("scan", 0, total)
    done, before = 0, BatchHits([])
    try:
        for slot in _in_order(pages, pattern, workers):
            if slot.found is not None:
                for paddr in (*across(before, slot.found, pattern), *slot.found.places):
                    yield paddr
                    progress("scan", done, total)  # the caller may need long for each match
                before = slot.found if slot.found.tail else before
                done = slot.done * size
            progress("scan", done, total)
    finally:
        workers.close()
    progress("scan", total, total)


class _Slot:
    """A batch in its place in the order, and its hits; None until it was searched."""

    def __init__(self, batch: PageBatch, done: int) -> None:
        self.batch = batch
        self.done = done
        self.found: BatchHits | None = None if batch.spans else BatchHits([])


def _in_order(pages: Pages, pattern: SearchPattern, workers: WorkerPool) -> Iterator[_Slot]:
    """Yield each searched batch once, in order; between them one that is not searched, so that a stop takes effect."""
    waiting: deque[_Slot] = deque()
    asked: dict[int, _Slot] = {}
    start, alone, count = time.perf_counter(), True, pages.bitmap.rank(pages.bitmap.last)
    for number, batch_progress in enumerate(page_batches(pages, pattern)):
        slot = _Slot(*batch_progress)
        waiting.append(slot)
        took = time.perf_counter() - start
        if alone and took >= min(_TRIED, WORTH) and took * (count / slot.done - 1) >= WORTH:
            workers.start()
            alone = False
        if slot.found is None:
            if workers.take(number, slot.batch):
                asked[number] = slot
            else:
                slot.found = scan(slot.batch, pages.plain.read)
        _collect(workers, asked)
        if len(waiting) > BEHIND and waiting[0].found is None:
            waiting[0].found = scan(waiting[0].batch, pages.plain.read)
        if waiting[0].found is None:
            yield waiting[0]
        while waiting and waiting[0].found is not None:
            yield waiting.popleft()
    # From the end, because no worker has started there.
    for slot in reversed(tuple(waiting)):
        _collect(workers, asked)
        if slot.found is None:
            yield slot
            slot.found = scan(slot.batch, pages.plain.read)
    yield from waiting


def _collect(workers: WorkerPool, asked: dict[int, _Slot]) -> None:
    for number, found in workers.collect():
        asked.pop(number).found = found
