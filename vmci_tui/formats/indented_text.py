"""Lines with blanks before the key, as `help -D` of crash prints a text: no reader finds a key in them."""

from __future__ import annotations

import re
from typing import Final

BEFORE_KEY: Final = re.compile(rb"(?m)^[ \t]+(?=[A-Za-z_][^\n=]*=)")
"""The blanks of one line."""
TAKEN_OUT: Final = "every line was indented, as `help -D` of crash prints it: the blanks were taken out"
"""What is said where a text to append was so."""
_LINE: Final = re.compile(rb"[^\n]+")


def is_indented(text: bytes) -> bool:
    """Whether every line of a text that is not empty has blanks before its key."""
    lines = _LINE.findall(text)
    return bool(lines) and all(BEFORE_KEY.match(line) or not line.strip() for line in lines)


def unindented(text: bytes) -> bytes:
    """The text without the blanks before its keys; all else stays."""
    return BEFORE_KEY.sub(b"", text)
