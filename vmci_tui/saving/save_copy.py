"""Save a copy by its plan: at any moment the target is absent, the old file or the new one.

The written bytes are read back and compared before the file gets its name.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from vmci_tui.common.errors import SaveError
from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.document.document import Document
from vmci_tui.layers.file import FileSource, Source
from vmci_tui.saving.behind import Behind
from vmci_tui.saving.new_file import write_atomically
from vmci_tui.saving.plan import Plan
from vmci_tui.saving.verify import check_saved
from vmci_tui.saving.write_image import write_image

CHECK_LIMIT = 64 << 30
"""Bytes of memory that are read back and compared after a copy, by default."""

_LARGE: Final = 64 << 20
"""Bytes of a file that is checked while it is written: a smaller one is written before threads have started."""


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

    base = plan.base or document.source

    def check(saved: Source, report: Progress) -> int:
        if document.dump is None:
            return _check_entry(document, plan, saved)
        return check_saved(document.dump, document.state, saved, check_limit, report)

    def make(fd: int, temporary: str) -> int:
        if plan.image.size < _LARGE:
            write_image(base, plan.image, fd, progress)
            with FileSource(temporary) as saved:
                return check(saved, progress)
        os.ftruncate(fd, plan.image.size)
        with Behind(temporary, check) as behind:
            write_image(base, plan.image, fd, behind.follow(progress))
            return behind.result(progress)

    checked = write_atomically(document.source, target, make)
    return SaveResult(visible(target), plan.image.size, checked)


def _check_entry(document: Document, plan: Plan, saved: Source) -> int:
    size = plan.image.size
    if saved.size != size or saved.read(0, size) != plan.image.read(document.source, 0, size):
        raise SaveError("the saved file is not the requested entry", "nothing was saved")
    return 0
