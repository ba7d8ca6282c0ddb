"""Read a stream from front to back: numbers, names and bytes, through a window of its file."""

from __future__ import annotations

from typing import Final

from vmci_tui.layers.file import Source

_WINDOW: Final = 1 << 20
"""Bytes that are read at a time."""


class BrokenStream(Exception):
    """The stream ends or makes no sense at `at`; what was read before is whole."""

    def __init__(self, words: str, at: int, *, cut: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.at = at
        self.cut = cut
        """Whether the file ends there."""


class Cursor:
    """A place in a source that moves on as it is read. All numbers are big-endian."""

    def __init__(self, source: Source, at: int = 0) -> None:
        self.source = source
        self.end = source.size
        self.base = at
        self.data = b""
        """The window: bytes of the source from `base` on."""
        self._into = 0

    @property
    def at(self) -> int:
        """The offset in the source."""
        return self.base + self._into

    def move(self, at: int) -> None:
        """Go to an offset; the window stays if it has it."""
        if self.base <= at <= self.base + len(self.data):
            self._into = at - self.base
        else:
            self.base, self.data, self._into = at, b"", 0

    def fill(self, length: int) -> bool:
        """Make the window hold the next `length` bytes, a few; return whether the source has them."""
        if self._into + length > len(self.data):
            self.base, self._into = self.at, 0
            self.data = self.source.read(self.base, max(length, _WINDOW))
        return self._into + length <= len(self.data)

    def peek(self, length: int) -> bytes:
        """Return the next bytes, a few, and stay; fewer at the end."""
        self.fill(length)
        return self.data[self._into : self._into + length]

    def take(self, length: int) -> bytes:
        """Return the next bytes; the caller bounds how many. Raises BrokenStream if the source ends before."""
        if not self.fill(length):
            raise BrokenStream("the file ends", self.end, cut=True)
        self._into += length
        return self.data[self._into - length : self._into]

    def number(self, length: int) -> int:
        """Return the number in the next `length` bytes. Raises BrokenStream."""
        return int.from_bytes(self.take(length), "big")

    def name(self) -> str:
        """Return a name: its length in a byte, then its characters. Raises BrokenStream."""
        return self.take(self.number(1)).decode("latin-1")

    def skip(self, length: int) -> None:
        """Go on over bytes that are not read here. Raises BrokenStream if the source ends before."""
        if self.at + length > self.end:
            raise BrokenStream("the file ends", self.end, cut=True)
        self.move(self.at + length)
