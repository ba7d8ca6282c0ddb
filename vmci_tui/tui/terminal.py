"""Notice that the terminal is gone."""

from __future__ import annotations

import os
import select
import signal
from threading import Thread

_STDIN = 0


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
