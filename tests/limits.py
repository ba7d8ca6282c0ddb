"""Limits of tests: how long they wait for a result, and how much processor time an operation may take."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

PATIENCE: Final = 120.0
"""Seconds after which a missing result is a failure: many times the usual duration, since the machine may be busy."""


class Hang(BaseException):
    """Something takes too long. No `except Exception` of the program can swallow it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `Hang` in whatever Python runs after so many seconds of the processor's time, or much later by the clock.

    The processor's time is what counts: others may be at work on the machine. The clock is for what waits for ever.
    """

    def stop(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise Hang(f"longer than {seconds} s")

    timers = {signal.ITIMER_PROF: (signal.SIGPROF, seconds), signal.ITIMER_REAL: (signal.SIGALRM, seconds + PATIENCE)}
    old = {number: signal.signal(number, stop) for number, _ in timers.values()}
    for timer, (_, after) in timers.items():
        signal.setitimer(timer, after)
    try:
        yield
    finally:
        for timer in timers:
            signal.setitimer(timer, 0)
        for number, handler in old.items():
            signal.signal(number, handler)
