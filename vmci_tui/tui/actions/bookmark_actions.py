"""Bookmarks of the hex view: set, gone to, listed; kept for each file."""

from __future__ import annotations

from vmci_tui.common.errors import EditError
from vmci_tui.document.addresses import anchor_of, offset_of
from vmci_tui.layers.file import FileSource
from vmci_tui.settings import settings
from vmci_tui.tui.actions.navigate_actions import WayActions
from vmci_tui.tui.panes.panes import HexPane


class MarkActions(WayActions):
    """The actions over bookmarks."""

    _marks: tuple[str, ...] | None = None

    @property
    def marks(self) -> tuple[str, ...]:
        """The bookmarks of this file, oldest first."""
        if self._marks is None:
            source = self.document.source
            self._marks = settings.bookmarks(source.path) if isinstance(source, FileSource) else ()
        return self._marks

    def _keep_marks(self, marks: tuple[str, ...]) -> None:
        self._marks = marks
        source = self.document.source
        if isinstance(source, FileSource):
            settings.keep_bookmarks(source.path, marks)

    def places_marked(self) -> list[tuple[int, str]]:
        """The bookmarks that lie in what is shown, as (offset, bookmark), in the order of the file."""
        out = []
        for mark in self.marks:
            try:
                out.append((offset_of(mark, self.document.layout), mark))
            except EditError:
                continue  # what was there is not there now; an undo brings it back
        return sorted(out)

    def action_bookmark(self) -> None:
        """Set one at the cursor, or take it away."""
        mark: str = anchor_of(self.query_one(HexPane).cursor, self.document.layout)
        if mark in self.marks:
            self._keep_marks(tuple(other for other in self.marks if other != mark))
            self.say(f"no bookmark at {mark} any more")
        elif len(self.marks) >= settings.MOST_BOOKMARKS:
            self.say(f"a file has {settings.MOST_BOOKMARKS} bookmarks at most: B lists them", "warning")
        else:
            self._keep_marks((*self.marks, mark))
            self.say(f"bookmark {len(self.marks)} at {mark}")

    def action_next_bookmark(self) -> None:
        """To the next one behind the cursor, and from the last to the first."""
        found = [offset for offset, _ in self.places_marked()]
        if not found:
            self.say("no bookmarks: b sets one at the cursor", "warning")
            return
        here = self.query_one(HexPane).cursor
        if found == [here]:
            self.say("there is no other bookmark")
        self._arrive(next((offset for offset in found if offset > here), found[0]), 1)
        self.action_pane("hex")

    def action_bookmarks(self) -> None:
        """The list of them."""
        from vmci_tui.tui.screens.bookmarks_screen import MarkList

        def chosen(offset: int | None) -> None:
            if offset is not None:
                self._arrive(offset, 1)
                self.action_pane("hex")

        def drop(mark: str) -> None:
            self._keep_marks(tuple(other for other in self.marks if other != mark))

        places = self.query_one(HexPane).places
        rows = [(offset, mark, places.at(offset).label if places else "") for offset, mark in self.places_marked()]
        self.app.push_screen(MarkList(rows, drop), chosen)
