"""Keep what was decompressed once, packed: in memory, and what finds no room there in a nameless temporary file."""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import BinaryIO, Final

from vmci_tui.images.wrapped.decoders import Packing

ROOM: Final = 512 << 20
"""Bytes of packed chunks that are kept in memory."""


class PackedChunks:
    """Packed chunks by their numbers.

    The file is in the folder for temporary files (TMPDIR), never beside the source. It has no name, so that it is gone
    with the process, and takes at most half of what is free there.
    """

    def __init__(self, packing: Packing) -> None:
        self._packing = packing
        self._kept: dict[int, bytes] = {}
        self._room = ROOM
        self._file: BinaryIO | None = None
        self._places: dict[int, tuple[int, int]] = {}
        """The offset in the file and the length of each chunk in it."""
        self._end = self._limit = 0

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()

    def get(self, number: int) -> bytes | None:
        """Return a chunk; None if it is not kept."""
        if (packed := self._kept.get(number)) is not None:
            return self._packing.unpack(packed)
        if self._file is None or number not in self._places:
            return None
        offset, length = self._places[number]
        try:
            packed = os.pread(self._file.fileno(), length, offset)
        except OSError:  # a disk that fails: it is decompressed again
            return None
        return self._packing.unpack(packed) if len(packed) == length else None

    def add(self, number: int, data: bytes) -> None:
        """Keep a chunk, if it is not yet and there is room."""
        if number in self._kept or number in self._places:
            return
        if self._room > 0:
            packed = self._kept[number] = self._packing.pack(data)
            self._room -= len(packed)
        elif self._file is not None or self._begin_file():
            self._write(number, data)

    def _begin_file(self) -> bool:
        """Begin the file; return whether there is one."""
        if self._limit < 0:
            return False
        self._limit = -1
        with contextlib.suppress(OSError):
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 (closed by __del__)
            disk = os.fstatvfs(self._file.fileno())
            self._limit = disk.f_bavail * disk.f_frsize // 2
        return self._file is not None

    def _write(self, number: int, data: bytes) -> None:
        if self._file is None or self._end >= self._limit:
            return
        packed = self._packing.pack(data)
        try:
            written = os.pwrite(self._file.fileno(), packed, self._end)
        except OSError:  # the disk is full
            written = -1
        if written < len(packed):
            self._limit = 0
            return
        self._places[number] = self._end, len(packed)
        self._end += len(packed)
