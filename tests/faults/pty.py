"""Run a command in a pseudo-terminal, type into it, and keep every byte that it writes.

`raw` is the bytes sent to the terminal, `screen` the resulting screen (pyte).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from types import TracebackType

import pyte

from tests.limits import PATIENCE
from tests.processes import is_at_work

_GLANCE = 0.02
"""Seconds between two polls of the command."""


class Terminal:
    """A command in a pseudo-terminal; leaving the `with` block kills it."""

    def __init__(
        self, command: Sequence[str | bytes], columns: int = 80, rows: int = 24, env: dict[str, str] | None = None
    ) -> None:
        self.raw = bytearray()
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        variables = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": str(rows), **(env or {})}
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=variables, start_new_session=True
        )
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def hang_up(self) -> int:
        """Take the terminal away, without a SIGHUP. Return the exit code; 128 + N after signal N."""
        os.close(self._master)
        self._master = os.open(os.devnull, os.O_RDONLY)
        code = self._process.wait(PATIENCE)
        return code if code >= 0 else 128 - code

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._master)

    @property
    def lines(self) -> list[str]:
        """Return the rows of the current screen."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def title(self) -> str:
        """Return the title of the terminal's window."""
        return str(self._screen.title)

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def send(self, keys: str | bytes) -> None:
        """Type `keys`, as the bytes that a terminal sends for them."""
        os.write(self._master, keys.encode() if isinstance(keys, str) else keys)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def click(self, column: int, row: int, times: int = 1) -> None:
        """Press and release the left button on a cell, as a terminal reports it (SGR)."""
        self.send(f"\x1b[<0;{column + 1};{row + 1}M\x1b[<0;{column + 1};{row + 1}m" * times)

    def drag(self, column: int, row: int, cells: int) -> None:
        """Drag with the left button from a cell over `cells` cells to the right."""
        end = f"{column + 1 + cells};{row + 1}"
        self.send(f"\x1b[<0;{column + 1};{row + 1}M\x1b[<32;{end}M\x1b[<0;{end}m")

    def wheel(self, column: int, row: int, by: int) -> None:
        """Turn the wheel over a cell by a number of notches; positive is down."""
        self.send(f"\x1b[<{65 if by > 0 else 64};{column + 1};{row + 1}M" * abs(by))

    def settle(self, quiet: float = 0.3) -> bytes:
        """Read until the command has neither written nor worked for `quiet` seconds, or ends; return the bytes."""
        start = len(self.raw)
        since = begun = time.monotonic()
        while (now := time.monotonic()) - since < quiet and now - begun < PATIENCE:
            if select.select([self._master], [], [], _GLANCE)[0]:
                if not self._take():
                    break
            elif not is_at_work(self._process.pid):
                continue
            since = time.monotonic()
        return bytes(self.raw[start:])

    def wait_for(self, text: str) -> None:
        """Read until `text` is on the screen."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.text:
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([self._master], [], [], left)[0]
            if not ready or not self._take():
                raise AssertionError(f"{text!r} is not on the screen:\n{self.text}")

    def find(self, pattern: re.Pattern[str]) -> re.Match[str]:
        """Read until a pattern is on the screen; return its first match."""
        deadline = time.monotonic() + PATIENCE
        while (found := pattern.search(self.text)) is None:
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([self._master], [], [], left)[0]
            if not ready or not self._take():
                raise AssertionError(f"{pattern.pattern!r} is not on the screen:\n{self.text}")
        return found

    def finish(self) -> int:
        """Read until the command ends; return its exit code."""
        deadline = time.monotonic() + PATIENCE
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self._master], [], [], left)[0] and not self._take():
                return self._process.wait(max(left, 1))
        raise AssertionError(f"the command did not end:\n{self.text}")

    def _take(self) -> bool:
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:  # EIO: the command closed its end
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)
