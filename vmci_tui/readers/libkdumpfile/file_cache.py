"""How libkdumpfile reads a file: through mapped windows of memory, in which reading past the end kills it.

A window is 4 MiB. A page that begins after the end of the file is read as zeros; a page after
the last one of the file, in a window that begins inside the file, gives SIGBUS.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import align_up
from vmci_tui.readers.file_view import View
from vmci_tui.readers.libkdumpfile.releases import NEWEST, Release

PAGE: Final = 4096
WINDOW: Final = PAGE << 10
_NO_MEMORY: Final = 1 << 35
"""malloc fails from about here on: observed on a machine with 24 GiB; others differ by a few powers of two."""
FILE: Final = "file #0: "
"""libkdumpfile's words before those of a step that reads the only file of a dump."""
FD: Final = f"kdump_set_number_attr(KDUMP_ATTR_FILE_FD): {FILE}"
"""drgn's words before them while it opens the file."""
OSTYPE: Final = "kdump_set_string_attr(KDUMP_ATTR_OSTYPE): "
"""drgn's words before those of libkdumpfile when it sets the system's type."""


class Stopped(Exception):
    """libkdumpfile stops here: the rule, its words, the bytes concerned."""

    def __init__(self, rule: str, words: str, span: Span | None = None) -> None:
        super().__init__(words)
        self.rule, self.words, self.span = rule, words, span


class ReadFailed(Exception):
    """A read that failed, with the system's words or none."""

    def after(self, words: str) -> str:
        """Return the words of the step that it makes fail."""
        return f"{words}: {self}" if str(self) else words


class Killed(Exception):
    """The process dies here; the message is the name of the signal."""


class Windows:
    """The file cache (fcache.c) over the bytes of a file; `library`: the release of libkdumpfile."""

    def __init__(self, view: View, library: Release = NEWEST) -> None:
        self.view = view
        self._read_pages = library.read_pages
        self.crowded = False
        """Whether the number of pages for bytes that cannot be mapped mattered."""
        self.end = align_up(view.size, PAGE)
        """From this offset on access kills."""
        self.read_before = False
        """Whether a page after the end was read: later ones are then apart in memory, are copied, and have room."""

    def read(self, offset: int, length: int, asked: int | None = None) -> bytes:
        """Read the first `length` bytes of a chunk of `asked` bytes (default: `length`) at `offset`.

        `offset` is an unsigned 64-bit number from a header. Raises Killed if the process dies,
        ReadFailed if the system refuses.
        """
        asked = length if asked is None else asked
        if not asked:
            if length:
                raise Killed("SIGSEGV")
            return b""
        if offset >= (1 << 63) - PAGE:
            raise ReadFailed("Invalid argument")
        if offset & -PAGE >= self.view.size:
            pages = (offset + asked - 1) // PAGE - offset // PAGE
            self.crowded |= pages >= NEWEST.read_pages
            # A piece with more pages than it caches has no room (KDUMP_ERR_BUSY).
            if pages >= self._read_pages and not self.read_before:
                raise ReadFailed("")
            self.read_before = True
        else:
            room = WINDOW - offset % WINDOW
            if asked > room:
                if asked >= _NO_MEMORY:
                    raise ReadFailed("Cannot allocate memory")
                length = asked
            self._kill(offset + length)
        return self.view.read(offset, length).ljust(min(length, 1 << 26), b"\0")

    def window(self, offset: int, length: int) -> bytes:
        """Return a piece without accessing it: it ends where access would kill."""
        room = min(length, self.end - offset) if self.in_window(offset, length) else length
        return self.read(offset, room, length)

    def in_window(self, offset: int, length: int) -> bool:
        """Whether a piece is mapped, not copied: it is in one window, which begins inside the file."""
        return offset & -PAGE < self.view.size and offset % WINDOW + length <= WINDOW

    def touch(self, offset: int, length: int) -> None:
        """Copy bytes piece by piece (fcache_pread). Raises like `read`."""
        if offset >= (1 << 63) - PAGE:
            raise ReadFailed("Invalid argument")
        if offset & -PAGE < self.view.size:
            self._kill(offset + length)
        self.read_before |= offset + length > self.end

    def _kill(self, end: int) -> None:
        """Kill if a piece that begins in the file ends in the rest of its last window; after that come zeros."""
        if min(end, align_up(self.end, WINDOW)) > self.end:
            raise Killed("SIGBUS")

    def allocate(self, length: int) -> None:
        """Allocate like malloc. Raises ReadFailed for more memory than a machine has."""
        if length >= _NO_MEMORY:
            raise ReadFailed("Cannot allocate memory")
