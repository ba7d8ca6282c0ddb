"""Signals that end a program: what they find begun is cleared away, and what is done is not called undone.

Each raises KeyboardInterrupt in the main thread. Python may do that between any two steps; the few
steps that belong together are made with the signals held back.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    import asyncio

_OTHERS: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
_ALL: Final = (signal.SIGINT, *_OTHERS)
_done: list[str] = []


def install_handlers() -> None:
    """Make the signals raise KeyboardInterrupt, as SIGINT does; one that is ignored (nohup) stays ignored."""
    _done.clear()
    for number in _OTHERS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def hand_to_loop(loop: asyncio.AbstractEventLoop, stop: Callable[[], object]) -> None:
    """Let a loop that runs call `stop` instead, where we listen: an exception leaves its threads waiting."""
    ours = [number for number in _OTHERS if signal.getsignal(number) is _stop]
    for number in (*ours, *([signal.SIGINT] if ours else [])):
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, stop)


def _stop(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


@contextlib.contextmanager
def signals_blocked() -> Iterator[None]:
    """What is done here is done whole: a signal comes before it or after it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ALL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def note_change(words: str) -> None:
    """Remember that a file was changed, in words for who interrupts what comes after."""
    _done.append(words)


def changes_made() -> str:
    """What was changed by the command that runs, in words; empty where nothing was."""
    return "; ".join(_done)
