"""Describe an error of vmci's own by what may be shown and logged: no value and no byte of a dump."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import Final, NamedTuple

from vmci_tui.common.safe_text import Safe, visible

_FRAMES: Final = 60
_KEPT: Final = 100
_ROOT: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class InternalError(NamedTuple):
    """The types of an exception and its causes, and the frames that it passed through, innermost last."""

    kinds: tuple[str, ...]
    frames: tuple[str, ...]
    """FILE:LINE of each. FILE is the path within vmci, or the name of a file that is not vmci's."""

    def __str__(self) -> Safe:
        ours = next((frame for frame in reversed(self.frames) if "/" in frame), self.frames[-1] if self.frames else "")
        return visible(f"vmci failed here: {self.kinds[0]}{f' at {ours}' if ours else ''}")


recorded: list[InternalError] = []
"""The first `_KEPT` internal errors of this process, each once."""
_listeners: list[Callable[[InternalError], None]] = []


def add_listener(listener: Callable[[InternalError], None]) -> None:
    """Call `listener` with each internal error, once."""
    _listeners.append(listener)


def record(error: BaseException) -> InternalError:
    """Record an exception and call the listeners; a repeated one is ignored."""
    found = InternalError(tuple(_kinds(error)), tuple(_frames(error.__traceback__)))
    if found not in recorded and len(recorded) < _KEPT:
        recorded.append(found)
        for listener in _listeners:
            listener(found)
    return found


def _kinds(error: BaseException | None) -> list[str]:
    out: list[str] = []
    while error is not None and len(out) < 10:
        out.append(type(error).__name__)
        error = error.__cause__ or error.__context__
    return out


def _frames(trace: TracebackType | None) -> list[str]:
    out: list[str] = []
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        own = file.startswith(_ROOT + os.sep)
        name = "vmci_tui/" + os.path.relpath(file, _ROOT) if own else os.path.basename(file)
        out.append(f"{name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return out[-_FRAMES:]
