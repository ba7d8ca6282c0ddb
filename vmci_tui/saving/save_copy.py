"""Save a copy by its plan: at any moment the target is absent, the old file or the new one.

The written bytes are read back and compared before the file gets its name.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from threading import Thread
from typing import Final

from vmci_tui.common.errors import SaveError
from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.document.document import Document
from vmci_tui.layers.file import FileSource
from vmci_tui.saving.new_file import write_atomically
from vmci_tui.saving.plan import Plan
from vmci_tui.saving.verify import check_saved
from vmci_tui.saving.write_image import write_image

CHECK_LIMIT = 64 << 30
"""Bytes of memory that are read back and compared after a copy, by default."""

_LARGE: Final = 64 << 20
"""Bytes of a file that are written to the disk while it is read back."""


@dataclass(frozen=True)
class SaveResult:
    """The result of a save."""

    name: Safe
    size: int
    checked: int
    """Bytes of guest memory that were read back and compared."""
    forced: bool = False
    """The file was not writable, like QEMU's dumps; it was made writable, and its mode restored."""
    given_up: int = 0
    """Earlier saves in place that cannot be undone any more, since the journal was full."""


def save_copy(
    document: Document, plan: Plan, target: str, progress: Progress = no_progress, check_limit: int = CHECK_LIMIT
) -> SaveResult:
    """Write the plan's image to `target`. Raises SaveError, or the error of `progress`; then no file is left."""

    def fill(fd: int) -> None:
        write_image(plan.base or document.source, plan.image, fd, progress)

    def check(temporary: str) -> int:
        return _check(document, plan, temporary, check_limit, progress)

    checked = write_atomically(document.source, target, fill, check)
    return SaveResult(visible(target), plan.image.size, checked)


def _check(document: Document, plan: Plan, temporary: str, limit: int, progress: Progress) -> int:
    with FileSource(temporary) as saved:
        _sync_meanwhile(saved)
        if document.dump is None:
            size = plan.image.size
            if saved.size != size or saved.read(0, size) != plan.image.read(document.source, 0, size):
                raise SaveError("the saved file is not the requested entry", "nothing was saved")
            return 0
        return check_saved(document.dump, document.state, saved, limit, progress)


def _sync_meanwhile(saved: FileSource) -> None:
    """Begin to write a large file to the disk, so that the sync at its end has less to wait for.

    That one reports what goes wrong: Linux tells each open file of an error once, and this is another one.
    """
    if saved.size >= _LARGE:
        Thread(target=_sync, args=(saved.fileno(),), daemon=True).start()


def _sync(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        os.fsync(descriptor)
