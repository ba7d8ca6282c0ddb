"""Write the new bytes of a record into its file, or the old ones; each step is durable before the next."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

from vmci_tui.common.errors import SaveError
from vmci_tui.layers.file import FileSource
from vmci_tui.saving.copy_filled import pwrite
from vmci_tui.saving.undo_journal import SaveRecord


@contextlib.contextmanager
def writable(source: FileSource, mode: int) -> Iterator[int]:
    """Open the file for writing, making it writable if needed, and give it `mode` at the end."""
    now = stat.S_IMODE(os.fstat(source.fileno()).st_mode)
    try:
        try:
            fd = os.open(source.path, os.O_RDWR | os.O_CLOEXEC)
        except PermissionError:
            now |= stat.S_IWUSR
            os.fchmod(source.fileno(), now)
            fd = os.open(source.path, os.O_RDWR | os.O_CLOEXEC)
        try:
            status = os.fstat(fd)
            if (status.st_dev, status.st_ino) != (source.identity.device, source.identity.inode):
                raise SaveError(f"{source.name} is not the file that was opened", "open it again, then save")
            yield fd
        finally:
            with contextlib.suppress(OSError):  # fsync has reported all errors that close could
                os.close(fd)
    finally:
        if now != mode:
            os.fchmod(source.fileno(), mode)


def final_mode(source: FileSource, record: SaveRecord) -> int:
    """Return the final mode of the file: a save that was killed may have left it writable."""
    now = stat.S_IMODE(os.fstat(source.fileno()).st_mode)
    return record.mode if now == record.mode | stat.S_IWUSR else now


def apply(fd: int, record: SaveRecord) -> None:
    """Write and sync the bytes past the old end before the others: until then the old file is still valid."""
    for change in record.changes:
        if change.offset >= record.size_before:
            pwrite(fd, change.new, change.offset)
    os.fsync(fd)
    for change in record.changes:
        if change.offset < record.size_before:
            pwrite(fd, change.new, change.offset)
    if record.size_after < record.size_before:
        os.fsync(fd)
        os.ftruncate(fd, record.size_after)
    os.fsync(fd)


def revert(fd: int, record: SaveRecord) -> None:
    """Write and sync the old bytes, then restore the old length and time."""
    for change in record.changes:
        pwrite(fd, change.old, change.offset)
    os.fsync(fd)
    os.ftruncate(fd, record.size_before)
    with contextlib.suppress(PermissionError):  # a user who may write the file need not own it
        # The time too: it shows that nobody wrote since the save before this one.
        os.utime(fd, ns=(os.fstat(fd).st_atime_ns, record.mtime_before))
    os.fsync(fd)
