"""Make a flattened file plain: with the same bytes and holes as `makedumpfile -R OUT < FILE`.

For a file that was cut off makedumpfile 1.7.2 writes nothing: it reads for ever. Here the existing records
are written, and a kdump's status then says that the dump is incomplete: nothing else in the copy would.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError, SaveError
from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.containers.kdump.header import read_header
from vmci_tui.formats.kdump_records import BLOCK_SIZES, INCOMPLETE, SIGNATURE
from vmci_tui.layers.file import BytesSource, FileSource
from vmci_tui.layers.flattened import FlattenedSource, is_flattened, open_flattened, records
from vmci_tui.layers.record_index import Record
from vmci_tui.saving.copy_filled import copy_some, pwrite
from vmci_tui.saving.new_file import write_atomically

_LARGE: Final = 256 << 10
"""Records of at least this length are copied by the kernel: QEMU's have 16 KiB at most."""
_CHUNK: Final = 16 << 20
_HEADERS: Final = 2 * max(BLOCK_SIZES)
"""Bytes of a kdump that hold both of its headers."""


class Unflattened(NamedTuple):
    """The result of making a file plain."""

    name: Safe
    size: int
    written: int
    """Bytes of the records; all other bytes are holes, which read as zeros."""
    faults: tuple[str, ...]
    """Messages why the file may lack its end; empty for a whole file."""


def plain_of(source: FileSource) -> FlattenedSource:
    """Return the plain file in a flattened one. Raises OpenError if the file is not flattened."""
    if not is_flattened(source.read(0, 16)):
        raise OpenError(f"{source.name} is not flattened", "only such a file needs it: `vmci show FILE` names its kind")
    return open_flattened(source)


def unflatten(source: FileSource, target: str, progress: Progress = no_progress) -> Unflattened:
    """Write the plain file to `target`; of a broken file, the records before the fault.

    Raises SaveError if the target cannot be written.
    """
    faults: list[str] = []
    written = 0

    def make(fd: int, _: str) -> int:
        nonlocal written
        written = _write(source, fd, records(source, faults), progress)
        if faults:
            _mark(fd)
        return os.fstat(fd).st_size

    size = write_atomically(source, target, make)
    return Unflattened(visible(target), size, written, tuple(faults))


def _mark(fd: int) -> None:
    """Set the incomplete flag in the header of a kdump; leave an unreadable header unchanged."""
    head = BytesSource(os.pread(fd, _HEADERS, 0))
    if not head.read(0, len(SIGNATURE)).startswith(SIGNATURE):
        return
    try:
        header = read_header(head)
    except OpenError:
        return
    place = header.form.header.span("status")
    pwrite(fd, (header.header.status | INCOMPLETE).to_bytes(place.length, header.form.order), place.offset)


def _write(source: FileSource, fd: int, found: Iterator[Record], progress: Progress) -> int:
    """Write the records in order, so that the later of two for one offset counts; return the bytes written."""
    written = 0
    for number, record in enumerate(found):
        if record.offset < 0:
            break
        written += record.length
        if number % 256 == 0 or record.length > _LARGE:
            progress("copy", record.place, source.size)
        if record.length < _LARGE:
            data = source.read(record.place, record.length)
            if len(data) < record.length:
                raise SaveError(f"{source.name} ended while it was read", "open it again")
            pwrite(fd, data, record.offset)
            continue
        done = 0
        while done < record.length:
            take = min(_CHUNK, record.length - done)
            done += copy_some(source, fd, record.place + done, take, record.offset + done)
            progress("copy", record.place + done, source.size)
    return written
