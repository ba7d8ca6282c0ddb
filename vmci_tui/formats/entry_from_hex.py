"""Read the 16 bytes of an entry as xxd, hexdump, od, gdb or QEMU's monitor print them.

xxd prints bytes in their order. The others print words in the byte order of their machine; little-endian is
assumed.
"""

from __future__ import annotations

import re
from typing import Final

from vmci_tui.formats.fw_cfg_entry import LENGTH

LIMIT: Final = 1024
"""Characters; longer texts are not read, since 16 bytes never need that many."""

_LINE: Final = re.compile(
    r"(?:(?:0x)?(?P<at>[0-9a-f]{6,16})(?: <[^<>]{0,80}>)?(?P<colon>:)?[ \t]+)?"
    r"(?P<words>(?:(?:0x)?[0-9a-f]{2,32}[ \t]+)*(?:0x)?[0-9a-f]{2,32})"
    r"(?:[ \t]+(?:\|.{1,16}\||>.{1,16}<)|  .{1,16})?",
    re.IGNORECASE,
)
"""An offset, words, and the same bytes as characters."""
_END: Final = re.compile(r"(?:0x)?[0-9a-f]{6,16}", re.IGNORECASE)
"""The offset alone, the last line of hexdump and od."""
_OCTAL: Final = re.compile(r"[01][0-7]{5}")
_WIDTHS: Final = (1, 2, 4, 8)
"""Bytes of a word."""


def entry_bytes(text: bytes) -> bytes | None:
    """Return the 16 bytes that a text shows; None if it shows another number of bytes, or other text with them."""
    if not 2 * LENGTH <= len(text) <= LIMIT or not text.isascii():
        return None
    lines = [line.strip() for line in text.decode("ascii").splitlines() if line.strip()]
    if len(lines) > 1 and _END.fullmatch(lines[-1]):
        del lines[-1]
    data, start = b"", 0
    for line in lines:
        match = _LINE.fullmatch(line)
        part = _bytes_of(match) if match else None
        if match is None or part is None:
            return None
        if match["at"] is not None:
            at = int(match["at"], 16)
            start = start if data else at
            if at - start != len(data):
                return None  # a line is missing
        data += part
    return data if len(data) == LENGTH else None


def _bytes_of(match: re.Match[str]) -> bytes | None:
    """Return the bytes of one line; None if its words differ in length, or have no known byte order."""
    words = match["words"].lower().split()
    if len(words) == 1 and len(words[0]) == 2 * LENGTH:  # xxd -p
        return bytes.fromhex(words[0])
    if match["at"] and all(_OCTAL.fullmatch(word) for word in words):  # od
        return b"".join(int(word, 8).to_bytes(2, "little") for word in words)
    digits = [word.removeprefix("0x") for word in words]
    width, odd = divmod(len(digits[0]), 2)
    if odd or width not in _WIDTHS or any(len(word) != 2 * width for word in digits):
        return None
    if match["colon"] and not words[0].startswith("0x"):  # xxd; in groups of 4, -e and -g print the same form
        return bytes.fromhex("".join(digits)) if width <= 2 else None
    return b"".join(int(word, 16).to_bytes(width, "little") for word in digits)
