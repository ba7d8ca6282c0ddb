"""Runs a plan so that the target is, at any moment, either absent, the old file or the new one.

The new file is written under a temporary name in the target's folder, read back and
compared, made durable, and only then renamed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from vmci_tui.core.compare import check_saved
from vmci_tui.core.copying import write_image
from vmci_tui.core.document import Document
from vmci_tui.core.errors import SaveError
from vmci_tui.core.plan import Plan
from vmci_tui.core.progress import Progress, quiet
from vmci_tui.core.source import FileSource, Source, reason
from vmci_tui.core.text import Safe, visible

CHECK_LIMIT = 64 << 30
"""Bytes of memory that are read back and compared after a copy, unless the user says otherwise."""


T = TypeVar("T")


@dataclass(frozen=True)
class Saved:
    """What was done."""

    name: Safe
    size: int
    checked: int
    """Bytes of guest memory that were read back and compared."""
    forced: bool = False
    """The file could not be written, as QEMU leaves its dumps; it was made so, and its mode restored."""


def save_copy(
    document: Document, plan: Plan, target: str, progress: Progress = quiet, check_limit: int = CHECK_LIMIT
) -> Saved:
    """Write the plan's image to `target`. Raises SaveError, or what `progress` raises; then nothing is left behind."""

    def fill(fd: int) -> None:
        write_image(plan.base or document.source, plan.image, fd, progress)

    def check(temporary: str) -> int:
        return _check(document, temporary, check_limit, progress)

    checked = put_in_place(document.source, target, fill, check)
    return Saved(visible(target), plan.image.size, checked)


def put_in_place(source: Source, target: str, fill: Callable[[int], None], check: Callable[[str], T]) -> T:
    """Make a new file: `fill` writes it, `check` is given its temporary name, then it gets its own; what `check` says.

    It gets the mode of the source. Raises SaveError, or what the two raise; then nothing is left behind.
    """
    path = _real(target)
    _refuse_bad_target(source, path, target)
    refuse_changed(source)
    mode = 0o600
    if isinstance(source, FileSource):
        mode = stat.S_IMODE(os.fstat(source.fileno()).st_mode)
    temporary, fd = _temporary(path)
    try:
        try:
            fill(fd)
            os.fchmod(fd, mode)
            os.fsync(fd)
        finally:
            os.close(fd)
        checked = check(temporary)
        refuse_changed(source)  # what was cut off meanwhile reads as a hole, here and in the copy alike
        os.replace(temporary, path)
    except OSError as error:
        _forget(temporary)
        raise said(error, target) from None
    except BaseException:
        _forget(temporary)
        raise
    try:
        sync_folder(path)
    except OSError as error:
        words = f"{visible(target)} is saved, but may not outlast a power cut: {reason(error)}"
        raise SaveError(words, "run `sync`") from None
    return checked


def _real(target: str) -> str:
    try:
        return os.path.realpath(target)
    except (OSError, ValueError) as error:
        raise said(error, target) from None


def refuse_changed(source: Source) -> None:
    """Raises SaveError where the file is not the one that was opened."""
    if isinstance(source, FileSource) and source.current() != source.identity:
        raise SaveError(f"{source.name} has changed since it was opened", "open it again, then save")


def _refuse_bad_target(source: Source, path: str, target: str) -> None:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise said(error, target) from None
    if not stat.S_ISREG(status.st_mode):
        raise SaveError(f"{visible(target)} is not a regular file", "choose another name")
    if isinstance(source, FileSource) and (status.st_dev, status.st_ino) == (
        source.identity.device,
        source.identity.inode,
    ):
        raise SaveError(f"{visible(target)} is the dump that is open", "save under another name")


def _temporary(path: str) -> tuple[str, int]:
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name[:200]}.{os.getpid()}.vmci-part")
    try:
        return temporary, os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except (OSError, ValueError) as error:
        raise said(error, path) from None


def _check(document: Document, temporary: str, limit: int, progress: Progress) -> int:
    saved = FileSource(temporary)
    try:
        if document.dump is None:
            wanted = document.state.entry
            if wanted is None or saved.size != 16:
                raise SaveError("what was saved is no entry of 16 bytes", "nothing was put in place")
            return 0
        return check_saved(document.dump, document.state, saved, limit, progress)
    finally:
        saved.close()


def sync_folder(path: str) -> None:
    """Make the names in the folder of `path` durable."""
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _forget(temporary: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(temporary)


def said(error: OSError | ValueError, target: str) -> SaveError:
    """What the system said, as an error that tells what to do."""
    hint = {errno.ENOSPC: "make room, or save on another file system", errno.ENOENT: "the folder is not there"}
    number = error.errno if isinstance(error, OSError) else None
    why = f"cannot save as {visible(target)}: {reason(error)}"
    return SaveError(why, hint.get(number or 0, "choose another place"))
