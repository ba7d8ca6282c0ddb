"""Run the installed programs over a dump: accepted or not, the release, the stage, their words.

Acceptance is as docs/readers.md defines it. The stage comes from what
each program itself prints:

- crash prints `unknown` for every refusal, so `crash -d 1` is run too: without
  `vmcore_data:` it did not reach the notes, `vmcoreinfo: 0` means that no note was
  kept, another number that it found no release in the text. Of a kdump file it prints the
  headers (`diskdump_data:`) after it has read them; it does not read a flattened one.
- drgn and libkdumpfile: see `_DRGN_STAGES`, by the words of the exception.
- makedumpfile: `VMCOREINFO   :` is printed once it has the note, the table of PT_LOADs
  (`phys_start`; of a kdump file the sub-header) once it has read the headers; a missing
  PT_NOTE is reported later.
- gdb ends with an error if it does not open the file; volatility3 prints a line with OSRELEASE or not.
- readelf and eu-readelf print errors when they stop at the head, and a title when they come to
  the notes. Only eu-readelf shows text: lines below the note's own that lack OSRELEASE.

None where the output does not show it: after a death by signal, or where nothing is printed.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, NamedTuple

READERS = ("crash", "drgn", "libkdumpfile", "makedumpfile", "readelf", "eu-readelf")
_SECONDS = 10
_WORKERS = 2
Stage = Literal["before", "note", "after"]


class Answer(NamedTuple):
    """The answer of one program for a dump."""

    accepts: bool
    osrelease: str | None
    """The release as latin-1; None if the program prints no release."""
    stage: Stage | None
    """The stage of the refusal; None if it accepted, or its output does not show the stage."""
    says: str
    """Its whole output, or the words of the exception, with FILE for the dump's name; latin-1."""
    code: int
    """Exit status; negative: the signal that killed it. -1000: it hung."""


HUNG = -1000
_OPEN = "import sys, drgn; drgn.Program().set_core_dump(sys.argv[1])"


class Conditions(NamedTuple):
    """The conditions under which programs run."""

    memory: int = 0
    """Bytes that each may take; 0: all."""
    programs: str = ""
    """A folder in which programs are looked for before $PATH: that of another release."""
    modules: str = ""
    """A folder in which Python looks for drgn first."""

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join(filter(None, (self.programs, os.environ["PATH"])))
        return {**os.environ, "PATH": path} | ({"PYTHONPATH": self.modules} if self.modules else {})


_ALL = Conditions()


def _run(*command: str, how: Conditions) -> tuple[int, str]:
    """Exit status and output, both streams by lines as on a terminal."""
    limit = ("prlimit", f"--as={how.memory}", "--core=0") if how.memory else ()
    try:
        done = subprocess.run(
            (*limit, "stdbuf", "-oL", *command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            env=how.environment,
        )
    except subprocess.TimeoutExpired as late:
        return HUNG, (late.stdout or b"").decode("latin-1")
    return done.returncode, done.stdout.decode("latin-1")


def _crash(path: str, how: Conditions) -> Answer:
    code, out = _run("crash", "--osrelease", path, how=how)
    release = out.removesuffix("\n").rpartition("\n")[2]
    accepts = code == 0 and bool(release.strip()) and release != "unknown"
    stage = None if accepts or code < 0 else _crash_stage(path, how)
    return Answer(accepts, release if accepts else None, stage, out, code)


def _crash_stage(path: str, how: Conditions) -> Stage | None:
    code, out = _run("crash", "-d", "1", "--osrelease", path, how=how)
    if code < 0:
        return None
    if "diskdump_data: \n" in out:
        old = re.search(r"^ +header_version: (-?\d+)$", out, re.M)
        lost = re.search(r"cannot (read|lseek dump|malloc) vmcoreinfo|size_vmcoreinfo: 0 \(0x0\)", out)
        return "note" if lost or (old and int(old[1]) < 3) else "after"
    if "\nvmcore_data:" not in out:
        with open(path, "rb") as file:
            return None if file.read(13) == b"makedumpfile\0" else "before"
    kept = re.search(r"^ +vmcoreinfo: ([0-9a-f]+)$", out, re.M)
    if kept is None:
        return None
    return "note" if kept[1] == "0" else "after"


def _makedumpfile(path: str, how: Conditions) -> Answer:
    code, out = _run("makedumpfile", "--message-level", "31", "--dump-dmesg", path, path + ".dmesg", how=how)
    Path(path + ".dmesg").unlink(missing_ok=True)
    began = "VMCOREINFO   :\n" in out
    accepts = began and "Invalid data in" not in out and "Invalid format in" not in out
    lines = out.partition("VMCOREINFO   :\n")[2]
    release = re.search(r"^  OSRELEASE=(.*)$", lines, re.M)
    stage: Stage | None = None
    if not accepts and code != HUNG:
        past = "phys_start" in out or "\nkdump sub header\n" in out
        stage = "after" if began else "note" if past else "before" if code >= 0 else None
    return Answer(accepts, release[1] if release and accepts else None, stage, out, code)


_READELF_STAGES: tuple[tuple[str, Stage], ...] = (
    ("Displaying notes found", "note"),
    ("extends past end of file for notes", "note"),
    ("Not an ELF file", "before"),
    ("Failed to read file header", "before"),
    ("for program headers", "before"),
    ("Too many program headers", "before"),
    ("e_phentsize field in the ELF header is less", "before"),
)


def _readelf(path: str, how: Conditions) -> Answer:
    code, out = _run("readelf", "-nW", path, how=how)
    accepts = "VMCOREINFO" in out
    release = None
    for dump in re.findall(r"^  \S*VMCOREINFO.*description data: ([0-9a-f ]*)", out, re.M):
        found = re.search(rb"^OSRELEASE=(.*)$", bytes.fromhex(dump), re.M)
        if found:
            release = found[1].decode("latin-1")
            break
    stage: Stage | None = None
    if not accepts and code >= 0:
        stage = next((stage for part, stage in _READELF_STAGES if part in out), None)
    return Answer(accepts, release, stage, out, code)


def _gdb(path: str, how: Conditions) -> Answer:
    code, out = _run("gdb", "-nx", "-batch", "-c", path, how=how)
    return Answer(code == 0, None, None, out, code)


def _volatility3(path: str, how: Conditions) -> Answer:
    code, out = _run("vol", "-q", "--offline", "-f", path, "linux.vmcoreinfo", how=how)
    release = re.search(r"\tOSRELEASE\t(.*)$", out, re.M)
    return Answer(release is not None, release and release[1], None, out, code)


def _eu_readelf(path: str, how: Conditions) -> Answer:
    code, out = _run("eu-readelf", "-n", path, how=how)
    accepts = "OSRELEASE=" in out
    release = re.search(r"^ *OSRELEASE=(.*)$", out, re.M)
    stage: Stage | None = None
    if not accepts and code >= 0:
        if re.search(r"^  VMCOREINFO +\d+ .*\n    (?! {8})", out, re.M):
            stage = "after"
        elif re.search(r"^Note (segment|section) ", out, re.M) and not re.search(r"^  VMCOREINFO +0 ", out, re.M):
            stage = "note"
        elif "failed reading" in out:
            stage = "before"
    return Answer(accepts, release[1] if release else None, stage, out, code)


_DRGN_STAGES: tuple[tuple[str, Stage | None], ...] = (
    ("not an ELF core file", "before"),
    ("not a core dump", "before"),
    ("No content found", "before"),
    ("Unsupported ELF class", "before"),
    ("Unknown flattened type", "before"),
    ("Invalid diskdump header content", None),
    ("Unknown file format", "before"),
    ("flattened", "before"),
    ("ERASEINFO", "before"),
    ("of page bitmap", "before"),
    ("unrecognized QEMU memory dump", "note"),
    ("could not find 'VMCOREINFO'", "note"),
    ("linux.vmcoreinfo.raw is not set", "note"),
    ("note bytes at", "note"),
    ("Cannot read VMCOREINFO", "note"),
    ("Invalid kernel version", "after"),
    ("VMCOREINFO is", "after"),
    ("VMCOREINFO does not contain", "after"),
    ("in VMCOREINFO", "after"),
    ("KDUMP_ATTR_ARCH_NAME", "before"),
    ("KDUMP_ATTR_OSTYPE", "after"),
)
"""Words of exceptions and where they come from.

`libelf error` may come from anywhere, a bad diskdump header from the text of version 3, and
what libkdumpfile says of memory has no place in a note.
"""


class _Drgn:
    """One warm drgn process."""

    def __init__(self, how: Conditions) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("drgn_server.py")), str(how.memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=how.environment,
        )

    def ask(self, path: str, libkdumpfile: bool) -> Answer:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([libkdumpfile, path]) + "\n")
        self._process.stdin.flush()
        got: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "signal" in got:
            hung = got["signal"] == "timeout"
            return Answer(False, None, None, got["signal"], HUNG if hung else -signal.Signals[got["signal"]])
        if "error" in got:
            kind, words = got["error"]
            return Answer(False, None, _drgn_stage(words), f"{kind}: {words}", 1)
        accepts = "OSRELEASE=" in got["text"]
        return Answer(accepts, got["release"] if accepts else None, None if accepts else "after", got["text"], 0)

    def close(self) -> None:
        with self._process:
            pass  # closes both pipes, which ends it, and waits


def _drgn(warm: _Drgn, path: str, libkdumpfile: bool, how: Conditions) -> Answer:
    """Ask the warm drgn; after a death by a signal ask a fresh one, as a user's is.

    What a read outside its own memory does depends on the heap, and a warm process has another one.
    """
    answer = warm.ask(path, libkdumpfile)
    if answer.code >= 0 or answer.code == HUNG:
        return answer
    fresh = _Drgn(how)
    try:
        return fresh.ask(path, libkdumpfile)
    finally:
        fresh.close()


def _drgn_stage(words: str) -> Stage | None:
    return next((stage for part, stage in _DRGN_STAGES if part in words), None)


class Oracle:
    """Runs all programs, or the named ones, two dumps at a time."""

    def __init__(self, readers: Sequence[str] = READERS, how: Conditions = _ALL) -> None:
        self.readers, self._how = readers, how

    def __enter__(self) -> Oracle:
        self._folder = tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self._free = [_Drgn(self._how) for _ in range(_WORKERS)]
        self._drgns = list(self._free)
        self._pool = ThreadPoolExecutor(_WORKERS)
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        for drgn in self._drgns:
            drgn.close()
        self._folder.cleanup()

    def ask(self, data: bytes) -> dict[str, Answer]:
        """Return every reader's answer, by name."""
        drgn = self._free.pop()
        handle, path = tempfile.mkstemp(dir=self._folder.name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            ask: dict[str, Callable[[], Answer]] = {
                "crash": lambda: _crash(path, self._how),
                "drgn": lambda: _drgn(drgn, path, False, self._how),
                "libkdumpfile": lambda: _drgn(drgn, path, True, self._how),
                "makedumpfile": lambda: _makedumpfile(path, self._how),
                "readelf": lambda: _readelf(path, self._how),
                "eu-readelf": lambda: _eu_readelf(path, self._how),
                "gdb": lambda: _gdb(path, self._how),
                "volatility3": lambda: _volatility3(path, self._how),
            }
            answers = {name: ask[name]() for name in self.readers}
            return {name: answer._replace(says=answer.says.replace(path, "FILE")) for name, answer in answers.items()}
        finally:
            os.unlink(path)
            self._free.append(drgn)

    def may_die(self, data: bytes, reader: str) -> bool:
        """Return whether drgn dies of the dump in one of two fresh processes; the heap of the second has other bytes.

        libkdumpfile gives back a page that it never got (fcache.c, put_fces): what it finds there is left over from
        earlier calls, and a process dies of it or goes on by the length of its environment.
        """
        with tempfile.NamedTemporaryFile(dir=self._folder.name) as file:
            file.write(data)
            file.flush()
            kdump = {"DRGN_USE_LIBKDUMPFILE_FOR_ELF": "1"} if reader == "libkdumpfile" else {}
            command = [sys.executable, "-c", _OPEN, file.name]
            env = self._how.environment | kdump
            heaps: tuple[dict[str, str], ...] = ({}, {"MALLOC_PERTURB_": "1"})
            return any(
                subprocess.run(command, stderr=subprocess.DEVNULL, env=env | heap).returncode < 0 for heap in heaps
            )

    def ask_many(self, dumps: list[bytes]) -> list[dict[str, Answer]]:
        """Return the answers in the order of the dumps."""
        return list(self._pool.map(self.ask, dumps))
