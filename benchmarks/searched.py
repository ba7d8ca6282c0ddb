"""Measure key to paint while a dump of 1 GiB without a note is searched, from its opening on.

Run by hand: `python benchmarks/searched.py`. The memory is random bytes, not holes.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

from sparse import SAMPLE, make_sparse
from terminal import Terminal

GIB = 1 << 30
_NO_NOTE = SAMPLE.with_name("amd64-nonote.elf-winodd")
_DOWN, _UP = b"\x1b[B", b"\x1b[A"
_KEYS = 80


def main() -> None:
    with tempfile.TemporaryDirectory(dir=".") as folder:
        dump = make_sparse(Path(folder) / "1GiB.elf", GIB, _NO_NOTE)
        with dump.open("r+b") as file:
            file.seek(64 << 10)
            while file.tell() < GIB:
                file.write(os.urandom(min(1 << 20, GIB - file.tell())))
        env = {"PATH": os.environ["PATH"], "HOME": folder, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        print("| keys in the hex view | median, ms | p95, ms | most, ms |\n|---|---|---|---|")
        _keys("while 1 GiB is searched", str(dump), env)
        _keys("a dump with its note", str(SAMPLE), env)


def _keys(name: str, dump: str, env: dict[str, str]) -> None:
    terminal = Terminal([sys.executable, "-m", "vmci_tui", dump], env | {"LANG": "C.UTF-8"})
    terminal.until(b"Bytes", b"Quit")
    terminal.press(b"5", 0.2)
    taken = sorted(terminal.press(key).first for key in (_DOWN, _UP) * (_KEYS // 2))
    print(f"| {name} | {statistics.median(taken):.1f} | {taken[int(_KEYS * 0.95)]:.1f} | {taken[-1]:.1f} |")
    print(f"resident: {terminal.resident():.1f} MiB", file=sys.stderr)
    terminal.close()


if __name__ == "__main__":
    main()
