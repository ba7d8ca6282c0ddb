"""Write an image into a new file, as fast as the file system allows.

It shares blocks if possible (reflink: XFS, Btrfs), which copies nothing; else it copies in
the kernel; else through memory. Holes stay holes; through memory, pages of zeros become holes too.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
from itertools import pairwise
from typing import Final

from vmci_tui.common.errors import SaveError
from vmci_tui.common.progress import Progress
from vmci_tui.layers.file import FileSource, Source
from vmci_tui.layers.head_and_memory import HeadAndMemory, Part
from vmci_tui.layers.image import Image, NewBytes, SourceBytes
from vmci_tui.layers.read_into import PIECE, read_into

BLOCK: Final = 4096
"""File systems share multiples of this many bytes, so memory is moved by a multiple of it."""
_FICLONERANGE: Final = 0x4020940D  # linux/fs.h
_CHUNK: Final = 16 << 20
"""Bytes that the kernel copies at a time; the user can stop it in between."""
_ZEROS: Final = bytes(BLOCK)
_BUFFER: Final = 1 << 20
"""Bytes that are looked at at a time, for zeros."""
_STEP: Final = 1 << 30
"""Bytes that are shared at a time, so that the user can stop it."""


def write_image(source: Source, image: Image, fd: int, progress: Progress) -> None:
    """Fill the new file `fd` with the image. Raises OSError, SaveError, and the error of `progress`."""
    os.ftruncate(fd, image.size)
    roomy = False
    for offset, extent in image.placed():
        if isinstance(extent, NewBytes):
            pwrite(fd, extent.data, offset)
            progress("copy", offset + extent.length, image.size)
            continue
        rest = _share(source, fd, extent, offset, image.size, progress)
        if not roomy and rest == [(extent, offset)] and isinstance(source, FileSource):  # nothing could be shared
            _need_space(source, image, fd)
            roomy = True
        for part, to in rest:
            _copy(source, fd, part, to, image.size, progress)


def pwrite(fd: int, data: bytes | memoryview, offset: int) -> None:
    """Write all of `data` at `offset`, also if the system writes less at a time."""
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written


def _share(
    source: Source, fd: int, extent: SourceBytes, to: int, total: int, progress: Progress
) -> list[tuple[SourceBytes, int]]:
    """Share whole blocks of both files; return the rest to be copied, with its offsets in the new file."""
    whole = [(extent, to)]
    start = -(-extent.offset // BLOCK) * BLOCK
    end = (extent.offset + extent.length) // BLOCK * BLOCK
    if not isinstance(source, FileSource) or (to - extent.offset) % BLOCK or start >= end:
        return whole
    shift, at = to - extent.offset, start
    while at < end:
        length = min(_STEP, end - at)
        request = struct.pack("=qQQQ", source.fileno(), at, length, at + shift)
        try:
            fcntl.ioctl(fd, _FICLONERANGE, request)
        except OSError:  # not this file system, not across two of them, or not these blocks: copy
            return whole if at == start else [*_edges(extent, start, at, shift)]
        at += length
        progress("share", at + shift, total)
    return _edges(extent, start, end, shift)


def _edges(extent: SourceBytes, start: int, end: int, shift: int) -> list[tuple[SourceBytes, int]]:
    """Return the parts of an extent outside [start, end), with their offsets in the new file."""
    last = extent.offset + extent.length
    parts = (SourceBytes(extent.offset, start - extent.offset), SourceBytes(end, last - end))
    return [(part, part.offset + shift) for part in parts if part.length]


def _copy(source: Source, fd: int, extent: SourceBytes, to: int, total: int, progress: Progress) -> None:
    shift, buffer = to - extent.offset, bytearray(0 if isinstance(source, FileSource) else _BUFFER)
    for start, end in source.data_ranges(extent.offset, extent.offset + extent.length):
        at = start
        while at < end:
            progress("copy", at + shift, total)
            if isinstance(source, FileSource):
                at += copy_some(source, fd, at, min(_CHUNK, end - at), at + shift)
                continue
            stop = min(end, at + _CHUNK)
            parts = source.parts(at, stop) if isinstance(source, HeadAndMemory) else (Part(at, stop - at, source, at),)
            for part in parts:
                _copy_filled(fd, part, part.at + shift, buffer)
            at = stop
    progress("copy", to + extent.length, total)


def copy_some(source: Source, fd: int, at: int, length: int, to: int) -> int:
    """Copy up to `length` bytes of the source to `to`: in the kernel where it can, else through memory."""
    if isinstance(source, FileSource):
        with contextlib.suppress(OSError):
            copied = os.copy_file_range(source.fileno(), fd, length, at, to)
            if copied:
                return copied
    data = _some(source, at, length)
    pwrite(fd, data, to)
    return len(data)


def _some(source: Source, at: int, length: int) -> bytes:
    """Return up to `length` bytes of the source, at least one. Raises SaveError at its end."""
    data = source.read(at, min(length, PIECE))
    if not data:
        raise _ended(at)
    return data


def _ended(at: int) -> SaveError:
    return SaveError(f"the source ended at {at:#x} while it was read", "open it again, then save")


def _copy_filled(fd: int, part: Part, to: int, buffer: bytearray) -> None:
    """Copy what is not zero, in whole blocks of the new file; the rest of it stays a hole.

    Long stretches of a file are copied in the kernel: it has them at hand, since they were just looked at.
    """
    source, done, at = part.source, 0, 0
    with memoryview(buffer) as view:
        while at < part.length:
            take = min(len(buffer) - (to + at) % BLOCK, part.length - at)
            length = read_into(source, part.offset + at, view[:take])
            if not length:
                raise _ended(part.offset + at)
            runs = _filled(buffer, length, to + at)
            if not isinstance(source, FileSource) or runs != [(0, length)]:
                _copy_run(fd, part, to, done, at)
                for first, end in runs:
                    pwrite(fd, view[first:end], to + at + first)
                done = at + length
            at += length
    _copy_run(fd, part, to, done, at)


def _copy_run(fd: int, part: Part, to: int, start: int, end: int) -> None:
    while start < end:
        start += copy_some(part.source, fd, part.offset + start, end - start, to + start)


def _filled(data: bytearray, length: int, to: int) -> list[tuple[int, int]]:
    """Return the parts of the first bytes that are not zero, in whole blocks of the new file."""
    runs: list[tuple[int, int]] = []
    start = 0
    for first, end in pairwise((0, *range(BLOCK - to % BLOCK, length, BLOCK), length)):
        if data.startswith(_ZEROS[: end - first], first):
            if start < first:
                runs.append((start, first))
            start = end
    if start < length:
        runs.append((start, length))
    return runs


def _need_space(source: Source, image: Image, fd: int) -> None:
    """Raise SaveError, with the exact need, if the space is too small; shared blocks and holes need none."""
    need = 0
    for _, extent in image.placed():
        if isinstance(extent, SourceBytes):
            parts = source.data_ranges(extent.offset, extent.offset + extent.length)
            need += sum(end - start for start, end in parts)
        else:
            need += extent.length
    room = os.fstatvfs(fd)
    free = room.f_bavail * room.f_frsize
    if need > free:
        raise SaveError(f"the copy needs {need} bytes, and {free} are free there", "save on another file system")
