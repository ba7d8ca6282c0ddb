"""Ask the programs on this machine for their versions. What they print is untrusted."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Final

from vmci_tui.readers.version import numbers_of, numbers_text

_SECONDS: Final = 5.0
"""All programs together take a tenth of it; what has not answered by then does not count as installed."""
_LIMIT: Final = 4096
"""Bytes that are read of each program; the version is in the first lines."""
_QUESTIONS: Final[Mapping[str, tuple[Sequence[str], re.Pattern[bytes]]]] = {
    "qemu": (("qemu-system-x86_64", "--version"), re.compile(rb"^QEMU emulator version (\d[\d.]*)", re.M)),
    "crash": (("crash", "--version"), re.compile(rb"^crash (\d[\d.]*)", re.M)),
    "drgn": (("drgn", "--version"), re.compile(rb"^drgn (\d[\d.]*)", re.M)),
    "libkdumpfile": (("drgn", "--version"), re.compile(rb"^drgn (\d[\d.]*)[\s\S]*?\bwith\s+libkdumpfile", re.M)),
    "makedumpfile": (("makedumpfile", "-v"), re.compile(rb"^makedumpfile: version (\d[\d.]*)", re.M)),
    "readelf": (("readelf", "--version"), re.compile(rb"^GNU readelf .* (\d[\d.]*)", re.M)),
    "gdb": (("gdb", "--version"), re.compile(rb"^GNU gdb .* (\d[\d.]*)", re.M)),
    "eu-readelf": (("eu-readelf", "--version"), re.compile(rb"^eu-readelf .* (\d[\d.]*)", re.M)),
}
"""For each reader the command, and where its version is in what that prints."""

Installed = Mapping[str, str | None]
"""The version of each reader by its name; None if the program is not installed, or does not say its version."""


def installed() -> Installed:
    """Run each reader's program with the option that prints its version; takes about a fifth of a second."""
    answers = _answers({command for command, _ in _QUESTIONS.values()})
    return {name: _version(answers.get(_QUESTIONS[name][0], b""), _QUESTIONS[name][1]) for name in _QUESTIONS}


def _version(answer: bytes, where: re.Pattern[bytes]) -> str | None:
    found = where.search(answer)
    return None if found is None else numbers_text(numbers_of(found[1].decode("ascii"))) or None


def _answers(commands: set[Sequence[str]]) -> dict[Sequence[str], bytes]:
    """Run commands side by side; return the first bytes that each prints within the time."""
    answers: dict[Sequence[str], bytes] = {}
    with contextlib.ExitStack() as running, selectors.DefaultSelector() as waiting:
        for command in commands:
            process = _start(command)
            if process is not None and process.stdout is not None:
                running.callback(_end, process)
                waiting.register(process.stdout, selectors.EVENT_READ, command)
                answers[command] = b""
        until = time.monotonic() + _SECONDS
        while waiting.get_map() and (left := until - time.monotonic()) > 0:
            for key, _ in waiting.select(left):
                part = os.read(key.fd, _LIMIT - len(answers[key.data]))
                answers[key.data] += part
                if not part or len(answers[key.data]) == _LIMIT:
                    waiting.unregister(key.fileobj)
    return answers


def _start(command: Sequence[str]) -> subprocess.Popen[bytes] | None:
    """Start a program of $PATH, or one beside this Python, as drgn is in a virtual environment."""
    program = shutil.which(command[0]) or shutil.which(command[0], path=os.path.dirname(sys.executable))
    if program is None:
        return None
    arguments = (os.path.abspath(program), *command[1:])
    with contextlib.suppress(OSError):
        # In a folder where no file of the user's is taken for a part of the program.
        return subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/",
            start_new_session=True,
        )  # fmt: skip
    return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program with all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with process:
        pass
