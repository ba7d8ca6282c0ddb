"""Take a dump of a domain by `virsh dump --memory-only`: libvirt stops the guest for it, and starts it again.

libvirt finishes a dump that it has begun, also when vmci is gone, and lets the guest go on then. As libvirt is another
user, it writes into a file of vmci by its name, which is removed as soon as something is in it.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Final

from vmci_tui.common.errors import OpenError
from vmci_tui.common.progress import Progress
from vmci_tui.common.safe_text import visible
from vmci_tui.live.take_dump import TakenDump, refuse_other_state, run_state
from vmci_tui.live.virsh import environment, first_error
from vmci_tui.live.vm import RunningVm

_STEP: Final = 0.05
"""Seconds between two looks at the file."""


@contextmanager
def dump_by_virsh(vm: RunningVm, folder: str, memory: int, progress: Progress) -> Iterator[tuple[IO[bytes], TakenDump]]:
    """Yield an open file without a name in `folder`, with an ELF dump of all memory; `memory` is about its size.

    Raises OpenError, OSError, and the error of `progress`; libvirt finishes the dump in any case.
    """
    with vm as session:
        before = run_state(session)
    number, path = tempfile.mkstemp(prefix=".vmci-", dir=folder)
    with os.fdopen(number, "rb") as file:
        began = time.monotonic()
        try:
            _dump(vm.path.partition(":")[2], path, file, memory, progress)
        finally:
            with suppress(OSError):
                os.unlink(path)
        took = time.monotonic() - began
        with vm as session:
            refuse_other_state(session, before)
        yield file, TakenDump(os.fstat(number).st_size, took * 1000 if before == "running" else 0.0)


def _dump(domain: str, path: str, file: IO[bytes], memory: int, progress: Progress) -> None:
    command = ["virsh", "-q", "dump", "--memory-only", "--domain", domain, "--file", path]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=subprocess.PIPE, env=environment()) as virsh:
        try:
            while virsh.poll() is None:
                if (size := os.fstat(file.fileno()).st_size) and os.path.lexists(path):
                    os.unlink(path)  # from here on nothing is left if vmci is killed
                progress("dump", size, max(memory, size))
                time.sleep(_STEP)
        except BaseException:
            virsh.kill()
            raise
        assert virsh.stderr is not None
        said = virsh.stderr.read(4096).decode("utf-8", "replace")
    if virsh.returncode:
        words = first_error(said) or "it does not say why"
        raise OpenError(f"virsh: no dump was made of {visible(domain)}: {words}", "see the log of libvirtd")
    if not os.fstat(file.fileno()).st_size:
        raise OpenError("virsh: nothing of the dump is on this machine", "convert the domain on its own host")
