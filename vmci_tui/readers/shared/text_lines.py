"""The text of vmcoreinfo as programs split it: the lines, and which of two lines with the same key counts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple


class TextLine(NamedTuple):
    """A line that a reader uses."""

    key: bytes
    value: bytes
    """The part of the value that the reader reads."""
    offset: int
    """The line's offset in the text."""
    length: int
    """The length of the whole line without its newline."""


def c_string(data: bytes) -> bytes:
    """Return the bytes up to the first NUL, as C prints them."""
    return data.partition(b"\0")[0]


@cache
def _fgets(room: int) -> re.Pattern[bytes]:
    return re.compile(rb"[^\n]{0,%d}\n|[^\n]{1,%d}" % (room - 2, room - 1))


def fgets_lines(text: bytes, room: int) -> list[bytes]:
    """Return the lines as fgets reads them into `room` bytes and strlen ends them, without their newlines.

    The rest of a longer line counts as the next one. A line that starts with a NUL ends the text.
    """
    plain = text.split(b"\n")
    if b"\0" not in text and max(map(len, plain)) < room - 1:
        return plain
    lines = []
    for chunk in _fgets(room).findall(text):
        line = c_string(chunk)
        if not line:
            break
        lines.append(line.removesuffix(b"\n"))
    return lines


def pairs(lines: Iterable[bytes]) -> list[tuple[bytes, bytes]]:
    """Return the key and value of each line that has a `=`."""
    return [(key, value) for key, mark, value in (line.partition(b"=") for line in lines) if mark]


def first_values(lines: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return each key with the value of its first line; the last one counts in `dict(pairs(lines))`."""
    return dict(reversed(pairs(lines)))
