"""One session of QMP over a UNIX socket: a request, its answer, and nothing that the other side can make grow."""

from __future__ import annotations

import json
import socket
import struct
import time
from contextlib import suppress
from typing import Any, Final, NamedTuple, Self

from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.layers.file import reason
from vmci_tui.live.commands import CAPABILITIES, COMMANDS, Command

PATIENCE: Final = 10.0
"""Seconds for an answer; QEMU's monitor answers within a second on a busy machine."""
_GREETING: Final = 3.0
"""Seconds for the greeting: QEMU serves one program at a time, and lets the next one wait without a word."""
LONGEST_LINE: Final = 8 << 20
"""Bytes of an answer; a map of 10,000 ranges has 1 MiB."""
_MOST_MESSAGES: Final = 1000
"""Messages before an answer; QEMU sends a few events."""
_MOST_SENT: Final = 1 << 20
"""Requests of one session: as many pages are 4 GiB."""
_CREDENTIALS: Final = struct.Struct("3i")
"""pid, uid and gid of the process that listens (unix(7), SO_PEERCRED)."""
_LONGEST_WORDS: Final = 300
"""Characters of an error from the other side."""


class Stops(NamedTuple):
    """When the guest was stopped, by QEMU's own events."""

    times: int = 0
    milliseconds: float = 0.0
    """In all; 0 where libvirt has the events."""


class Refused(OpenError):
    """QEMU answered a request with an error; the session goes on."""


class Session:
    """A connected QMP session."""

    hands_over = True
    """Whether QEMU can be given open files."""

    def __init__(self, path: str, name: Safe, sent: list[str]) -> None:
        """Connect to the socket at `path`; `name` is what messages call it. Each request is added to `sent`.

        Raises OpenError.
        """
        self.name, self.sent = name, sent
        self.usable = True
        self._greeted_us = False
        self.stops = Stops()
        self._stopped_at: float | None = None
        self._kept = bytearray()
        self._early: dict[str, Any] | None = None
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(_GREETING)
            self._socket.connect(path)
        except (OSError, ValueError) as error:
            self._socket.close()
            raise OpenError(f"cannot connect to {name}: {reason(error)}", _hint(error)) from None
        try:
            self.version = self._greeting()
            self._greeted_us = True
            self.ask(CAPABILITIES)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def owner(self) -> int:
        """The process that listens on the socket."""
        data = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        return int(_CREDENTIALS.unpack(data)[0])

    def fileno(self) -> int:
        """Return the number of the socket, for `select`."""
        return self._socket.fileno()

    def hang_up(self) -> None:
        """Let another thread that waits for an answer go on, with an error."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the session; a second call does nothing."""
        self._socket.close()

    def ask(self, command: Command, number: int = 0, file: int | None = None, patience: float = PATIENCE) -> object:
        """Send a row of the table, with a number and an open file where it has one; return what QEMU answers.

        Raises Refused for QEMU's error, OpenError where the other side does not speak QMP, is silent, or ends.
        """
        self.send(command, number, file)
        return self.answer(patience)

    def send(self, command: Command, number: int = 0, file: int | None = None) -> None:
        """Send a request without waiting for its answer. Raises OpenError."""
        if not any(command is row for row in COMMANDS):
            raise ValueError(f"{command.name} is not in the table of commands")
        if len(self.sent) >= _MOST_SENT:
            raise self._error(f"needs more than {_MOST_SENT} requests", "convert it first: vmci convert")
        self.sent.append(command.shown(number))
        line = command.line(len(self.sent), number)
        try:
            self._socket.settimeout(PATIENCE)
            if file is None:
                self._socket.sendall(line)
            else:
                socket.send_fds(self._socket, [line], [file])
        except OSError as error:
            raise self._error(f"took no request: {reason(error)}") from None

    def answer(self, patience: float = PATIENCE) -> object:
        """Wait for the answer to the last request, at most `patience` seconds. Raises as `ask`."""
        until = time.monotonic() + patience
        for _ in range(_MOST_MESSAGES):
            message = self._early or self._message(until)
            self._early = None
            if "event" in message:
                self._note_event(message)
            elif "error" in message or "return" in message:
                if message.get("id", len(self.sent)) != len(self.sent):
                    raise self._error("answers another request than the last")
                if "error" in message:
                    raise Refused(f"{self.name}: QEMU says: {words_of(message['error'])}")
                return message["return"]
            else:
                raise self._error("does not speak QMP")
        raise self._error(f"sent {_MOST_MESSAGES} messages and no answer")

    def answered(self) -> bool:
        """Take what `select` says has come; return whether the answer is among it, for `answer`. Raises as that."""
        self._receive(time.monotonic() + PATIENCE)
        while self._early is None and b"\n" in self._kept:
            message = self._message(time.monotonic())
            if "event" in message:
                self._note_event(message)
            else:
                self._early = message
        return self._early is not None

    def _greeting(self) -> str:
        try:
            greeting = self._message(time.monotonic() + _GREETING)
        except TimeoutError:
            words = (
                "another program uses it, as libvirt does (then virsh:DOMAIN), or QEMU hangs: it serves one at a time"
            )
            raise self._error("does not greet", words) from None
        match greeting:
            case {"QMP": {"version": version}} if (known := version_of(version)) is not None:
                return known
        raise self._error("does not greet as QEMU does")

    def _message(self, until: float) -> dict[str, Any]:
        line = self._line(until)
        try:
            message: object = json.loads(line)
        except (ValueError, RecursionError):
            raise self._error("does not speak QMP") from None
        if not isinstance(message, dict):
            raise self._error("does not speak QMP")
        return message

    def _line(self, until: float) -> bytes:
        searched = 0
        while (end := self._kept.find(b"\n", searched)) < 0:
            searched = len(self._kept)
            self._receive(until)
        line = bytes(self._kept[:end])
        del self._kept[: end + 1]
        return line

    def _receive(self, until: float) -> None:
        if len(self._kept) > LONGEST_LINE:
            raise self._error(f"sent a line of more than {LONGEST_LINE >> 20} MiB")
        try:
            if (left := until - time.monotonic()) <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            part = self._socket.recv(1 << 18)
        except TimeoutError:
            if not self._greeted_us:
                raise
            raise self._error("does not answer", "is the VM hung, or the host overloaded?") from None
        except OSError as error:
            raise self._error(f"cannot be read: {reason(error)}") from None
        if not part:
            raise self._error("closed the connection", "has the VM ended?")
        self._kept += part

    def _note_event(self, event: dict[str, Any]) -> None:
        match event:
            case {"event": "STOP" | "RESUME" as what, "timestamp": {"seconds": int(s), "microseconds": int(us)}}:
                at = (s % (1 << 40)) * 1000 + us / 1000 if abs(us) < 1 << 40 else 0.0
                if what == "STOP":
                    self._stopped_at = at
                elif self._stopped_at is not None:
                    took = max(at - self._stopped_at, 0.0)
                    self.stops = Stops(self.stops.times + 1, self.stops.milliseconds + took)
                    self._stopped_at = None

    def _error(self, words: str, hint: str = "is this the QMP socket of a QEMU?") -> OpenError:
        """Return the error for an answer after which nothing that comes can be trusted."""
        self.usable = False
        return OpenError(f"{self.name} {words}", hint)


def _hint(error: Exception) -> str:
    """Return what may help where no connection was made."""
    if isinstance(error, PermissionError):
        return "run vmci as root, or as the user who runs that QEMU"
    return "has that QEMU ended?" if isinstance(error, ConnectionRefusedError) else "name the socket of QEMU's -qmp"


def version_of(said: object) -> str | None:
    """Return the version in QEMU's greeting, or in its answer to `query-version`; None if that is something else."""
    match said:
        case {"qemu": {"major": int(major), "minor": int(minor), "micro": int(micro)}}:
            if all(number in range(1000) for number in (major, minor, micro)):
                return f"{major}.{minor}.{micro}"
    return None


def words_of(error: object) -> Safe:
    """Return what QEMU says of a request that it refused, safe to show."""
    said = error.get("desc") if isinstance(error, dict) else None
    return visible(said[:_LONGEST_WORDS]) if isinstance(said, str) else Safe("an error without words")
