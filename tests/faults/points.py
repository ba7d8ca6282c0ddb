"""List every system call of a command that touches a folder, and run it again with one of them failing.

strace counts and injects: a call is named by its name and its number among the calls of that
name since the process began, so the command must make the same calls in each run; that the one
that was hit is the one that was meant is checked by what strace wrote.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.limits import PATIENCE

FAULTS = ("KILL", "ENOSPC", "EIO", "EINTR")
_LINE = re.compile(r"\d+ +(\w+)\(")


class OtherCallHit(Exception):
    """The fault hit another call than intended: Python made one more, or one less, at its start."""


class Point(NamedTuple):
    """A system call: the `number`th of this name."""

    call: str
    number: int
    line: str
    """The line of strace."""


class CommandResult(NamedTuple):
    """The exit code (-9: killed) and the output of a command."""

    code: int
    said: str


def need_strace() -> None:
    """Skip where strace is missing or not allowed to trace; fail in CI."""
    there = shutil.which("strace") and subprocess.run(["strace", "-o", os.devnull, "true"]).returncode == 0
    if not there:
        if os.environ.get("CI"):
            pytest.fail("strace is missing, and CI must run it")
        pytest.skip("strace is not installed, or may not trace here")


def _strace(log: Path, command: list[str], *options: str) -> CommandResult:
    done = subprocess.run(
        ["strace", "-f", "-y", "-qq", "-s", "0", "-o", str(log), *options, *command],
        cwd="/",  # so that only names of the folder itself match
        env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=PATIENCE,
    )
    return CommandResult(done.returncode, done.stdout.decode())


def vmci(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "vmci_tui", *arguments]


def enumerate_points(folder: Path, command: list[str], log: Path) -> tuple[CommandResult, list[Point]]:
    """Run the command without faults; return its calls that name the folder or one of its files, in order."""
    ended = _strace(log, command, "-e", "trace=%file,%desc")
    counts: dict[str, int] = {}
    points = []
    for line in log.read_text(errors="replace").splitlines():
        found = _LINE.match(line)
        if found:
            call = found[1]
            counts[call] = counts.get(call, 0) + 1
            if str(folder) in line and call != "execve":
                points.append(Point(call, counts[call], line))
    return ended, points


def run_with(fault: str, point: Point, folder: Path, command: list[str], log: Path) -> CommandResult:
    """Run the command with this call failing, or with a kill at this call."""
    what = "signal=KILL" if fault == "KILL" else f"error={fault}"
    inject = f"inject={point.call}:{what}:when={point.number}"
    ended = _strace(log, command, "-e", f"trace={point.call}", "-e", inject)
    lines = log.read_text(errors="replace").splitlines()
    if fault == "KILL":
        hit = [line for line in lines if _LINE.match(line)][-1:] if ended.code == -9 else []
    else:
        hit = [line for line in lines if "(INJECTED)" in line]
    if len(hit) != 1 or str(folder) not in hit[0]:
        raise OtherCallHit(f"{point}: {hit}")
    return ended
