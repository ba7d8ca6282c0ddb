"""Report progress as text: bytes, rate and time left."""

from __future__ import annotations

import time
from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with the name of the work, bytes done, bytes in all; it may raise Cancelled."""


def no_progress(_what: str, _done: int, _total: int) -> None:
    """Report nothing."""


def bar(done: int, total: int, width: int = 16) -> str:
    """Return a progress bar of `width` cells between brackets; ASCII, for any terminal."""
    filled = min(width, width * done // total) if total > 0 else 0
    return f"[{'#' * filled}{'.' * (width - filled)}]"


class Pace:
    """A clock that starts when it is made; it makes the same text for the shell and for the screen."""

    def __init__(self) -> None:
        self._what = ""
        self._start = time.monotonic()

    def words(self, what: str, done: int, total: int) -> str:
        """Return a text: the work, MiB done of all MiB, MiB a second, and seconds left."""
        now = time.monotonic()
        if what != self._what:
            self._what, self._start = what, now
        amount = f"{what}: {done >> 20} of {total >> 20} MiB"
        took = now - self._start
        if took < 0.5 or not done:
            return amount
        rate = done / took
        return f"{amount}, {rate / (1 << 20):.0f} MiB/s, {max(total - done, 0) / rate:.0f} s left"
