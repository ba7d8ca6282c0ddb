"""Copy bytes through memory, without their zeros: these become holes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from vmci_tui.common.errors import SaveError
from vmci_tui.layers.file import FileSource, Source
from vmci_tui.layers.head_and_memory import HeadAndMemory, Part
from vmci_tui.layers.read_into import PIECE, read_into

BLOCK: Final = 4096
"""File systems share multiples of this many bytes, so memory is moved by a multiple of it."""
_BUFFER: Final = 1 << 20
"""Bytes that are read and looked at at a time, for zeros."""
_ZEROS: Final = bytes(BLOCK)
_LOOKED_AT: Final = (0, 1021, 2047, 4095)
"""Bytes of a block, one of which is not zero in nearly all that are not: these are not looked at any further."""


class _Piece(NamedTuple):
    """Bytes that were read, until the next ones are."""

    source: Source
    offset: int
    """Where they are in the source."""
    to: int
    """Where they go in the new file."""
    data: bytearray
    length: int
    """How many of the buffer's bytes they are."""


def copy_filled(source: Source, fd: int, start: int, end: int, shift: int, copied: Callable[[int], None]) -> None:
    """Copy [start, end) of a source to `shift` bytes further in the new file, in whole blocks of it.

    `copied` gets the offset in the new file up to which all is copied. Raises OSError, SaveError, OpenError.
    """
    for piece in _pieces(source, start, end, shift):
        _write(fd, piece)
        copied(piece.to + piece.length)


def pwrite(fd: int, data: bytes | memoryview, offset: int) -> None:
    """Write all of `data` at `offset`, also if the system writes less at a time."""
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written


def copy_some(source: Source, fd: int, at: int, length: int, to: int) -> int:
    """Copy up to `length` bytes of the source to `to`: in the kernel where it can, else through memory."""
    if isinstance(source, FileSource):
        with contextlib.suppress(OSError):
            copied = os.copy_file_range(source.fileno(), fd, length, at, to)
            if copied:
                return copied
    data = source.read(at, min(length, PIECE))
    if not data:
        raise _ended(at)
    pwrite(fd, data, to)
    return len(data)


def _ended(at: int) -> SaveError:
    return SaveError(f"the source ended at {at:#x} while it was read", "open it again, then save")


def _pieces(source: Source, start: int, end: int, shift: int) -> Iterator[_Piece]:
    """Read [start, end), all into one buffer."""
    data = bytearray(min(_BUFFER, end - start))
    whole = (Part(start, end - start, source, start),)
    parts = source.parts(start, end) if isinstance(source, HeadAndMemory) else whole
    for part in parts:
        at = 0
        while at < part.length:
            to = part.at + at + shift
            with memoryview(data) as view:
                got = read_into(part.source, part.offset + at, view[: min(_BUFFER - to % BLOCK, part.length - at)])
            if not got:
                raise _ended(part.offset + at)
            yield _Piece(part.source, part.offset + at, to, data, got)
            at += got


def _write(fd: int, piece: _Piece) -> None:
    """Write what is not zero. A file system that shares blocks gets the chance to share a whole piece."""
    runs = _filled(piece.data, piece.length, piece.to)
    if isinstance(piece.source, FileSource) and not (piece.to - piece.offset) % BLOCK and runs == [(0, piece.length)]:
        done = 0
        while done < piece.length:
            done += copy_some(piece.source, fd, piece.offset + done, piece.length - done, piece.to + done)
        return
    with memoryview(piece.data) as view:
        for first, end in runs:
            pwrite(fd, view[first:end], piece.to + first)


def _filled(data: bytearray, length: int, to: int) -> list[tuple[int, int]]:
    """Return the parts of the first bytes that are not zero, in whole blocks of the new file."""
    runs: list[tuple[int, int]] = []
    start = 0
    for first, end in _maybe_zeros(data, length, BLOCK - to % BLOCK):
        if data.startswith(_ZEROS[: end - first], first):
            if start < first:
                runs.append((start, first))
            start = end
    if start < length:
        runs.append((start, length))
    return runs


def _maybe_zeros(data: bytearray, length: int, second: int) -> Iterator[tuple[int, int]]:
    """Yield the blocks that may be zeros, in order, by a few bytes of each; the first and the last in any case."""
    yield 0, min(second, length)
    count = max(length - second, 0) // BLOCK
    end, some = second + count * BLOCK, 0
    for at in _LOOKED_AT:
        some |= int.from_bytes(data[second + at : end : BLOCK], "little")
    marks, number = some.to_bytes(count, "little"), -1
    while (number := marks.find(0, number + 1)) >= 0:
        yield second + number * BLOCK, second + (number + 1) * BLOCK
    if end < length:
        yield end, length
