"""Notice that an open file was deleted, replaced or changed by another program, and say what can be done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from vmci_tui.layers.file import OnDisk, files_of
from vmci_tui.tui.prompts import say

if TYPE_CHECKING:
    from textual.screen import Screen

    from vmci_tui.document.document import Document

_EVERY: Final = 2.0
"""Seconds between two looks: one stat of each open file."""
_MARKS: Final[dict[OnDisk, str]] = {"gone": "DELETED", "replaced": "REPLACED", "changed": "CHANGED ON DISK"}
_WORDS: Final[dict[OnDisk, str]] = {
    "gone": "{} was deleted or moved; what was opened is still shown: s saves a copy of it",
    "replaced": "another file is named {} now; the old one is still shown: s saves a copy of it, o opens the new one",
    "changed": "another program has changed {} since it was opened: o opens it again",
}


class DiskWatch:
    """Looks at the files of a document while its screen is on top; the screen's own saves open them again."""

    def __init__(self, screen: Screen[None], document: Document, changed: Callable[[], None]) -> None:
        """Call `changed` when `mark` is another."""
        self._screen, self._changed = screen, changed
        self._files = [*files_of(document.source), *(() if document.blob is None else files_of(document.blob))]
        self._known: tuple[OnDisk, ...] = tuple("same" for _ in self._files)
        self._looking = False
        """Whether a look has not returned yet."""
        if self._files:
            screen.set_interval(_EVERY, self._ask)

    @property
    def mark(self) -> str:
        """Return a word for the title; empty while nothing happened."""
        return next((_MARKS[now] for now in self._known if now != "same"), "")

    def _ask(self) -> None:
        from vmci_tui.tui.background import run_aside

        if self._screen.is_current and not self._looking:
            self._looking = True
            run_aside(self._look)

    def _look(self) -> None:
        found = tuple(source.on_disk() for source in self._files)
        self._screen.call_later(self._show, found)

    def _show(self, found: tuple[OnDisk, ...]) -> None:
        self._looking = False
        if not self._screen.is_current or found == self._known:
            return
        for source, before, now in zip(self._files, self._known, found, strict=True):
            if now not in ("same", before):
                say(self._screen, _WORDS[now].format(source.name), "warning")
        self._known = found
        self._changed()
