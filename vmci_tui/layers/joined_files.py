"""Present several files as one, one directly after the other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from vmci_tui.layers.file import FileSource


class JoinedFiles:
    """The bytes of several files in a row."""

    def __init__(self, files: tuple[FileSource, ...]) -> None:
        self.files = files
        *starts, self.size = accumulate((file.size for file in files), initial=0)
        self.starts = tuple(starts)
        """The offset of each file."""

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes; fewer at the end. Raises OpenError as `FileSource.read`."""
        return b"".join(file.read(at, size) for _, file, at, size in self._parts(offset, offset + length))

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        for begin, file, at, size in self._parts(start, end):
            for first, stop in file.data_ranges(at, at + size):
                yield first + begin, stop + begin

    def _parts(self, start: int, end: int) -> Iterator[tuple[int, FileSource, int, int]]:
        """Yield where each file begins, the file, and the offset in it and the length of its part of [start, end)."""
        if start < 0:
            return
        for index in range(max(bisect_right(self.starts, start) - 1, 0), len(self.files)):
            file, first = self.files[index], self.starts[index]
            if first >= end:
                return
            at = max(start - first, 0)
            if at < file.size:
                yield first, file, at, min(end - first, file.size) - at
