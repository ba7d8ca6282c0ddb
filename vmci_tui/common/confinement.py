"""Confine a session of a web page's visitor to one folder: nothing outside it is opened or written.

There are two checks. `refuse_outside` rejects a path that a user types, with a message. `confine` lets
Python itself reject every other open, write, move or start of a program, so that no action, old or
new, can be forgotten here.
"""

from __future__ import annotations

import errno
import os
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from typing import Final

from vmci_tui.common.errors import UsageError
from vmci_tui.common.safe_text import visible

_PACKAGE: Final = os.path.dirname(os.path.dirname(__file__))
"""The folder of the code."""
_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_WORDS: Final = "outside the lesson's folder, the only one that this session opens and saves in"
_DEVICES: Final = ("/dev/null", "/dev/urandom")
_CHANGES: Final = frozenset(
    {
        *("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate"),
        *("os.chmod", "os.chown", "os.utime", "os.setxattr", "os.removexattr", "os.chflags"),
    }
)
"""Audit events whose first two arguments may be the paths that they change."""
_PROGRAMS: Final = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.spawn", "os.startfile", "pty.spawn"})
"""Ways to start a program, except the one that starts QEMU (os.posix_spawn)."""


def refuse_outside(path: str, folder: str | None) -> None:
    """Raise UsageError if `path` is not in `folder`; None allows everything."""
    if folder is None:
        return
    # `-` is standard input: in a browser's session that is the browser. A VM is not a file of any folder.
    vm = path.startswith(("qmp:", "virsh:")) and not os.path.lexists(path)
    if path == "-" or vm or "\0" in path or not _inside(os.path.realpath(path), (folder,)):
        raise UsageError(f"{visible(path)} is outside the lesson's folder", "this session opens and saves only there")


def confine(folder: str, readable: Iterable[str]) -> None:
    """Keep this process from opening anything outside `folder`, for good, except to read its code and `readable`.

    Temporary files go into the folder too. Sets an audit hook, which cannot be removed.
    """
    tempfile.tempdir = folder
    code = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    # Packages are in other folders too: the distribution's, and those of an environment that a .pth file names.
    code += [path for path in sys.path if os.path.basename(path) in ("site-packages", "dist-packages")]
    roots = tuple(os.path.realpath(path) for path in (folder, _PACKAGE, *code, *readable))

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            writes = bool(set(str(mode or "")) & set("wax+")) or (isinstance(flags, int) and bool(flags & _WRITES))
            _refuse(path, roots[:1] if writes else roots)
        elif event in ("os.listdir", "os.scandir"):
            _refuse(arguments[0], roots)
        elif event in _CHANGES:
            for path in arguments[:2]:
                _refuse(path, roots[:1])
        elif event == "socket.connect":
            raise PermissionError(errno.EACCES, "this session connects to nothing")
        elif event in _PROGRAMS:
            raise PermissionError(errno.EACCES, "this session starts no program")

    sys.addaudithook(hook)


def _refuse(path: object, roots: tuple[str, ...]) -> None:
    """Raise PermissionError for a path outside; a number is a file that is already open."""
    if isinstance(path, str | bytes | os.PathLike):
        name = os.fsdecode(path)
        if name not in _DEVICES and not _inside(os.path.realpath(name), roots):
            raise PermissionError(errno.EACCES, _WORDS)


def _inside(path: str, roots: tuple[str, ...]) -> bool:
    return any(path == root or path.startswith(root + os.sep) for root in roots)
