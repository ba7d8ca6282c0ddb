"""Data on stdout: JSON, or lines."""

from __future__ import annotations

import sys
from collections.abc import Iterable


def print_json(value: object) -> None:
    import json  # 5 ms that a text needs not

    json.dump(value, sys.stdout, indent=1, ensure_ascii=True)
    print()


def tell(words: str) -> None:
    """A word for the user: it goes to stderr, for stdout is data."""
    print(words, file=sys.stderr)


def print_lines(lines: Iterable[str]) -> None:
    sys.stdout.writelines(line + "\n" for line in lines)
