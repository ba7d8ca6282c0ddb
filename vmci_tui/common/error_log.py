"""Write the log of vmci's own errors, to be sent with a report: private, bounded, without a byte of a dump."""

from __future__ import annotations

import os
import stat
import sys
import time
from pathlib import Path
from typing import Final

from vmci_tui import __version__
from vmci_tui.common.internal_errors import InternalError
from vmci_tui.common.safe_text import Safe, visible

LIMIT: Final = 256 << 10
"""Bytes of the file; it starts again from empty if a record would make it longer."""


def log_file() -> Path:
    """Return the path of the log; the file need not exist."""
    from platformdirs import user_state_path

    return user_state_path("vmci-tui") / "log" / "errors.log"


def log_error(error: InternalError) -> Safe | None:
    """Add a record and return the file's name; None if it cannot be written, since logging must not fail again."""
    path = log_file()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    python = ".".join(map(str, sys.version_info[:3]))
    head = f"{stamp} vmci {__version__}, Python {python}, {sys.platform}: {' < '.join(error.kinds)}"
    record = "".join(f"{line}\n" for line in (head, *(f"  {frame}" for frame in error.frames), ""))
    try:
        path.parent.parent.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(path, flags, 0o600)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return None
            data = visible_lines(record)
            if status.st_size + len(data) > LIMIT:
                os.ftruncate(descriptor, 0)
            os.write(descriptor, data)
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return None
    return visible(str(path))


def visible_lines(text: str) -> bytes:
    """Return the lines as printable ASCII: names of files and classes may hold any character."""
    return "".join(f"{visible(line)}\n" for line in text.splitlines()).encode("ascii")
