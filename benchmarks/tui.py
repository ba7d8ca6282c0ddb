"""Compare the app with a bare Textual app, each in a pseudo terminal of 200x60.

Run by hand: `python benchmarks/tui.py [RUNS]`. Both take turns.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sparse import make_sparse
from terminal import KeyResponse, Terminal

TIB = 1 << 40
HERE = Path(__file__).parent
_SAMPLE = HERE.parent / "sample_dumps" / "amd64-cut-note.elf"
DOWN, RIGHT, PAGE_DOWN = b"\x1b[B", b"\x1b[C", b"\x1b[6~"
MOVES = 20
"""Keys down and back again: the cursor stays on the screen, so that nothing scrolls."""


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        dump = str(make_sparse(Path(folder) / "1TiB.elf", TIB))
        env = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
        }
        app = [sys.executable, "-m", "vmci_tui", dump]
        bare = [sys.executable, str(HERE / "bare.py")]
        first_paint(app, bare, env, runs)
        verdict([*app[:-1], str(_SAMPLE)], bare, env, runs)
        keys(app, env)


def first_paint(app: Sequence[str], bare: Sequence[str], env: dict[str, str], runs: int) -> None:
    """Return the time to the first picture and to its footer, and the resident memory afterwards."""
    seen: dict[str, list[tuple[float, float, float]]] = {"app": [], "bare": []}
    contestants = (("app", app, b"OSRELEASE"), ("bare", bare, b"bare"))
    for number in range(runs + 1):
        for name, command, word in contestants:
            terminal = Terminal(command, env)
            first, whole = terminal.until(word, b"Quit")
            terminal.quiet()
            if number:  # the first round only warms the caches
                seen[name].append((first, whole, terminal.resident()))
            terminal.close()
    (first, whole, held), bares = (
        [statistics.median(column) for column in zip(*seen[name], strict=True)] for name in seen
    )
    print(f"medians of {runs} runs\n")
    print("| what | app, 1 TiB dump | bare Textual app | is | at most |\n|---|---|---|---|---|")
    print(f"| first paint, ms | {first:.0f} | {bares[0]:.0f} | {first / bares[0]:.2f} | 1.25 |")
    print(f"| first paint with the footer, ms | {whole:.0f} | {bares[1]:.0f} | {whole / bares[1]:.2f} | |")
    print(f"| resident, MiB | {held:.1f} | {bares[2]:.1f} | {held - bares[2]:.1f} more | 20 more |")


def verdict(app: Sequence[str], bare: Sequence[str], env: dict[str, str], runs: int) -> None:
    """Measure the time until the verdict on a cut sample is painted."""
    seen: dict[bytes, list[tuple[float, float]]] = {b"readers accept": [], b"Quit": []}
    for number in range(runs + 1):
        for command, word in ((app, b"readers accept"), (bare, b"Quit")):
            terminal = Terminal(command, env)
            (at,) = terminal.until(word)
            if number:
                seen[word].append((at, terminal.processor()))
            terminal.close()
    columns = ([statistics.median(column) for column in zip(*rows, strict=True)] for rows in seen.values())
    for what, ours, bares in zip(("elapsed", "processor"), *columns, strict=True):
        ratio = f"{ours:.0f} | {bares:.0f} | {ours / bares:.2f}"
        print(f"| verdict on a cut sample, to the bare footer, {what}, ms | {ratio} | 1.60 |")


def keys(app: Sequence[str], env: dict[str, str]) -> None:
    """Measure the time from key to paint in the hex view."""
    terminal = Terminal(app, env)
    terminal.until(b"OSRELEASE", b"Quit")
    terminal.quiet()
    terminal.press(b"5", 0.5)
    up = b"\x1b[A"
    moves = [terminal.press(key) for key in [DOWN] * MOVES + [up] * MOVES + [RIGHT] * MOVES + [DOWN] * MOVES]
    pages = [terminal.press(PAGE_DOWN) for _ in range(2 * MOVES)]
    print("\n| key in the hex view | to first byte: median, p95, ms | to last byte: p95, ms | bytes: median, most |")
    print("|---|---|---|---|")
    _row("cursor", moves)
    _row("page down", pages)
    print("\nat most, for the cursor: 10 ms to the first byte (p95), 1024 bytes (median)")
    print(f"resident afterwards: {terminal.resident():.1f} MiB")
    terminal.close()


def _row(name: str, painted: Sequence[KeyResponse]) -> None:
    first = sorted(item.first for item in painted)
    last = sorted(item.last for item in painted)
    length = sorted(item.length for item in painted)
    at = int(len(painted) * 0.95)
    print(
        f"| {name} | {statistics.median(first):.1f}, {first[at]:.1f} | {last[at]:.1f} "
        f"| {statistics.median(length):.0f}, {length[-1]} |"
    )


if __name__ == "__main__":
    main()
