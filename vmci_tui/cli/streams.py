"""The three standard streams, also where who called has closed one, or reads it no more."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Final

_WRONG_WAY: Final = ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY))


def open_closed() -> None:
    """Open what is closed, so that no file gets its number: our words would be written into that.

    Standard input cannot be read then, and the output not be written: who needs it says so. Talk goes nowhere.
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
    """Whether all three are a terminal: the app reads keys from one, and draws on stderr."""
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def tell(words: str, end: str = "\n") -> None:
    """A word for the user: it goes to stderr, for stdout is data. Talk that cannot be heard stops no work."""
    try:
        print(words, end=end, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        _to_nowhere(2)


def end_output() -> None:
    """Write what is still held for stdout, where it can be written."""
    try:
        sys.stdout.flush()
    except OSError:
        give_up_output()


def give_up_output() -> None:
    """Write no more to stdout, also not what is still held for it: the interpreter would try as it ends."""
    _to_nowhere(1)


def _to_nowhere(number: int) -> None:
    stream = sys.stdout if number == 1 else sys.stderr
    with contextlib.suppress(OSError, ValueError):  # a test's stream has no number
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
