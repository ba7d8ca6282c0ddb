"""Read a new file right behind its writer, up to where that has come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Condition

from vmci_tui.layers.file import FileSource


class GivenUp(Exception):
    """The file will not be written further."""


class Written:
    """How far a file is written; one thread says so, and others wait for it."""

    def __init__(self) -> None:
        self._at = 0
        self._given_up = False
        self._changed = Condition()

    def say(self, at: int) -> None:
        """Say that all bytes before `at` are in the file."""
        with self._changed:
            self._at = max(self._at, at)
            self._changed.notify_all()

    def give_up(self) -> None:
        """Say that nothing more comes: whoever waits, or reads on, gets GivenUp."""
        with self._changed:
            self._given_up = True
            self._changed.notify_all()

    def wait_for(self, offset: int) -> int:
        """Wait until all bytes before an offset are there; return how many are. Raises GivenUp."""
        if self._given_up or self._at < offset:
            with self._changed:
                self._changed.wait_for(lambda: self._given_up or self._at >= offset)
            if self._given_up:
                raise GivenUp
        return self._at


class WrittenFile(FileSource):
    """A file of its last size, each of whose bytes is read as soon as it is written. Reads raise GivenUp, too."""

    def __init__(self, path: str, written: Written) -> None:
        super().__init__(path)
        self._written = written

    def read(self, offset: int, length: int) -> bytes:
        self._written.wait_for(min(offset + length, self.size))
        return super().read(offset, length)

    def read_parts(self, offset: int, parts: Sequence[memoryview]) -> int:
        self._written.wait_for(min(offset + sum(map(len, parts)), self.size))
        return super().read_parts(offset, parts)

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the parts that are not holes; one that is being written comes in several parts."""
        end = min(end, self.size)
        while start < end:
            there = min(self._written.wait_for(start + 1), end)
            yield from super().data_ranges(start, there)
            start = there
