"""Write a new file atomically: at any moment no file of that name exists, or the whole old or new one.

It is written under a temporary name in the target's folder, checked, synced, and only then renamed.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import os
import re
import stat
from collections.abc import Callable
from typing import Final, TypeVar

from vmci_tui.common.errors import FileTaken, OpenError, SaveError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.common.signals import note_change, signals_blocked
from vmci_tui.layers.file import FileSource, Source, files_of, reason

_PERMISSIONS: Final = 0o777
"""The mode bits that a copy keeps: a set-id bit would run foreign bytes with the saver's rights."""
_OURS: Final = 0o600
_ACL: Final = "system.posix_acl_access"
_PART: Final = ".vmci-part"
_NAME_BYTES: Final = 100
"""Bytes of the target's name in the temporary one; some file systems allow names of 143 bytes only."""

P = TypeVar("P", str, int)
T = TypeVar("T")


def write_atomically(source: Source, target: str, make: Callable[[int, str], T], announce: bool = True) -> T:
    """Make a new file: `make` gets it open and empty, and its temporary name, then it is renamed.

    Owner and permissions are as after `cp`. Returns what `make` returns. Raises SaveError, or the errors of `make`;
    then no file is left.
    `announce` adds the file to the message after an interrupt; not for vmci's own files.
    """
    path = _real(target)
    there = _refuse_bad_target(source, path, target)
    refuse_changed(source)
    mode = _mode_of_copy(source) if there is None else _OURS
    with contextlib.ExitStack() as stack:
        stack.enter_context(signals_blocked())
        temporary, fd = _temporary(path, mode)
        try:
            stack.close()  # from here on the file is removed if a signal comes
            try:
                made = make(fd, temporary)
                if there is None:
                    _change_mode(fd, stat.S_IMODE(os.fstat(fd).st_mode) & (mode | ~_OURS))
                else:
                    _copy_ownership(fd, path, there, target)
                os.fsync(fd)
            finally:
                os.close(fd)
            refuse_changed(source)  # in a file that was cut meanwhile both sides would read holes
            with signals_blocked():
                os.replace(temporary, path)
                if announce:
                    note_change(f"{visible(target)} is saved")
        except BaseException as error:
            with signals_blocked():
                _remove(temporary)
            if isinstance(error, OSError):
                raise save_error(error, target) from None
            if isinstance(error, OpenError):  # the source was cut off meanwhile, or its disk fails
                refuse_changed(source)
            raise
    try:
        sync_folder(path)
    except OSError as error:
        words = f"{visible(target)} is saved, but may not outlast a power cut: {reason(error)}"
        raise SaveError(words, "run `sync`") from None
    return made


def _mode_of_copy(source: Source) -> int:
    """Return the mode to create a copy with; the umask applies."""
    for file in files_of(source):
        return os.fstat(file.fileno()).st_mode & _PERMISSIONS
    return 0o666


def _copy_ownership(fd: int, path: str, there: os.stat_result, target: str) -> None:
    """Give the new file the owner, the mode and the access list of the one that it replaces."""
    new = os.fstat(fd)
    if (new.st_uid, new.st_gid) != (there.st_uid, there.st_gid):
        try:
            os.fchown(fd, there.st_uid, there.st_gid)
        except PermissionError:
            words = f"{visible(target)} is another user's or group's, and the new file would not be"
            raise SaveError(words, "save under another name, or remove it first") from None
    access = _where_any(os.getxattr, path, _ACL)
    if access is not None:
        os.setxattr(fd, _ACL, access)
    else:  # the folder may have given it an access list
        _where_any(os.removexattr, fd, _ACL)
    _change_mode(fd, there.st_mode & _PERMISSIONS)


def _where_any(call: Callable[[P, str], T], file: P, name: str) -> T | None:
    """Get or remove an attribute; None if the file has none, or its file system does not support any."""
    try:
        return call(file, name)
    except OSError as error:
        if error.errno in (errno.ENODATA, errno.EOPNOTSUPP):
            return None
        raise


def _change_mode(fd: int, mode: int) -> None:
    if stat.S_IMODE(os.fstat(fd).st_mode) != mode:
        os.fchmod(fd, mode)


def refuse_target(source: Source, target: str) -> None:
    """Raise SaveError if nothing can be saved under this name, before any work is done."""
    path = _real(target)
    _refuse_bad_target(source, path, target)
    try:
        os.stat(os.path.dirname(path))
    except OSError as error:
        raise save_error(error, target) from None


def _real(target: str) -> str:
    try:
        return os.path.realpath(target)
    except (OSError, ValueError) as error:
        raise save_error(error, target) from None


def refuse_changed(source: Source) -> None:
    """Raise SaveError if a file has changed since it was opened."""
    for file in files_of(source):
        if file.current() != file.identity:
            raise SaveError(f"{file.name} has changed since it was opened", "open it again, then save")


def _refuse_bad_target(source: Source, path: str, target: str) -> os.stat_result | None:
    """Return the status of the file to be replaced; None if there is none. Raises SaveError."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise save_error(error, target) from None
    if not stat.S_ISREG(status.st_mode):
        raise SaveError(f"{visible(target)} is not a regular file", "choose another name")
    if any((status.st_dev, status.st_ino) == file.identity[:2] for file in files_of(source)):
        raise SaveError(f"{visible(target)} is the dump that is open", "save under another name")
    return status


def _temporary(path: str, mode: int) -> tuple[str, int]:
    """Create a file beside `path`, locked while it is written, so that an abandoned one can be recognised."""
    for again in itertools.count():
        name = f"{_stem(path)}{os.getpid()}{f'-{again}' if again else ''}{_PART}"
        temporary = os.path.join(os.path.dirname(path), name)
        try:
            fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode | _OURS)
        except FileExistsError:
            continue  # left by a killed process with this pid
        except (OSError, ValueError) as error:
            raise save_error(error, path) from None
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return temporary, fd
    raise AssertionError


def _stem(path: str) -> str:
    """Return the prefix of all temporary files for `path`."""
    name = os.path.basename(path)
    while len(os.fsencode(name)) > _NAME_BYTES:
        name = name[:-1]
    return f".{name}."


def unfinished_copies(target: str) -> tuple[tuple[Safe, int], ...]:
    """Return the unfinished copies to `target` whose writers were killed, each with its bytes on the disk."""
    try:
        path = os.path.realpath(target)
        pattern = re.compile(re.escape(_stem(path)) + rf"\d+(-\d+)?{re.escape(_PART)}")
        with os.scandir(os.path.dirname(path)) as names:
            found = [entry.path for entry in names if pattern.fullmatch(entry.name)]
        return tuple((visible(part), os.lstat(part).st_blocks * 512) for part in sorted(found) if _is_abandoned(part))
    except (OSError, ValueError, OpenError):
        return ()  # the result is only a hint


def _is_abandoned(part: str) -> bool:
    with FileSource(part) as source:
        return source.lock()


def sync_folder(path: str) -> None:
    """Make the names in the folder of `path` durable."""
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove(temporary: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(temporary)


def save_error(error: OSError | ValueError, target: str) -> SaveError:
    """Return a SaveError for an error of the system, with a hint what to do."""
    hint = {errno.ENOSPC: "make room, or save on another file system", errno.ENOENT: "the folder is not there"}
    number = error.errno if isinstance(error, OSError) else None
    why = f"cannot save as {visible(target)}: {reason(error)}"
    return SaveError(why, hint.get(number or 0, "choose another place"))


def write_new(path: str, data: bytes) -> None:
    """Write a small new file, whole or not at all. Raises SaveError, FileTaken if it exists."""
    try:
        with signals_blocked(), open(path, "xb") as file:
            try:
                file.write(data)
                file.flush()
            except BaseException:
                os.unlink(path)
                raise
            note_change(f"{visible(path)} is written")
    except FileExistsError:
        raise FileTaken(f"{visible(path)} exists", "type another name") from None
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else "that is not a file name"
        raise SaveError(f"{visible(path)} cannot be written: {words}", "type another name") from None
