"""Start the process that decides, read what it writes, and end it."""

from __future__ import annotations

import json
import os
import pickle
import select
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from vmci_tui.adoption.apart.child import LENGTH, Message
from vmci_tui.adoption.choose import Adoption
from vmci_tui.common.progress import Progress
from vmci_tui.layers.file import FileSource

_CODE: Final = (
    "import sys; sys.path[:] = sys.argv[3:]; "
    "from vmci_tui.adoption.apart.child import main; main(sys.argv[1], sys.argv[2])"
)
_WAIT: Final = 0.1
"""Seconds after which a stop takes effect, at most."""
_MOST: Final = 256 << 20
"""Bytes of a message: 1024 candidates have 1 MiB of text at most, of which few have more than some KiB."""


def consider_apart(
    source: FileSource, versions: Mapping[str, str], progress: Progress, check: Callable[[], None]
) -> Adoption | None:
    """Return the decision about a dump, unedited; None if the process fails, or may not start.

    The process opens the file itself, because it would share the lock of an open one. `versions` are those of the
    readers that judge. `check` is called ten times a second. Raises what it and `progress` raise; the process is
    then ended.
    """
    wanted = json.dumps([source.identity, dict(versions)])
    try:
        process: Any = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _CODE, os.path.abspath(source.path), wanted, *sys.path],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0, process_group=0,
        )  # fmt: skip
    except OSError:
        return None
    try:
        for message in _messages(process.stdout.fileno(), check):
            if isinstance(message, Adoption):
                return message
            progress(*message)
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
    return None


def _messages(pipe: int, check: Callable[[], None]) -> Iterator[Message]:
    """Yield messages until the process ends, or writes what is not one."""
    data = b""
    while True:
        check()
        if not select.select([pipe], [], [], _WAIT)[0]:
            continue
        more = os.read(pipe, 1 << 16)
        if not more:
            return
        data += more
        while len(data) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(data)
            if length > _MOST:
                return
            if len(data) < LENGTH.size + length:
                break
            yield pickle.loads(data[LENGTH.size : LENGTH.size + length])  # written by our own code
            data = data[LENGTH.size + length :]
