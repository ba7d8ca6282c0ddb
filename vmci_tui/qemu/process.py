"""One QEMU process; it ends whatever happens to this process, and leaves no file.

QEMU is started by a shell that waits for a socket to close: when we close it, or die, the shell kills QEMU and
takes its exit status, so that not even a zombie stays. Each channel is a pair of sockets without a name, which
no other process can reach.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Final

from vmci_tui.common.safe_text import visible
from vmci_tui.qemu import QemuError

_FIRST: Final = 3
"""The number of the first channel in QEMU, after the usual three; sh knows no number above 9."""
_OUT_OF_THE_WAY: Final = 64
"""Our numbers for QEMU's ends begin here, so that moving one to its place never closes another."""
_LAST_WORDS: Final = 0.2
"""Seconds to wait for its last output after its sockets are closed."""
_MOST_SAID: Final = 1 << 20
"""Bytes of stderr that are read at a time; QEMU prints a line or two for a dump."""
_LONGEST_WORDS: Final = 300
"""Bytes of a line that goes into an error."""
_PATIENCE: Final = 2.0
"""Seconds for the shell to end QEMU, before both are killed as a group."""


class QemuProcess:
    """A running QEMU, with one socket for each of its channels."""

    def __init__(self, command: list[str], channels: tuple[str, ...], seconds: float) -> None:
        """Start it, for at most `seconds`. `{name}` in `command` is the number of a channel. Raises QemuError."""
        self.seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._pid: int | None = None
        self.sockets: dict[str, socket.socket] = {}
        theirs: dict[str, socket.socket] = {}
        for name in (*channels, "watch", "stderr"):
            self.sockets[name], theirs[name] = _pair()
        numbers = {name: _FIRST + index for index, name in enumerate((*channels, "watch"))}
        filled = [item.format_map(numbers) if "{" in item else item for item in command]
        try:
            self._pid = _spawn(filled, {theirs[name].fileno(): numbers.get(name, 2) for name in theirs}, numbers)
        except OSError as error:
            self.stop()
            raise QemuError(f"QEMU cannot be started: {error.strerror}") from None
        finally:
            for end in theirs.values():
                end.close()
        self.sockets["stderr"].setblocking(False)

    def __enter__(self) -> QemuProcess:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def seconds_left(self) -> float:
        """Return the seconds that are left of its time. Raises QemuError if none are."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise QemuError(f"QEMU did not answer within {self.seconds:g} seconds")
        return left

    def read_stderr(self) -> bytes:
        """Return what it printed on stderr since the last call. Raises QemuError if that does not end."""
        out = bytearray()
        with contextlib.suppress(BlockingIOError, TimeoutError):
            while part := self.sockets["stderr"].recv(1 << 16):
                out += part
                if len(out) > _MOST_SAID:
                    raise QemuError(f"QEMU prints more than {_MOST_SAID} bytes on stderr", "is this a QEMU?")
        return bytes(out)

    def end_error(self) -> QemuError:
        """Return the error for a closed channel: QEMU ended, with its last line as the reason."""
        self.sockets["stderr"].settimeout(_LAST_WORDS)
        try:
            words = self.read_stderr()
        except QemuError as error:
            return error
        lines = [line for line in words.splitlines() if line.strip()]
        return QemuError("QEMU ended" + (f": {visible(lines[-1][:_LONGEST_WORDS])}" if lines else " without a message"))

    def stop(self) -> None:
        """End it and take its exit status; a second call does nothing."""
        for end in self.sockets.values():
            end.close()
        pid, self._pid = self._pid, None
        if pid is None:
            return
        until = time.monotonic() + _PATIENCE
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > until:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return
            time.sleep(0.002)


def _pair() -> tuple[socket.socket, socket.socket]:
    ours, other = socket.socketpair()
    with other:
        return ours, socket.socket(fileno=fcntl.fcntl(other.fileno(), fcntl.F_DUPFD_CLOEXEC, _OUT_OF_THE_WAY))


def _spawn(command: list[str], places: Mapping[int, int], numbers: Mapping[str, int]) -> int:
    """Start the shell that starts QEMU, with our descriptors at their places in it; return its process id and group."""
    watch = numbers["watch"]
    closed = " ".join(f"{number}>&-" for name, number in numbers.items() if name != "watch")
    # The last kill is for what QEMU has started, if it is a script around one: they are in a group of their own.
    script = f'"$@" {watch}<&- & exec 2>&- {closed}; read -r x <&{watch}; kill -9 $!; wait $!; kill -9 0'
    actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
        (os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1)
    ]
    actions += [(os.POSIX_SPAWN_DUP2, ours, place) for ours, place in places.items()]
    shell = ["sh", "-c", script, "sh", *command]
    return os.posix_spawn("/bin/sh", shell, os.environ, file_actions=actions, setpgroup=0)
