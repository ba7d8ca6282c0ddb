"""Search for garbage when nobody waits: on a large screen a whole search takes as long as a keystroke may.

Each line on a screen is a dozen objects, so that Python would begin such a search every few screens, in a paint.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, ClassVar, Final

from vmci_tui.tui.host import host

if TYPE_CHECKING:
    from textual.app import App

_LATER: Final = 500
"""Searches of the younger objects until Python begins a whole one by itself, by default 10: the app is first."""
_ENOUGH: Final = 10


class Garbage:
    """Searches all objects for garbage in the pauses between keys."""

    pause: ClassVar[float] = 1.0
    """Seconds without a key in which no other soon follows."""

    def __init__(self, app: App[None]) -> None:
        """Begin at the first paint. What was made before lives as long as the app, and is never searched."""
        gc.freeze()
        gc.enable()
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, _LATER)
        self._app, self._presses = app, 0
        app.set_interval(self.pause, self.search)

    def search(self) -> None:
        """Search if it is worth it, and no key came since the last call."""
        presses = host(self._app).presses
        if presses == self._presses and gc.get_count()[2] >= _ENOUGH:
            gc.collect()
        self._presses = presses
