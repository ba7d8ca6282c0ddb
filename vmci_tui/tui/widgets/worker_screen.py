"""Work beside the keys: what is long, with progress and ESC, and judgements, of which the last one counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from textual import work
from textual.screen import Screen
from textual.worker import get_current_worker

from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import Cancelled, VmciError
from vmci_tui.common.progress import Pace, Progress
from vmci_tui.tui.edge import Guarded
from vmci_tui.tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from textual.message_pump import MessagePump

    from vmci_tui.tui.edge import EdgeApp

Result = TypeVar("Result")
_EVERY = 0.2
"""Seconds between two words of progress."""


class Background(Generic[Result]):
    """Judges in a thread, where no widget is touched; what is asked anew stops what was asked before."""

    def __init__(self, node: MessagePump, pool: ThreadPoolExecutor) -> None:
        """`node` gets the results, as callbacks on its own thread; `pool` has one thread, so that jobs take turns."""
        self._node, self._pool = node, pool
        self._stop = threading.Event()
        self._asked: tuple[Future[Result], Callable[[], None]] | None = None

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
            if stop.is_set() or not self._node.is_attached:  # asked for by a screen that is being taken away
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
        future.add_done_callback(lambda _: self._node.call_later(deliver))
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


class WorkScreen(Guarded, Screen[Result]):
    """A screen with a status line `#progress` whose work runs in a thread, where no widget is touched."""

    working = False

    @work(thread=True, exclusive=True, exit_on_error=False)
    def run_work(self, job: Callable[[Progress], object], done: Callable[[object], None]) -> None:
        """Run `job`; `done` gets its result on the screen's thread, `stopped` the error that ended it."""
        worker, pace = get_current_worker(), Pace()
        last = 0.0

        def told(what: str, at: int, total: int) -> None:
            nonlocal last
            if worker.is_cancelled:
                raise Cancelled("stopped")
            now = time.monotonic()
            if now - last >= _EVERY:
                last = now
                self.app.call_from_thread(self.tell, f"{pace.words(what, at, total)}  (ESC stops)")

        try:
            result = job(told)
        except Exception as error:  # the worker's edge: nothing may vanish in a thread
            self.app.call_from_thread(self._ended, error)
            return
        self.app.call_from_thread(self._finished, done, result)

    def start(self, job: Callable[[Progress], object], done: Callable[[object], None]) -> None:
        self.working = True
        self.run_work(job, done)

    def _finished(self, done: Callable[[object], None], result: object) -> None:
        self.working = False
        if self.is_attached:
            done(result)

    def _ended(self, error: Exception) -> None:
        self.working = False
        if not isinstance(error, VmciError):
            cast("EdgeApp", self.app).failed(error)
        elif self.is_attached:
            self.stopped(error)

    def stopped(self, error: VmciError) -> None:
        """The work ended early."""
        self.tell(str(error))

    def tell(self, words: str) -> None:
        if self.is_attached:
            self.query_one("#progress", StatusLine).tell(words)

    def stop_work(self) -> bool:
        """Ask what runs to stop; False where nothing runs."""
        if self.working:
            self.workers.cancel_node(self)
            self.tell("stopping")
        return self.working
