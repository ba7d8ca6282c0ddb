"""Run a command of the user in the terminal, as a shell does: the keys that stop it do not stop this program."""

from __future__ import annotations

import shutil
import signal
import subprocess
from typing import Final

_KEYS: Final = (signal.SIGINT, signal.SIGQUIT)
"""The signals of ctrl+c and of ctrl+backslash, which the terminal sends to the command and to this process."""


def run_in_terminal(command: str) -> int:
    """Run a command line as bash reads it and return its exit code; call it in the main thread.

    Raises OSError if no shell can be started.
    """
    shell = shutil.which("bash") or "/bin/sh"
    # A running event loop hears of signals through this descriptor, and would end the app.
    waking = signal.set_wakeup_fd(-1)
    before = {number: signal.signal(number, _left_to_the_command) for number in _KEYS}
    try:
        return subprocess.run([shell, "-c", command], check=False).returncode
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(waking)


def _left_to_the_command(_number: int, _frame: object) -> None:
    """Do nothing; unlike an ignored signal, a handled one has its usual effect in the command."""
