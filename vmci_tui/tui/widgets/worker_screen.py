"""A screen whose work runs in a thread, with progress; ESC stops it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from textual import work
from textual.screen import Screen
from textual.worker import get_current_worker

from vmci_tui.common.errors import Cancelled, VmciError
from vmci_tui.common.progress import Pace, Progress
from vmci_tui.tui.guarded import Guarded
from vmci_tui.tui.host import host
from vmci_tui.tui.widgets.status_line import StatusLine

Result = TypeVar("Result")
_EVERY = 0.2
"""Seconds between two updates of the progress."""


class WorkerScreen(Guarded, Screen[Result]):
    """A screen with a status line `#progress`; its job runs in a thread, where no widget may be touched."""

    working = False

    @work(thread=True, exclusive=True, exit_on_error=False)
    def run_work(self, job: Callable[[Progress], object], done: Callable[[object], None]) -> None:
        """Run `job`; on the app's thread `done` gets its result, or `stopped` its error."""
        worker, pace = get_current_worker(), Pace()
        last = 0.0

        def progress(what: str, at: int, total: int) -> None:
            nonlocal last
            if worker.is_cancelled:
                raise Cancelled("stopped")
            now = time.monotonic()
            if now - last >= _EVERY:
                last = now
                self.app.call_from_thread(self.show_progress, f"{pace.words(what, at, total)}  (ESC stops)")

        try:
            result = job(progress)
        except Exception as error:  # an error must not vanish in a thread
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
            host(self).failed(error)
        elif self.is_attached:
            self.stopped(error)

    def stopped(self, error: VmciError) -> None:
        """Show the error that ended the job."""
        self.show_progress(str(error))

    def show_progress(self, words: str) -> None:
        if self.is_attached:
            self.query_one("#progress", StatusLine).set_text(words)

    def stop_work(self) -> bool:
        """Stop the running job; return False if none runs."""
        if self.working:
            self.workers.cancel_node(self)
            self.show_progress("stopping")
        return self.working
