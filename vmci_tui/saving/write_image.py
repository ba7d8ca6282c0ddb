"""Write an image into a new file, as fast as the file system allows.

It shares blocks if possible (reflink: XFS, Btrfs), which copies nothing; else it copies in
the kernel; else through memory. Holes stay holes; through memory, pages of zeros become holes too.
"""

from __future__ import annotations

import fcntl
import os
import struct
from typing import Final

from vmci_tui.common.errors import SaveError
from vmci_tui.common.progress import Progress
from vmci_tui.layers.file import FileSource, Source
from vmci_tui.layers.image import Image, NewBytes, SourceBytes
from vmci_tui.saving.copy_filled import BLOCK, copy_filled, copy_some, pwrite

_FICLONERANGE: Final = 0x4020940D  # linux/fs.h
_CHUNK: Final = 2 << 20
"""Bytes that the kernel copies at a time; the user can stop it in between."""
_STEP: Final = 1 << 30
"""Bytes that are shared at a time, so that the user can stop it."""


def write_image(source: Source, image: Image, fd: int, progress: Progress) -> None:
    """Fill the new file `fd` with the image. Raises OSError, SaveError, and the error of `progress`.

    `progress` of `copy` says up to which offset all bytes are in the file.
    """
    os.ftruncate(fd, image.size)
    roomy = False
    for offset, extent in image.placed():
        if isinstance(extent, NewBytes):
            pwrite(fd, extent.data, offset)
        else:
            rest = _share(source, fd, extent, offset, image.size, progress)
            if not roomy and rest == [(extent, offset)] and isinstance(source, FileSource):  # nothing could be shared
                _need_space(source, image, fd)
                roomy = True
            for part, to in rest:
                _copy(source, fd, part, to, image.size, progress)
        progress("copy", offset + extent.length, image.size)


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
    shift = to - extent.offset
    for start, end in source.data_ranges(extent.offset, extent.offset + extent.length):
        progress("copy", start + shift, total)
        if not isinstance(source, FileSource):
            copy_filled(source, fd, start, end, shift, lambda at: progress("copy", at, total))
            continue
        at = start
        while at < end:
            at += copy_some(source, fd, at, min(_CHUNK, end - at), at + shift)
            progress("copy", at + shift, total)


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
