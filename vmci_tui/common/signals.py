"""Handle signals that end the program: clean up unfinished work, and report what was changed.

Each raises KeyboardInterrupt in the main thread. Python may do that between any two steps; the few
steps that belong together run with the signals blocked.
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
    """Make the signals raise KeyboardInterrupt, as SIGINT does; an ignored one (nohup) stays ignored."""
    _done.clear()
    for number in _OTHERS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def hand_to_loop(loop: asyncio.AbstractEventLoop, stop: Callable[[], object]) -> None:
    """Let a running loop call `stop` instead, if our handlers are installed; an exception would block its threads."""
    ours = [number for number in _OTHERS if signal.getsignal(number) is _stop]
    for number in (*ours, *([signal.SIGINT] if ours else [])):
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, stop)


def _stop(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


@contextlib.contextmanager
def signals_blocked() -> Iterator[None]:
    """Block the signals: they arrive before or after this block."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ALL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def note_change(words: str) -> None:
    """Remember that a file was changed; the text is for the message after an interrupt."""
    _done.append(words)


def changes_made() -> str:
    """Return the text of all changes that the running command made; empty if it made none."""
    return "; ".join(_done)
