"""Start a process of our own, read the values that it writes to stdout as pickles, and end it."""

from __future__ import annotations

import json
import os
import pickle
import select
import struct
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from typing import Any, Final

_LENGTH: Final = struct.Struct("<I")
"""The length before each value."""
_CODE: Final = (
    "import sys; sys.path[:] = sys.argv[3:]; "
    "from importlib import import_module; import_module(sys.argv[1]).main(sys.argv[2])"
)
_WAIT: Final = 0.1
"""Seconds after which a stop takes effect, at most."""
_MOST: Final = 256 << 20
"""Bytes of a value: 1024 candidates have 1 MiB of text at most, of which few have more than some KiB."""
_READ: Final = 1 << 20
_NICER: Final = 5
"""By how much the app comes before such a process, on a machine with one processor."""


def values_of(module: str, wanted: object, check: Callable[[], None]) -> Generator[Any, None, None]:
    """Call `main(wanted)` of a module in a new process, and yield what it writes; nothing if it may not start.

    `wanted` is sent as JSON. The process opens files itself, because it would share the lock of an open one.
    `check` is called ten times a second. The process ends with the iterator.
    """
    try:
        process: Any = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _CODE, module, json.dumps(wanted), *sys.path],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0, process_group=0,
        )  # fmt: skip
    except OSError:
        return
    try:
        yield from _values(process.stdout.fileno(), check)
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def _values(pipe: int, check: Callable[[], None]) -> Iterator[Any]:
    """Yield values until the process ends, or writes what is not one."""
    data = bytearray()
    while True:
        check()
        if not select.select([pipe], [], [], _WAIT)[0]:
            continue
        more = os.read(pipe, _READ)
        if not more:
            return
        data += more
        while len(data) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(data)
            if length > _MOST:
                return
            if len(data) < _LENGTH.size + length:
                break
            yield pickle.loads(memoryview(data)[_LENGTH.size : _LENGTH.size + length])  # written by our own code
            data = data[_LENGTH.size + length :]


def begin(wanted: str) -> Any:
    """Let the app go first, and return what it sent; called by the process. Raises ValueError for what is not JSON."""
    os.nice(_NICER)
    return json.loads(wanted)


def write(value: object) -> None:
    """Write a value for the app; called by the process, which ends here at the latest once the app has ended."""
    data = pickle.dumps(value)
    sys.stdout.buffer.write(_LENGTH.pack(len(data)) + data)
    sys.stdout.buffer.flush()
