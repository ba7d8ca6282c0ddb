"""Run a program in a pseudo terminal: measure what it paints, how fast, and its memory."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Sequence
from typing import NamedTuple

_SCHEDULED = 2
"""The kind of a process's clock (CPUCLOCK_SCHED in Linux), in the low bits of its number."""


class KeyResponse(NamedTuple):
    """The response to one key: milliseconds to the first and to the last byte, number of bytes."""

    first: float
    last: float
    length: int


class Terminal:
    """Run `command` in a terminal of the given size."""

    def __init__(self, command: Sequence[str], env: dict[str, str], columns: int = 200, rows: int = 60) -> None:
        self.started = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execve(command[0], list(command), env)

    def until(self, *words: bytes, seconds: float = 20) -> list[float]:
        """Return the milliseconds from the start until each word was painted."""
        seen = b""
        times: dict[bytes, float] = {}
        while len(times) < len(words):
            part = self._read(seconds)
            if not part:
                raise RuntimeError(f"{words} did not come; the last bytes were {seen[-500:]!r}")
            seen += part
            now = (time.perf_counter() - self.started) * 1000
            times |= {word: now for word in words if word not in times and word in seen}
        return [times[word] for word in words]

    def quiet(self, seconds: float = 0.3) -> None:
        """Wait until nothing more is painted."""
        while self._read(seconds):
            pass

    def press(self, key: bytes, seconds: float = 0.05) -> KeyResponse:
        """Press a key, and read what is painted until nothing comes for `seconds`."""
        start = time.perf_counter()
        os.write(self._fd, key)
        first = last = 0.0
        length = 0
        while part := self._read(seconds if length else 2):
            last = (time.perf_counter() - start) * 1000
            first = first or last
            length += len(part)
        return KeyResponse(first, last, length)

    def processor(self) -> float:
        """Return the milliseconds of processor time so far, of all threads."""
        return time.clock_gettime(~self.pid << 3 | _SCHEDULED) * 1000

    def resident(self) -> float:
        """Return the resident memory in MiB."""
        with open(f"/proc/{self.pid}/status") as file:
            line = next(line for line in file if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def close(self) -> None:
        """Kill the program; it has no unsaved data."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)

    def _read(self, seconds: float) -> bytes:
        if not select.select([self._fd], [], [], seconds)[0]:
            return b""
        try:
            return os.read(self._fd, 1 << 16)
        except OSError:  # the program ended
            return b""
