"""Make a file that the QEMU of a libvirt domain writes and vmci reads: libvirt hands over no open file of ours.

QEMU is often another user. So anybody may write to the file, but nobody can learn its name: it is in libvirt's own
folder of the domain, which others cannot enter, or in a fresh one, which others cannot list.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import glob
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError
from vmci_tui.layers.file import reason

FOLDERS: Final = "/var/lib/libvirt/qemu"
"""Where libvirt has a folder of each running domain, which AppArmor and SELinux let its QEMU write to."""


class SharedFile(NamedTuple):
    """A file by its name, for QEMU, and open, for vmci: what another user puts in its place is not read."""

    path: str
    file: int


@contextmanager
def shared_file(domain: int) -> Iterator[SharedFile]:
    """Yield a new empty file that the QEMU of the domain with this number can write; it is gone after the block.

    Raises OpenError.
    """
    try:
        with _folder(domain) as folder:
            path = f"{folder}/vmci-{secrets.token_hex(16)}"
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                os.fchmod(file, 0o666)
                yield SharedFile(path, file)
            finally:
                os.close(file)
                with suppress(OSError):
                    os.unlink(path)
    except OSError as error:
        raise OpenError(f"no file can be made for QEMU: {reason(error)}", "set TMPDIR to another folder") from None


@contextmanager
def _folder(domain: int) -> Iterator[str]:
    own = glob(f"{FOLDERS}/domain-{domain}-*")
    if len(own) == 1 and os.access(own[0], os.W_OK | os.X_OK):
        yield own[0]
        return
    fresh = tempfile.mkdtemp(prefix="vmci-")
    try:
        os.chmod(fresh, 0o711)
        yield fresh
    finally:
        with suppress(OSError):
            os.rmdir(fresh)
