"""Data on stdout: JSON, or lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

from vmci_tui.core.progress import Pace, Progress, quiet


def print_json(value: object) -> None:
    import json  # 5 ms that a text needs not

    json.dump(value, sys.stdout, indent=1, ensure_ascii=True)
    print()


def tell(words: str) -> None:
    """A word for the user: it goes to stderr, for stdout is data."""
    print(words, file=sys.stderr)


def print_lines(lines: Iterable[str]) -> None:
    sys.stdout.writelines(line + "\n" for line in lines)


def shown_progress() -> Progress:
    """What is done, told on one line of stderr; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        return quiet
    pace, last = Pace(), 0.0

    def told(what: str, done: int, total: int) -> None:
        nonlocal last
        if done < total and time.monotonic() - last < 0.1:
            return
        last = time.monotonic()
        end = "\n" if done >= total else ""
        print(f"\r{pace.words(what, done, total):<60}", end=end, file=sys.stderr, flush=True)

    return told
