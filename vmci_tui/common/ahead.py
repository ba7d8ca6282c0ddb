"""Make items in a thread of its own, ahead of the one that uses them: so reading does not wait for writing."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import TypeVar

from vmci_tui.common.signals import signals_blocked

T = TypeVar("T")


def ahead(items: Iterator[T], most: int) -> Generator[T, None, None]:
    """Yield what `items` yields. At any time at most `most` items exist, with the one that is being used.

    Raises what `items` raises. The thread has ended when this ends, also where it is closed before.
    """
    room, made, stopped = Semaphore(most), SimpleQueue[T | BaseException | None](), False

    def make() -> None:
        try:
            while True:
                room.acquire()
                if stopped:
                    return
                made.put(next(items))
        except StopIteration:
            made.put(None)
        except BaseException as error:
            made.put(error)

    thread = Thread(target=make, daemon=True, name="ahead")
    with signals_blocked():  # the thread inherits it: a signal is for the main thread
        thread.start()
    try:
        while (item := made.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
            room.release()
    finally:
        stopped = True
        room.release()
        thread.join()
