"""A job of a screen that runs in a thread, with progress, until it ends or Esc stops it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker, get_current_worker

from vmci_tui.common.errors import Cancelled, VmciError
from vmci_tui.common.progress import Pace, Progress, bar
from vmci_tui.tui.guarded import Guarded, stands
from vmci_tui.tui.host import host
from vmci_tui.tui.widgets.status_line import StatusLine

Result = TypeVar("Result")
Work = TypeVar("Work")
_EVERY = 0.2
"""Seconds between two updates of the progress."""


class Job:
    """Runs one job at a time for a screen; in the job no widget may be touched."""

    def __init__(self, screen: Widget, show: Callable[[str], None], stopped: str = "stopped") -> None:
        """`show` shows the progress; `stopped` is the message of the error of a stopped job."""
        self._screen, self._show, self._stopped = screen, show, stopped
        self._worker: Worker[None] | None = None

    @property
    def running(self) -> bool:
        return self._worker is not None

    def start(
        self, job: Callable[[Progress], Work], done: Callable[[Work], None], failed: Callable[[Exception], None]
    ) -> None:
        """Run `job`; on the app's thread `done` gets its result, or `failed` its error."""
        run = partial(self._run, job, done, failed)
        self._worker = self._screen.run_worker(run, thread=True, exclusive=True, exit_on_error=False)

    def stop(self) -> bool:
        """Stop the running job; return False if none runs."""
        if self._worker is None:
            return False
        self._worker.cancel()
        self._show("stopping")
        return True

    def _run(
        self, job: Callable[[Progress], Work], done: Callable[[Work], None], failed: Callable[[Exception], None]
    ) -> None:
        worker, pace = get_current_worker(), Pace()
        last = 0.0

        def progress(what: str, at: int, total: int) -> None:
            nonlocal last
            if worker.is_cancelled:
                raise Cancelled(self._stopped)
            now = time.monotonic()
            if now - last >= _EVERY:
                last = now
                self._screen.app.call_from_thread(
                    self._show, f"{bar(at, total)} {pace.words(what, at, total)}  (Esc stops)"
                )

        try:
            ended = partial(done, job(progress))
        except Exception as error:  # an error must not vanish in a thread
            ended = partial(failed, error)
        self._screen.app.call_from_thread(self._end, ended)

    def _end(self, ended: Callable[[], None]) -> None:
        self._worker = None
        ended()


class WorkerScreen(Guarded, Screen[Result]):
    """A screen with a job, and a status line `#progress` for it."""

    def __init__(self) -> None:
        super().__init__()
        self.job = Job(self, self.show_progress)

    def start(self, work: Callable[[Progress], Work], done: Callable[[Work], None]) -> None:
        """Run the job `work`; `done` gets its result if the screen is still there, or `stopped` its error."""

        def show(result: Work) -> None:
            if stands(self):
                done(result)

        self.job.start(work, show, self._failed)

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, VmciError):
            host(self).failed(error)
        elif stands(self):
            self.stopped(error)

    def stopped(self, error: VmciError) -> None:
        """Show the error that ended the job."""
        self.show_progress(str(error))

    def show_progress(self, words: str) -> None:
        if stands(self):
            self.query_one("#progress", StatusLine).set_text(words)

    def action_leave(self) -> None:
        if not self.job.stop():
            self.dismiss(None)
