"""Bytes of a hex view that another program must be asked for, read in a thread: a VM may hang for seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import ClassVar

from textual.widget import Widget

from vmci_tui.common.errors import OpenError
from vmci_tui.tui.background import run_aside


class LateBytes:
    """What a view waits for: one range of bytes at a time, the one that was asked for last."""

    patience: ClassVar[float] = 0.05
    """Seconds to wait for it: bytes that come within them are shown at once, without a flicker."""

    def __init__(self, view: Widget, came: Callable[[], object]) -> None:
        """`came` is called on the app's thread when the bytes can be read, or are given up."""
        self._view, self._came = view, came
        self._running: range | None = None
        self._failed: range | None = None

    def failed(self, start: int) -> bool:
        """Return whether the byte at `start` could not be read when it was asked for last."""
        return self._failed is not None and start in self._failed

    def ask(self, wanted: range, read: Callable[[int, int], bytes]) -> bool:
        """Read the range in a thread, unless one is being read; return whether it was read within the patience."""
        if self._running is not None:
            return False
        self._running, self._failed = wanted, None
        done = threading.Event()

        def job() -> None:
            failed = False
            try:
                read(wanted.start, len(wanted))
            except OpenError:
                failed = True
            if failed:
                self._failed = wanted
            self._running = None
            done.set()
            if self._view.is_attached:
                self._view.call_later(self._came)

        run_aside(job)
        return done.wait(self.patience)
