"""Looking through compressed memory on all processors: the same places in the same order as through plain memory."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from typing import Final

from vmci_tui.common.progress import Progress
from vmci_tui.containers.kdump.pages import Pages
from vmci_tui.search.pages.batches import portions
from vmci_tui.search.pages.scan_batch import BatchHits, PageBatch, across, look_at
from vmci_tui.search.pages.worker_pool import WorkerPool
from vmci_tui.search.patterns import SearchPattern

WORTH: Final = 0.3
"""Seconds of work that must lie ahead for helpers to be started: that takes 0.1 s of a processor for each."""
_TRIED: Final = 0.03
"""Seconds of work after which that is known."""
BEHIND: Final = 64
"""Pieces that may wait for one before them; then that is done here."""


def page_places(pages: Pages, look: SearchPattern, told: Progress) -> Iterator[int]:
    """The addresses at which `look` finds something, in order. Raises OpenError, and what `told` does.

    `told` counts bytes of memory, once a piece and once a place. No process is left when this ends or is closed.
    """
    size = pages.block_size
    total = pages.bitmap.rank(pages.bitmap.last) * size
    helpers = WorkerPool(pages.plain)
    told("scan", 0, total)
    done, before = 0, BatchHits([])
    try:
        for slot in _in_order(pages, look, helpers):
            if slot.found is not None:
                for paddr in (*across(before, slot.found, look), *slot.found.places):
                    yield paddr
                    told("scan", done, total)  # whoever looks at what lies there may take long
                before = slot.found if slot.found.tail else before
                done = slot.done * size
            told("scan", done, total)
    finally:
        helpers.close()
    told("scan", total, total)


class _Slot:
    """A piece in its place in the order; what it holds is None until it is looked at."""

    def __init__(self, piece: PageBatch, done: int) -> None:
        self.piece = piece
        self.done = done
        self.found: BatchHits | None = None if piece.spans else BatchHits([])


def _in_order(pages: Pages, look: SearchPattern, helpers: WorkerPool) -> Iterator[_Slot]:
    """The pieces that are looked at, each once; in between, one that is not yet, so that a stop is heard."""
    waiting: deque[_Slot] = deque()
    asked: dict[int, _Slot] = {}
    start, alone, count = time.perf_counter(), True, pages.bitmap.rank(pages.bitmap.last)
    for number, portion in enumerate(portions(pages, look)):
        slot = _Slot(*portion)
        waiting.append(slot)
        took = time.perf_counter() - start
        if alone and took >= min(_TRIED, WORTH) and took * (count / slot.done - 1) >= WORTH:
            helpers.start()
            alone = False
        if slot.found is None:
            if helpers.take(number, slot.piece):
                asked[number] = slot
            else:
                slot.found = look_at(slot.piece, pages.plain.read)
        _collect(helpers, asked)
        if len(waiting) > BEHIND and waiting[0].found is None:
            waiting[0].found = look_at(waiting[0].piece, pages.plain.read)
        if waiting[0].found is None:
            yield waiting[0]
        while waiting and waiting[0].found is not None:
            yield waiting.popleft()
    # From the end, which no helper has begun with.
    for slot in reversed(tuple(waiting)):
        _collect(helpers, asked)
        if slot.found is None:
            yield slot
            slot.found = look_at(slot.piece, pages.plain.read)
    yield from waiting


def _collect(helpers: WorkerPool, asked: dict[int, _Slot]) -> None:
    for number, found in helpers.collect():
        asked.pop(number).found = found
