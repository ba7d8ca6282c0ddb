"""Versions of programs, compared by their numbers."""

from __future__ import annotations

import re

Version = tuple[int, ...]
"""The numbers of a version: 8.0.6 is (8, 0, 6)."""


def numbers_of(version: str) -> Version:
    """Return the numbers of a version, each at most nine digits long; empty if it does not begin with one.

    What follows them is ignored: `0.0.31+dfsg` is (0, 0, 31).
    """
    found = re.match(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,5}", version)
    return () if found is None else tuple(map(int, found[0].split(".")))


def is_version(text: str) -> bool:
    """Return whether a text is a version, with nothing after its numbers."""
    numbers = numbers_of(text)
    return bool(numbers) and numbers_text(numbers) == text


def numbers_text(version: Version) -> str:
    """Return the numbers as they are written: `8.0.6`."""
    return ".".join(map(str, version))
