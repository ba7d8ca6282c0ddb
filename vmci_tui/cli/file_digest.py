"""Sum the bytes of a file for the page of a ticket."""

from __future__ import annotations

import hashlib
from typing import Final

from vmci_tui.common.progress import Progress
from vmci_tui.layers.file import FileSource
from vmci_tui.render.conversion.page import Digest

_PIECE: Final = 1 << 20


def digest(file: FileSource, progress: Progress) -> Digest:
    """Return the sha256 of all bytes. Raises OpenError, and what `progress` raises."""
    summed = hashlib.sha256()
    for at in range(0, file.size, _PIECE):
        summed.update(file.read(at, _PIECE))
        progress("sha256", at, file.size)
    progress("sha256", file.size, file.size)
    return Digest(file.name, file.size, summed.hexdigest())
