"""Read and write the small files that vmci keeps for its user; their contents are untrusted."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Final

from vmci_tui.common.errors import OpenError
from vmci_tui.layers.file import read_small

LIMIT: Final = 1 << 20
"""Bytes of the largest file that is read."""


def read_own(path: Path) -> bytes:
    """Return the bytes of a regular file of at most `LIMIT` bytes; b"" if it does not exist.

    Raises OpenError for a pipe, a device, a folder, or a file that is too large or cannot be read.
    """
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError:
        pass  # opening it reports the error
    return read_small(str(path), LIMIT, "this file")


def write_own(path: Path, data: bytes) -> None:
    """Write a file whole or not at all. A file that `read_own` refuses is left alone; errors are ignored."""
    if unreadable(path):
        return
    target = os.path.realpath(path)
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=os.path.dirname(target))
    except OSError:
        return
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.replace(temporary, target)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def set_aside(path: Path) -> None:
    """Rename a damaged file to `NAME.damaged`, so that a new one does not replace it; errors are ignored."""
    with contextlib.suppress(OSError):
        os.replace(path, f"{path}.damaged")


def unreadable(path: Path) -> str | None:
    """Return the reason why `read_own` refuses a file; None if it does not."""
    try:
        read_own(path)
    except OpenError as error:
        return error.message
    return None
