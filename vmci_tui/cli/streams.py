"""Handle the three standard streams, including those that the caller closed."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Final

_WRONG_WAY: Final = ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY))
_PROGRESS_WIDTH: Final = 79
"""Columns of a line of progress: one less than a terminal has at least, or the cursor would go to the next line."""
_progress = ""
"""The progress that the terminal shows now."""


def open_closed() -> None:
    """Open the closed streams, so that no other file gets their numbers and receives our messages.

    A command that then reads stdin or writes stdout reports the error itself. Messages to stderr are lost.
    """
    for number, flags in _WRONG_WAY:
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, flags)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            else:
                os.set_inheritable(number, True)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def on_terminal() -> bool:
    """Return whether all three are a terminal: the app reads keys from stdin and draws on stderr."""
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def say(words: str) -> None:
    """Print a message to stderr; stdout carries data only. A closed stderr does not stop the command."""
    erase_progress()
    _write(f"{words}\n")


def say_progress(words: str) -> None:
    """Show progress on the last line of the terminal, in the place of what it said before."""
    global _progress
    _write(f"\r{words[:_PROGRESS_WIDTH]:<{len(_progress)}}")
    _progress = words[:_PROGRESS_WIDTH]


def erase_progress() -> None:
    """Leave the line blank that `say_progress` wrote, if it wrote one."""
    global _progress
    if _progress:
        _write(f"\r{'':{len(_progress)}}\r")
        _progress = ""


def _write(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        _to_nowhere(2)


def flush_output() -> None:
    """Flush stdout, or give it up if it cannot be written."""
    try:
        sys.stdout.flush()
    except OSError:
        give_up_output()


def give_up_output() -> None:
    """Discard all further output, also what is buffered: the interpreter would write it at exit."""
    _to_nowhere(1)


def _to_nowhere(number: int) -> None:
    stream = sys.stdout if number == 1 else sys.stderr
    with contextlib.suppress(OSError, ValueError):  # a test's stream has no descriptor
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
