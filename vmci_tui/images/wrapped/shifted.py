"""Read a part of a file as a file of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vmci_tui.layers.file import Source
from vmci_tui.layers.read_into import read_parts


class ShiftedSource:
    """The bytes of a file from an offset on."""

    def __init__(self, file: Source, at: int) -> None:
        self._file, self._at = file, min(at, file.size)
        self.size = file.size - self._at

    def read(self, offset: int, length: int) -> bytes:
        return self._file.read(offset + self._at, length) if offset >= 0 else b""

    def read_parts(self, offset: int, parts: Sequence[memoryview]) -> int:
        return read_parts(self._file, offset + self._at, parts) if offset >= 0 else 0

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        for first, last in self._file.data_ranges(start + self._at, end + self._at):
            yield first - self._at, last - self._at
