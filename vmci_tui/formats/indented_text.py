"""Remove the blanks before keys that `help -D` of crash prints: no reader finds a key in such lines."""

from __future__ import annotations

import re
from typing import Final

BEFORE_KEY: Final = re.compile(rb"(?m)^[ \t]+(?=[A-Za-z_][^\n=]*=)")
"""The blanks of one line."""
TAKEN_OUT: Final = "every line was indented, as `help -D` of crash prints it: the blanks were removed"
"""The message if a text to append was indented."""
_LINE: Final = re.compile(rb"[^\n]+")


def is_indented(text: bytes) -> bool:
    """Return whether the text has lines, and every line that is not blank has blanks before its key."""
    lines = _LINE.findall(text)
    return bool(lines) and all(BEFORE_KEY.match(line) or not line.strip() for line in lines)


def unindented(text: bytes) -> bytes:
    """Return the text without the blanks before its keys; other bytes stay."""
    return BEFORE_KEY.sub(b"", text)
