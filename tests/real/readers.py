"""Run the real readers over a file, each in its own process, with a time limit.

If a reader is missing the test is skipped with a message; with CI set it fails instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.limits import PATIENCE


class CommandResult(NamedTuple):
    """The output and the exit status of a reader."""

    code: int
    out: str


def need(program: str) -> None:
    """Skip where `program` (or the module drgn) is not installed; fail in CI."""
    there = find_spec("drgn") is not None if program == "drgn" else shutil.which(program) is not None
    if not there:
        if os.environ.get("CI"):
            pytest.fail(f"{program} is missing, and CI must run it")
        pytest.skip(f"{program} is not installed")


def run(*command: str, env: dict[str, str] | None = None) -> CommandResult:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=PATIENCE,
        env={**os.environ, **(env or {})},
    )
    return CommandResult(done.returncode, done.stdout.decode("latin-1"))


def crash_osrelease(path: str) -> str:
    """Return the output of `crash --osrelease`: the release, or `unknown`."""
    need("crash")
    last = run("crash", "--osrelease", path).out.strip().splitlines()[-1]
    return "" if last.startswith("crash:") else last  # it ended with an error


def makedumpfile_dmesg(path: str, out: Path) -> CommandResult:
    need("makedumpfile")
    # Buffered by lines: otherwise stderr appears within a line of stdout, at a place that depends on the rest.
    return run("stdbuf", "-oL", "makedumpfile", "--message-level", "31", "--dump-dmesg", path, str(out))


def makedumpfile_filter(path: str, out: Path) -> CommandResult:
    """Compress and leave out every page that can be: it walks the kernel's memory by the note alone."""
    need("makedumpfile")
    return run("makedumpfile", "-c", "-d", "31", path, str(out))


def readelf_notes(path: str) -> str:
    need("readelf")
    return run("readelf", "-nW", path).out


def eu_readelf_notes(path: str) -> str:
    need("eu-readelf")
    return run("eu-readelf", "-n", path).out


_DRGN = """
import sys, drgn
prog = drgn.Program()
prog.set_core_dump(sys.argv[1])
text = prog["VMCOREINFO"].string_().decode()
print(text, end="")
if len(sys.argv) > 2:
    keys = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    at = int(keys["SYMBOL(init_uts_ns)"], 16) + int(keys["OFFSET(uts_namespace.name)"])
    print("UTS", prog.read(at, 390).split(b"\\0"))
"""


def drgn_text(path: str, libkdumpfile: bool = False, uts: bool = False) -> CommandResult:
    """`prog["VMCOREINFO"]`; with `uts`, also utsname read by its virtual address."""
    need("drgn")
    env = {"DRGN_USE_LIBKDUMPFILE_FOR_ELF": "1"} if libkdumpfile else {}
    return run(sys.executable, "-c", _DRGN, path, *(["uts"] if uts else []), env=env)
