"""The recent files that still exist, looked for in threads: one may be on a server that does not answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Condition
from typing import ClassVar

from textual.widget import Widget

from vmci_tui.settings.settings import RecentFile, on_disk, recent
from vmci_tui.tui.background import run_aside
from vmci_tui.tui.guarded import stands


class RecentFiles:
    """The files of a screen, newest first; those that answer late are added when they do."""

    patience: ClassVar[float] = 0.05
    """Seconds to wait for the disk, so that the files are shown at once where it answers."""

    def __init__(self, screen: Widget, changed: Callable[[], object]) -> None:
        """Call `changed` when a file answered late."""
        self._screen, self._changed = screen, changed
        self._listed: tuple[RecentFile, ...] = ()
        self._found: dict[str, RecentFile | None] = {}
        self._asked: set[str] = set()
        """The files that have not answered yet."""
        self._answered = Condition()
        self._late = False

    @property
    def files(self) -> tuple[RecentFile, ...]:
        """Return the files that are known to exist."""
        known = (self._found.get(item.path) for item in self._listed)
        return tuple(item for item in known if item is not None)

    def look(self) -> None:
        """Look which files exist; each in a thread of its own, so that none waits for another."""
        with self._answered:
            self._listed, self._late = recent(), False
            waiting = [item for item in self._listed if item.path not in self._asked]
            self._asked |= {item.path for item in waiting}
        for item in waiting:
            run_aside(partial(self._ask, item))
        with self._answered:
            self._answered.wait_for(lambda: not self._asked, self.patience)
            self._late = True

    def _ask(self, item: RecentFile) -> None:
        answer = on_disk(item)
        with self._answered:
            self._found[item.path] = answer
            self._asked.discard(item.path)
            self._answered.notify_all()
            late = self._late
        if late and stands(self._screen):
            self._screen.call_later(self._changed)
