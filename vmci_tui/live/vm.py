"""A VM behind a socket: connected while it is asked, and no longer, because QEMU serves one program at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.live.commands import Command
from vmci_tui.live.session import PATIENCE, Session, Stops
from vmci_tui.live.virsh import VirshSession

_IDLE: Final = 1.0
"""Seconds without a request after which the session ends, so that other programs can talk to QEMU."""

AnySession = Session | VirshSession
_WAYS: Final[dict[str, Callable[[str, Safe, list[str]], AnySession]]] = {"qmp:": Session, "virsh:": VirshSession}
"""How a VM is named, and who talks to it: its QMP socket, or libvirt."""


class RunningVm:
    """What can be asked of a VM, from any thread. `sent` has all requests."""

    def __init__(self, connect: Callable[[Safe, list[str]], AnySession], path: str) -> None:
        """Begin a session; `path` is the VM's name, as `qmp:SOCKET`. Raises OpenError."""
        self.path, self.name = path, visible(path)
        self._connect = connect
        self.sent: list[str] = []
        self._stops = Stops()
        self._lock = threading.RLock()
        self._session: AnySession | None = None
        self.owner: int | None = None
        """The process that listens on the socket, or the number of libvirt's domain."""
        self._used = 0.0
        self._closed = False
        with self._lock:
            session = self._connected()
            self.version, self.hands_over = session.version, session.hands_over

    @property
    def stops(self) -> Stops:
        """How often and for how long the guest was stopped, in all sessions."""
        with self._lock:
            return self._stops if self._session is None else _sum(self._stops, self._session.stops)

    def ask(self, command: Command, number: int = 0, file: int | None = None, patience: float = PATIENCE) -> object:
        """Ask as `Session.ask` does, in a new session if the last one ended."""
        with self as session:
            return session.ask(command, number, file, patience)

    def __enter__(self) -> AnySession:
        """Return the session; it stays, and other threads wait, until the end of the `with` block."""
        self._lock.acquire()
        try:
            return self._connected()
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, *_: object) -> None:
        if self._session is not None and not self._session.usable:
            self._end()
        self._used = time.monotonic()
        self._lock.release()

    def rest(self) -> None:
        """End the session, so that another one can begin; the next request begins one again."""
        with self._lock:
            self._end()

    def close(self) -> None:
        """End the session for good, also if a hung VM is asked just now; a second call does nothing."""
        self._closed = True
        if not self._lock.acquire(blocking=False):
            if (session := self._session) is not None:
                session.hang_up()
            self._lock.acquire()
        try:
            self._end()
        finally:
            self._lock.release()

    def _connected(self) -> AnySession:
        if self._session is not None:
            return self._session
        if self._closed:
            raise OpenError(f"{self.name} was closed")
        session = self._connect(self.name, self.sent)
        owner = session.owner
        if self.owner not in (None, owner):
            session.close()
            raise OpenError(f"{self.name} is another VM now", "open it again")
        self._session, self.owner, self._used = session, owner, time.monotonic()
        self._watch()
        return session

    def _watch(self) -> None:
        """End the session when it has been idle for a while."""
        timer = threading.Timer(_IDLE, self._end_idle)
        timer.daemon = True
        timer.start()

    def _end_idle(self) -> None:
        with self._lock:
            if self._session is None:
                return
            if time.monotonic() - self._used < _IDLE:
                self._watch()
            else:
                self._end()

    def _end(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            self._stops = _sum(self._stops, session.stops)
            session.close()


def running_vm(name: str) -> RunningVm:
    """Begin to talk to the VM that `name` means. Raises OpenError."""
    way, _, rest = name.partition(":")
    return RunningVm(partial(_WAYS[f"{way}:"], rest), name)


def _sum(one: Stops, other: Stops) -> Stops:
    return Stops(one.times + other.times, one.milliseconds + other.milliseconds)
