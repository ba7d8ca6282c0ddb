"""A VM behind a socket: connected while it is asked, and no longer, because QEMU serves one program at a time."""

from __future__ import annotations

import threading
import time
from typing import Final

from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.live.commands import Command
from vmci_tui.live.session import PATIENCE, Session, Stops

_IDLE: Final = 1.0
"""Seconds without a request after which the session ends, so that other programs can talk to QEMU."""


class RunningVm:
    """What can be asked of a VM, from any thread. `sent` and `stops` are of all its sessions."""

    def __init__(self, path: str, name: Safe | None = None) -> None:
        """Connect to the QMP socket at `path`. Raises OpenError."""
        self.path, self.name = path, name or visible(f"qmp:{path}")
        self.sent: list[str] = []
        self.stops = Stops()
        self._lock = threading.RLock()
        self._session: Session | None = None
        self._owner: int | None = None
        self._used = 0.0
        self._closed = False
        with self._lock:
            self.version = self._connected().version

    def ask(self, command: Command, number: int = 0, file: int | None = None, patience: float = PATIENCE) -> object:
        """Ask as `Session.ask` does, in a new session if the last one ended."""
        with self._lock:
            session = self._connected()
            try:
                return session.ask(command, number, file, patience)
            except OpenError:
                if not session.usable:
                    self._end()
                raise
            finally:
                self._used = time.monotonic()

    def __enter__(self) -> RunningVm:
        """Keep the session, and other threads away, until the end of the `with` block."""
        self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def close(self) -> None:
        """End the session for good; a second call does nothing."""
        with self._lock:
            self._closed = True
            self._end()

    def _connected(self) -> Session:
        if self._session is not None:
            return self._session
        if self._closed:
            raise OpenError(f"{self.name} was closed")
        session = Session(self.path, self.name, self.sent)
        owner = session.owner
        if self._owner not in (None, owner):
            session.close()
            raise OpenError(f"{self.name} is another VM now", "open it again")
        self._session, self._owner, self._used = session, owner, time.monotonic()
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
            self.stops = Stops(
                self.stops.times + session.stops.times, self.stops.milliseconds + session.stops.milliseconds
            )
            session.close()
