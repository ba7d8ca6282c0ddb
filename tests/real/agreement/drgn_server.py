"""Run a warm drgn: imported once, it forks for each dump, which takes 5 ms, and a death kills only the child.

Run as a script. A line in: a JSON list [libkdumpfile, path]. A line out: a JSON object with
`text` and `release` (as latin-1), or `error` (the exception's kind and words), or `signal`.
An argument limits the memory that it may take, in bytes: the sizes in a kdump file would take all there is.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
from typing import Any

import drgn

_SECONDS = 10
_HAS_TEXT = tuple(map(int, drgn.__version__.split(".")[:3])) >= (0, 0, 24)
"""Whether this drgn shows the text; an older one shows only the values that it parsed."""


def _read(path: str) -> dict[str, Any]:
    program = drgn.Program()
    try:
        program.set_core_dump(path)
        text = program["VMCOREINFO"].string_() if _HAS_TEXT else b"OSRELEASE=" + program["UTS_RELEASE"].string_()
    except Exception as error:
        return {"error": [type(error).__name__, str(error)]}
    out = {"text": text.decode("latin-1"), "release": None}
    try:
        out["release"] = program["UTS_RELEASE"].string_().decode("latin-1")
    except Exception as error:
        out["no_release"] = str(error)
    return out


def _child(libkdumpfile: bool, path: str, to: int, memory: int) -> None:
    """Open the dump in the forked process and exit."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    if libkdumpfile:
        os.environ["DRGN_USE_LIBKDUMPFILE_FOR_ELF"] = "1"
    # Messages of the C library are not data.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    answer = json.dumps(_read(path)).encode()
    while answer:
        answer = answer[os.write(to, answer) :]
    os._exit(0)


def _ask(memory: int, libkdumpfile: bool, path: str) -> dict[str, Any]:
    back, to = os.pipe()
    child = os.fork()
    if not child:
        _child(libkdumpfile, path, to, memory)
    os.close(to)
    data, late = b"", False
    while True:
        if not select.select([back], [], [], _SECONDS)[0]:
            os.kill(child, signal.SIGKILL)
            late = True
        more = os.read(back, 1 << 20)
        if not more:
            break
        data += more
    os.close(back)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if late:
        return {"signal": "timeout"}
    if code < 0:
        return {"signal": signal.Signals(-code).name}
    answer: dict[str, Any] = json.loads(data)
    return answer


if __name__ == "__main__":
    memory = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    for line in sys.stdin:
        print(json.dumps(_ask(memory, *json.loads(line))), flush=True)
