"""Let a read of a file fail, or change the file at any of its reads.

    python -m tests.faults.read_faults FOLDER SEED FIRST COUNT

prints figures as JSON; a case that fails ends it with its number, which is enough to repeat it.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import resource
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Final, Literal, NamedTuple

from tests.faults.exercise import printable
from tests.limits import time_limit
from tests.paths import DATA, SAMPLES
from vmci_tui.cli.run import main as vmci
from vmci_tui.common import internal_errors
from vmci_tui.common.errors import VmciError
from vmci_tui.document import edit_notes
from vmci_tui.document.edit import Edit
from vmci_tui.findings.judgement import Judgement
from vmci_tui.opening.open_file import open_document
from vmci_tui.saving.plan import plan_copy

_SAMPLES: Final = SAMPLES
_FAULTS: Final = DATA / "faults"
FILES: Final = (
    *(_SAMPLES / name for name in ("arm64-cut-note.elf", "s390x-cut-note.elf", "two-notes.elf", "i386-qemu.kdump")),
    *(_SAMPLES / name for name in ("x86_64-window.elf", "aarch64-be-linux.elf", "armhf-nonote.elf-win16k")),
    *(_FAULTS / name for name in ("227-riscv64-no-layout.elf", "633-armhf.elf", "lzo.kdump")),
)
Kind = Literal["EIO", "cut", "zeroed", "grown"]
KINDS: Final[tuple[Kind, ...]] = ("EIO", "cut", "zeroed", "grown")
SECONDS: Final = 10.0
_CODES: Final = (0, 1, 3, 4)
_OLD: Final = 1_600_000_000


class Case(NamedTuple):
    """A command or model over a file, with the fault at one of its reads."""

    file: Path
    command: str
    kind: Kind
    at: int
    rng: Random

    def __str__(self) -> str:
        return f"{self.command} {self.file.name}: {self.kind} at read {self.at}"


@contextlib.contextmanager
def reads(at: int, happens: Callable[[], None]) -> Iterator[list[int]]:
    """Call `happens` before the read of that number (from 0); yield a list with one item for each read."""
    real, count = os.pread, list[int]()

    def pread(fd: int, length: int, offset: int, /) -> bytes:
        count.append(offset)
        if len(count) == at + 1:
            happens()
        return real(fd, length, offset)

    os.pread = pread
    try:
        yield count
    finally:
        os.pread = real


def _model(path: str) -> int:
    """Run the app's steps without a screen: open, judge, edit, judge again, plan a save."""
    try:
        document = open_document(path)
        try:
            judgement = Judgement.of(document).complete()
            if document.dump is not None:
                text = b"OSRELEASE=6.1.0\nPAGESIZE=65536\n"
                document.edit(Edit.of(edit_notes.append_text, text, document.dump.order))
                judgement.later(document).complete()
                plan_copy(document)
        finally:
            document.close()
    except VmciError as error:
        print(f"vmci: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def run(command: str, path: str) -> tuple[int, str]:
    """Run a case; return the exit code and stderr."""
    out, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
        if command == "app":
            code = _model(path)
        elif command == "repair":
            code = vmci(["repair", path, "-o", path + ".out"])
        else:
            code = vmci([command, path])
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path + ".out")
    return code, said.getvalue()


COMMANDS: Final = ("check", "repair", "find", "app")


@cache
def _count(file: Path, command: str, folder: str) -> int:
    """Return the number of reads without a fault."""
    path = _copy(file, folder)
    with reads(-1, lambda: None) as count:
        run(command, path)
    return len(count)


def _copy(file: Path, folder: str) -> str:
    path = os.path.join(folder, "case")
    shutil.copyfile(file, path)
    os.utime(path, (_OLD, _OLD))
    return path


def case_of(seed: int, number: int, folder: str) -> Case:
    rng = Random(f"{seed} {number}")
    file, command, kind = rng.choice(FILES), rng.choice(COMMANDS), rng.choice(KINDS)
    return Case(file, command, kind, rng.randrange(_count(file, command, folder)), rng)


def try_case(case: Case, folder: str, seen: Counter[str]) -> None:
    """Run the case; assert that it ends in time, with an exit code and at most one line."""
    path = _copy(case.file, folder)
    happens = {"EIO": _fail, "cut": _cut, "zeroed": _zero, "grown": _grow}[case.kind]
    internal_errors.recorded.clear()
    with time_limit(SECONDS), reads(case.at, lambda: happens(path, case.rng)):
        code, said = run(case.command, path)
    assert not internal_errors.recorded, (str(case), internal_errors.recorded)
    assert code in _CODES, (str(case), code)
    lines = said.splitlines()
    for line in lines:
        printable(line, "a word on stderr")
    told = [line for line in lines if line.startswith("vmci: ")]
    assert code < 3 or len(told) == 1, (str(case), said)
    if case.command in ("check", "find") and case.kind != "EIO":
        assert code == 3, (str(case), code)
    seen[f"{case.kind}: {code}"] += 1


def _fail(_path: str, _rng: Random) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def _cut(path: str, rng: Random) -> None:
    os.truncate(path, rng.randrange(os.path.getsize(path)) if rng.random() < 0.8 else 0)


def _zero(path: str, rng: Random) -> None:
    size = os.path.getsize(path)
    start = rng.randrange(size) if rng.random() < 0.7 else 0
    with open(path, "r+b") as file:
        file.seek(start)
        file.write(bytes(rng.randrange(size - start) + 1))


def _grow(path: str, rng: Random) -> None:
    with open(path, "ab") as file:
        file.write(rng.randbytes(rng.choice((1, 24, 4096))))


def main(folder: str, seed: int, first: int, count: int) -> int:
    """Run `count` cases from `first`; raise at the first that fails."""
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    seen: Counter[str] = Counter()
    slowest = (0.0, "")
    start = time.monotonic()
    for number in range(first, first + count):
        case = case_of(seed, number, folder)
        begin = time.monotonic()
        try:
            try_case(case, folder, seen)
        except BaseException:
            print(f"case {number} of seed {seed} failed: {case}", file=sys.stderr)
            raise
        slowest = max(slowest, (time.monotonic() - begin, str(case)))
    figures = {
        "cases": count,
        "seconds": round(time.monotonic() - start, 1),
        "slowest_ms": round(slowest[0] * 1000),
        "slowest_case": slowest[1],
        "seen": dict(sorted(seen.items())),
    }
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    where, *numbers = sys.argv[1:]
    raise SystemExit(main(where, *(int(number) for number in numbers)))
