"""The bookmarks of one file: places in it that the user wants to find again."""

from __future__ import annotations

from vmci_tui.common.errors import EditError
from vmci_tui.containers import Layout
from vmci_tui.document.addresses import offset_of
from vmci_tui.settings import settings


class FileBookmarks:
    """The bookmarks of a file, which are read at first use; those of a new entry, without a path, are not kept."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._all: tuple[str, ...] | None = None

    @property
    def all(self) -> tuple[str, ...]:
        """Return the bookmarks, oldest first."""
        if self._all is None:
            self._all = settings.bookmarks(self._path) if self._path is not None else ()
        return self._all

    def add(self, place: str) -> None:
        """Add a bookmark."""
        self._store((*self.all, place))

    def remove(self, place: str) -> None:
        """Remove a bookmark."""
        self._store(tuple(other for other in self.all if other != place))

    def _store(self, bookmarks: tuple[str, ...]) -> None:
        self._all = bookmarks
        if self._path is not None:
            settings.store_bookmarks(self._path, bookmarks)

    def places(self, layout: Layout) -> list[tuple[int, str]]:
        """Return (offset, bookmark) for the bookmarks that have a place in this layout, by offset."""
        out = []
        for bookmark in self.all:
            try:
                out.append((offset_of(bookmark, layout), bookmark))
            except EditError:
                continue  # an edit removed its place; an undo brings it back
        return sorted(out)
