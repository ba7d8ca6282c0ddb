"""What the app must know of its terminal: the limits of its clipboard, and that it is gone."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Mapping
from threading import Thread
from typing import Final

MAX_BYTES: Final = 64 << 10
"""Bytes that are copied at most: terminals accept no more over ssh."""
_STDIN: Final = 0
_WITHOUT: Final = ("linux", "dumb", "vt100", "vt102", "vt220", "ansi")
"""Values of TERM for terminals without a clipboard."""


def lacks_clipboard(environment: Mapping[str, str]) -> bool:
    """Return whether the terminal is known to lack OSC 52; most others support it."""
    return (
        environment.get("TERM", "") in _WITHOUT
        or environment.get("TERM_PROGRAM") == "Apple_Terminal"
        or ("VTE_VERSION" in environment and "TMUX" not in environment)
    )


def end_with_terminal() -> None:
    """End the app when its terminal is gone.

    The kernel sends SIGHUP only to the processes whose controlling terminal it was. For others stdin is at its end,
    and Textual would read that over and over.
    """
    if os.isatty(_STDIN):
        Thread(target=_wait_for_hangup, daemon=True).start()


def _wait_for_hangup() -> None:
    poll = select.poll()
    poll.register(_STDIN, 0)  # a hang-up is reported without being asked for
    poll.poll()
    os.kill(os.getpid(), signal.SIGTERM)
