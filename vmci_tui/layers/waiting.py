"""Reading without waiting: on the app's thread, memory that another program must be asked for is not read.

Such a source calls `refuse_to_wait` before it asks. A program that hangs would hold the screen until it is given up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vmci_tui.common.errors import OpenError


class NotReadYet(OpenError):
    """The bytes can be had, but not at once."""


class _ThisThread(threading.local):
    in_a_hurry = False


_THREAD = _ThisThread()


@contextmanager
def without_waiting() -> Iterator[None]:
    """Let reads of this thread raise NotReadYet in the block, where they would wait for another program."""
    before, _THREAD.in_a_hurry = _THREAD.in_a_hurry, True
    try:
        yield
    finally:
        _THREAD.in_a_hurry = before


def read_at_once(read: Callable[[int, int], bytes], start: int, length: int) -> bytes:
    """Return what `read` returns. Raises OpenError as that does, NotReadYet if it would wait for another program."""
    with without_waiting():
        return read(start, length)


def refuse_to_wait(name: str) -> None:
    """Raise NotReadYet within `without_waiting`; `name` is what would be asked."""
    if _THREAD.in_a_hurry:
        raise NotReadYet(f"{name} was not asked yet", "wait a moment")
