"""Check a new file and send it to the disk while it is written: a large copy then takes little longer than `cp`.

The check reads the file itself, and the source once more: both are still in the system's memory.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from threading import Thread
from typing import Final, Self

from vmci_tui.common.progress import Progress
from vmci_tui.common.signals import signals_blocked
from vmci_tui.layers.file import Source
from vmci_tui.saving.written import GivenUp, Written, WrittenFile

_SYNC: Final = 128 << 20
"""Bytes after which a file goes to the disk: the sync at its end then has little to wait for."""
_SECONDS: Final = 0.1
"""How often the rest of a check reports how far it is."""


class Behind:
    """Two threads behind the writer of a file, which has its last size already: they end with the block."""

    def __init__(self, path: str, check: Callable[[Source, Progress], int]) -> None:
        """`check` gets the file, and returns how many bytes it compared, or raises."""
        self._path, self._check = path, check
        self._written = Written()
        self._checked, self._total = 0, 1
        self._error: BaseException | None = None
        self._checker = Thread(target=self._run_check, daemon=True, name="check")

    def __enter__(self) -> Self:
        with signals_blocked():  # the threads inherit it: a signal is for the thread that cleans up
            self._checker.start()
            Thread(target=self._run_sync, daemon=True, name="sync").start()
        return self

    def __exit__(self, *_: object) -> None:
        self._written.give_up()
        self._checker.join()  # the other one may wait for the disk

    def follow(self, progress: Progress) -> Progress:
        """Return the progress for `write_image`: it lets the threads go on, and raises what the check raised."""

        def tell(what: str, done: int, total: int) -> None:
            if what == "copy":
                self._written.say(done)
            self._refuse()
            progress(what, done, total)

        return tell

    def result(self, progress: Progress) -> int:
        """Wait for the check of the written file; return and raise what it does, and raise what `progress` does."""
        while self._checker.is_alive():
            progress("check", self._checked, self._total)
            self._checker.join(_SECONDS)
        self._refuse()
        progress("check", self._total, self._total)
        return self._checked

    def _refuse(self) -> None:
        if self._error is not None:
            raise self._error

    def _run_check(self) -> None:
        try:
            with WrittenFile(self._path, self._written) as saved:
                self._checked = self._check(saved, self._report)
        except GivenUp:
            pass
        except BaseException as error:
            self._error = error

    def _report(self, _: str, done: int, total: int) -> None:
        self._checked, self._total = done, total

    def _run_sync(self) -> None:
        """Sync the file by another open file: Linux tells each of an error once, and the last sync is to report it."""
        with contextlib.suppress(GivenUp, OSError), open(self._path, "rb", buffering=0) as file:
            size, at = os.fstat(file.fileno()).st_size, 0
            while at < size:
                at = self._written.wait_for(min(at + _SYNC, size))
                os.fdatasync(file.fileno())
