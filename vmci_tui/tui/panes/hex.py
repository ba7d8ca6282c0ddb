"""The hex panes: go to an address, search and copy; in the file also bookmarks and overwriting of bytes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.worker import get_current_worker

from vmci_tui.common.errors import EditError, VmciError
from vmci_tui.common.safe_text import Safe
from vmci_tui.document import find_bytes as searching
from vmci_tui.document.addresses import anchor_of, offset_of
from vmci_tui.document.document import Document
from vmci_tui.settings import settings
from vmci_tui.tui.bindings import SELECT, bind
from vmci_tui.tui.host import host
from vmci_tui.tui.panes.copy import file_bytes
from vmci_tui.tui.prompts import ask, refuses_edit, say
from vmci_tui.tui.session import Session
from vmci_tui.tui.widgets.hex_view import HexView
from vmci_tui.tui.widgets.pane_bar import PaneBar
from vmci_tui.tui.widgets.status_line import StatusLine
from vmci_tui.tui.widgets.useful_actions import is_refused

if TYPE_CHECKING:
    from vmci_tui.adoption.kernel_facts import KernelFound
    from vmci_tui.document.byte_map import Place
    from vmci_tui.render.copy_formats import CopiedBytes

_Find = Callable[[int, searching.Progress], "int | None"]
"""Returns the offset of a match from an offset on, or back from it; None if there is none."""
_FIRST = "g"
"""What is typed for the first byte: no address begins with it, and its key is that of *Go to*."""
SEARCH_BINDINGS = (
    bind("g", "goto", "Go to", "Go to a file offset or a guest-physical address; gg: the first byte"),
    bind("slash", "search", "Search", "Search for text or hex bytes"),
    bind("n", "search_next", "Next match", "Search for the next match"),
    bind("N", "search_previous", "Previous match", "Search for the match before", show=False),
)


class BytesPane(HexView):
    """A hex view with go to, search and copy."""

    DEFAULT_CLASSES = "pane"

    about = (
        "Bytes: the bytes of the file, coloured by kind; the line below names the field. "
        "Enter starts overwriting bytes of a note or the entry; guest memory is never edited. Shift and arrows, "
        "or the mouse, select bytes to copy."
    )

    goto_hint = "a file offset (0x790 or 1936), or a guest-physical address after p (p0x1958000)"

    class SearchEnded(Message):
        """A search found nothing or was stopped; the status line is free again."""

    def __init__(self, document: Document) -> None:
        super().__init__(document, id="hex")
        self._pattern: bytes | None = None
        self._typed = ""
        self._searching = False

    def arrive(self, offset: int, length: int = 1) -> None:
        """Go to bytes and highlight them, as a move of the user."""
        self.go(offset)
        self.set_highlight(offset, length)
        self.post_message(self.Moved(offset))

    def offset_of(self, typed: str) -> int:
        """Return the typed offset. Raises EditError if it is not within these bytes."""
        return offset_of(typed, self.document.layout)

    def action_goto(self) -> None:
        """Ask where to go; a second g goes to the first byte, as in vim and less."""

        def go(typed: str) -> None:
            self.arrive(0 if typed == _FIRST else self.offset_of(typed))

        ask(self, "Go to", go, hint=f"{self.goto_hint}; g: the first byte", at_once=_FIRST)

    # Searching

    def action_search(self) -> None:
        hint = r"text (\xNN for any byte), or hex: 0x0b000000, or 0b 00 00 00"
        ask(self, "Search", self._start_search, self._typed, hint)

    def _start_search(self, typed: str) -> None:
        self._pattern, self._typed = searching.pattern_of(typed), typed
        self._run_search(partial(searching.search, self.document, self._pattern), self.cursor, 0)

    def action_search_next(self) -> None:
        if self._pattern is None:
            self.action_search()
        else:
            self._run_search(partial(searching.search, self.document, self._pattern), self.cursor + 1, 0)

    def action_search_previous(self) -> None:
        if self._pattern is None:
            self.action_search()
        else:
            self._run_search(partial(searching.search_back, self.document, self._pattern), self.cursor, self.total)

    def _run_search(self, find: _Find, start: int, again: int) -> None:
        """Search from `start`, then from `again`, the end at which that way begins."""
        self._searching = True
        self.run_worker(partial(self._search, find, start, again), thread=True, exclusive=True, group="search")

    def _search(self, find: _Find, start: int, again: int) -> None:
        """Search, in a thread: only read the document, touch no widget."""
        worker = get_current_worker()
        last = -1

        def progress(at: int) -> bool:
            nonlocal last
            if at >> 28 != last:  # every 256 MiB, at most four times a second
                last = at >> 28
                self.app.call_from_thread(self._search_at, at)
            return not worker.is_cancelled

        try:
            hit = find(start, progress)
            if hit is None and start != again and not worker.is_cancelled:
                where = (
                    "before the cursor: searching from the end"
                    if again
                    else "after the cursor: searching from the start"
                )
                self.app.call_from_thread(say, self, f"no match {where}")
                hit = find(again, progress)
        except Exception as error:  # an error must not vanish in a thread
            self.app.call_from_thread(self._search_failed, error)
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._search_ended, hit)

    def _search_at(self, at: int) -> None:
        share = 100 * at // max(self.total, 1)
        self.screen.query_one("#status", StatusLine).set_text(f"searching at {at:#x}, {share} %  (Esc stops)")

    def _search_failed(self, error: Exception) -> None:
        self._searching = False
        host(self).failed(error)

    def _search_ended(self, hit: int | None) -> None:
        self._searching = False
        if hit is None or self._pattern is None:
            say(self, "not found in the whole file", "warning")
            self.post_message(self.SearchEnded())
        else:
            self.arrive(hit, len(self._pattern))
            self.focus()

    def stop_search(self) -> bool:
        """Stop the search; return whether one was running."""
        if not self._searching:
            return False
        self.workers.cancel_group(self, "search")
        self._searching = False
        say(self, "search stopped", "warning")
        self.post_message(self.SearchEnded())
        return True

    # Copying

    def selection_reader(self) -> Callable[[], CopiedBytes]:
        """Return what reads the highlighted bytes, else the row of 16 bytes at the cursor."""
        start, end = self.highlight
        if start != end:
            return partial(file_bytes, self.document, start, end - start, Safe("the highlighted bytes"))
        return partial(file_bytes, self.document, self.cursor - self.cursor % 16, 16, Safe("the row"))


class HexPane(BytesPane):
    """The bytes of the file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "overwrite", "Edit", "Overwrite bytes of a note or the entry"),
        *SEARCH_BINDINGS,
        bind("b", "bookmark", "Bookmark", "Set or remove a bookmark at the cursor"),
        bind("apostrophe", "next_bookmark", "Next bookmark", "Go to the next bookmark", show=False),
        bind("B", "bookmarks", "Bookmarks", "List the bookmarks of this file", show=False),
        *SELECT,
    ]

    def is_useful(self, action: str) -> bool:
        """Return whether an action would do something: there is a next match only after a search."""
        return not is_refused(action, self.session) and (action != "search_next" or self._pattern is not None)

    class Written(Message):
        """The user overwrote a byte; the cursor is on the next one."""

    def __init__(self, session: Session) -> None:
        super().__init__(session.document)
        self.session = session

    # Bookmarks

    def action_bookmark(self) -> None:
        """Set a bookmark at the cursor, or remove it."""
        place = anchor_of(self.cursor, self.document.layout)
        if place in self.session.bookmarks.all:
            self.session.bookmarks.remove(place)
            say(self, f"bookmark at {place} removed")
        elif len(self.session.bookmarks.all) >= settings.MOST_BOOKMARKS:
            say(self, f"a file has {settings.MOST_BOOKMARKS} bookmarks at most: press B to delete some", "warning")
        else:
            self.session.bookmarks.add(place)
            say(self, f"bookmark {len(self.session.bookmarks.all)} at {place}")

    def action_next_bookmark(self) -> None:
        """Go to the next bookmark after the cursor, and from the last to the first."""
        found = [offset for offset, _ in self.session.bookmarks.places(self.session.document.layout)]
        if not found:
            say(self, "no bookmarks: press b to set one at the cursor", "warning")
            return
        if found == [self.cursor]:
            say(self, "there is no other bookmark")
        self._go_to_bookmark(next((offset for offset in found if offset > self.cursor), found[0]))

    def action_bookmarks(self) -> None:
        """Show the list of bookmarks."""
        from vmci_tui.tui.panes.bookmarks import BookmarkList

        self.app.push_screen(BookmarkList(self.session, self.places), self._go_to_bookmark)

    def _go_to_bookmark(self, offset: int | None) -> None:
        if offset is not None:
            self.arrive(offset)
            self.post_message(PaneBar.Picked("hex"))

    # Overwriting bytes

    def action_overwrite(self) -> None:
        """Start or end overwriting bytes of a note or the entry."""
        if self.writing:
            self.write(False)
            return
        if refuses_edit(self, self.session):
            return
        try:
            self._target()
        except EditError as error:
            say(self, str(error), "warning")
            return
        self.session.end_typing()
        self.write(True)

    def _target(self) -> tuple[int | None, int]:
        """Return the note (None: the entry) under the cursor, and the cursor's byte in it. Raises EditError."""
        place, document = self.place(), self.document
        if place is None:
            raise EditError("there is no byte here")
        if place.kind == "entry" or (document.dump is None and document.state.entry is not None):
            return None, self.cursor
        if place.note is not None:
            return place.note, self.cursor - document.layout.note_offsets[place.note]
        if place.kind == "memory":
            raise EditError("guest memory is never edited", "edit bytes of a note or the entry")
        raise EditError("each save writes these bytes again", "edit bytes of a note or the entry")

    def on_hex_view_typed(self, event: HexView.Typed) -> None:
        try:
            note, at = self._target()
            self.session.type_byte(note, at, event.byte)
        except VmciError as error:
            say(self, str(error), "error")
            return
        start = 0 if note is None else self.document.layout.note_offsets[note]
        self.go(start + at + 1)
        self.highlight_place()
        self.post_message(self.Written())


def place_text(document: Document, kernel: KernelFound | None, at: int, place: Place | None) -> str:
    """Return the file offset, the paddr and the field of a byte, and the kernel's symbol where it is known."""
    if place is None:
        return "no bytes"
    paddr = document.layout.memory.paddr_of(at)
    where = f"  paddr {paddr:#x} = {paddr}" if paddr is not None else ""
    if paddr is not None and kernel is not None:
        from vmci_tui.render.kernel.address_words import place_words

        where += place_words(kernel, document, at, paddr)
    return f"offset {at:#x} = {at}{where}  {place.label} ({place.length} bytes)"
