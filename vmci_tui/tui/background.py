"""Background jobs: each runs in a thread, and a new one cancels the one before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Generic, ParamSpec, TypeVar

from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import OpenError
from vmci_tui.layers.waiting import NotReadYet, read_at_once

if TYPE_CHECKING:
    from textual.widget import Widget

    from vmci_tui.document.document import Document

Result = TypeVar("Result")
Given = ParamSpec("Given")
Call = Callable[[], None]


def one_thread() -> ThreadPoolExecutor:
    """Return a pool for the background jobs of an app."""
    return ThreadPoolExecutor(1, "judge")


def run_aside(job: Call) -> None:
    """Run a job in a thread that the end of the app does not wait for: it may hang on a server that is gone.

    The job must not fail; it hands its result over by `call_later` of a widget.
    """
    threading.Thread(target=job, daemon=True, name="aside").start()


class Asides(Executor):
    """Runs each job in a thread that the end of the app does not wait for: it may hang on a server that is gone."""

    def submit(self, fn: Callable[Given, Result], /, *given: Given.args, **named: Given.kwargs) -> Future[Result]:
        """Begin a job."""
        future = Future[Result]()

        def run() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn(*given, **named))
                except Exception as error:  # whoever asked gets it
                    future.set_exception(error)

        run_aside(run)
        return future


class Background(Generic[Result]):
    """Runs one job at a time in a thread, where no widget may be touched; a new job stops the old one."""

    def __init__(
        self,
        later: Callable[[Call], object],
        pool: Executor,
        unwanted: Callable[[Result], object] | None = None,
    ) -> None:
        """`later` runs a call on the app's thread; in a `pool` with one thread jobs take turns.

        `unwanted` gets there what a stopped job still returned, as a file to be closed.
        """
        self.later, self._pool, self._unwanted = later, pool, unwanted
        self._stop = threading.Event()
        self._asked: tuple[Future[Result], Call] | None = None

    @property
    def busy(self) -> bool:
        """Whether the result of a job has not been delivered yet."""
        return self._asked is not None

    def ask(
        self,
        job: Callable[[Budget], Result],
        done: Callable[[Result], None],
        failed: Callable[[Exception], None],
        patience: float,
    ) -> bool:
        """Run `job` and wait up to `patience` seconds; return whether it ended by then.

        `done` gets its result, or `failed` its exception, later if need be. A stopped job calls neither.
        """
        self.stop()
        self._stop = stop = threading.Event()
        future = self._pool.submit(job, Budget(stopped=stop.is_set))

        def deliver() -> None:
            if self._asked is None or self._asked[0] is not future:
                if self._unwanted is not None and not future.cancelled() and future.exception() is None:
                    self._unwanted(future.result())
                return
            self._asked = None
            error = future.exception()
            if error is None:
                done(future.result())
            elif isinstance(error, Exception):
                failed(error)

        self._asked = future, deliver
        if patience and wait([future], patience).done:
            deliver()
            return True
        future.add_done_callback(lambda _: self.later(deliver))
        return False

    def finish(self) -> None:
        """Wait for the running job and deliver its result; its budget bounds the time."""
        if self._asked is not None:
            future, deliver = self._asked
            wait([future])
            deliver()

    def stop(self) -> None:
        """Stop the running job; its result is not wanted. What an ended one returned may go on with its budget."""
        if self._asked is not None:
            self._stop.set()
            self._asked[0].cancel()
            self._asked = None


class LateBytes:
    """Bytes for a view that a running VM must be asked for: in a thread, because it may hang for seconds."""

    patience: ClassVar[float] = 0.05
    """Seconds to wait for them: what comes within them is shown at once, without a flicker."""

    def __init__(self, view: Widget, came: Call) -> None:
        """`came` is called on the app's thread when bytes have come, or are given up."""
        self._view, self._came = view, came
        self._running = False
        self._failed = range(0)
        """What could not be read when it was asked for last."""

    def read(self, document: Document, wanted: range, visible: range) -> bytes | None:
        """Return the bytes; None if they cannot be read. All that is `visible` is asked for with them.

        Raises NotReadYet while they are waited for, or others are.
        """
        if wanted.start in self._failed:
            return None
        if not self._running:
            self._running, self._failed = True, range(0)
            done = threading.Event()
            run_aside(partial(self._ask, document, visible, done))
            done.wait(self.patience)
        try:
            return read_at_once(document.read, wanted.start, len(wanted))
        except NotReadYet:
            raise
        except OpenError:
            return None

    def _ask(self, document: Document, visible: range, done: threading.Event) -> None:
        try:
            document.read(visible.start, len(visible))
        except OpenError:
            self._failed = visible
        self._running = False
        done.set()
        if self._view.is_attached:
            self._view.call_later(self._came)
