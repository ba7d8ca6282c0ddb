"""Judgements beside the keys: each in a thread, and of those asked for only the last one counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from vmci_tui.common.budget import Budget

Result = TypeVar("Result")
Call = Callable[[], None]


class Background(Generic[Result]):
    """Runs a job in a thread, where no widget is touched; what is asked anew stops what was asked before."""

    def __init__(self, later: Callable[[Call], object], pool: ThreadPoolExecutor) -> None:
        """`later` calls back on the asker's own thread; `pool` has one thread, so that jobs take turns."""
        self._later, self._pool = later, pool
        self._stop = threading.Event()
        self._asked: tuple[Future[Result], Call] | None = None

    def ask(
        self,
        job: Callable[[Budget], Result],
        done: Callable[[Result], None],
        failed: Callable[[Exception], None],
        patience: float,
    ) -> bool:
        """Run `job`; `done` gets its result, `failed` what it raised, at once where that takes less than `patience` s.

        Gives whether it did. A job that was stopped calls neither.
        """
        self.stop()
        self._stop = stop = threading.Event()
        future = self._pool.submit(job, Budget(stopped=stop.is_set))

        def deliver() -> None:
            if stop.is_set():
                return
            self._asked = None
            stop.set()
            error = future.exception()
            if error is None:
                done(future.result())
            elif isinstance(error, Exception):
                failed(error)

        self._asked = future, deliver
        if patience and wait([future], patience).done:
            deliver()
            return True
        future.add_done_callback(lambda _: self._later(deliver))
        return False

    def finish(self) -> None:
        """Wait for what was asked, and deliver it; a budget bounds how long that takes."""
        if self._asked is not None:
            future, deliver = self._asked
            wait([future])
            deliver()

    def stop(self) -> None:
        """Stop what runs; nothing is delivered of it."""
        self._stop.set()
        if self._asked is not None:
            self._asked[0].cancel()
            self._asked = None
