"""Turn untrusted bytes into text that may reach a screen; this is the only way.

A note is written by a guest, a file name by any user: both may hold
escape sequences, markup or bidi controls. `visible` lets printable ASCII through and
writes all other bytes as `\\xNN`. So each character takes one cell, and `literal` gives the
same bytes back.
"""

from __future__ import annotations

import os
import re
from typing import NewType

from vmci_tui.common.errors import EditError

Safe = NewType("Safe", str)
"""Text that is printable ASCII only. Widgets accept no other text."""

_SHOWN = {byte: f"\\x{byte:02x}" for byte in range(256) if not 0x20 <= byte < 0x7F} | {0x5C: "\\\\"}
_SHOWN_BYTE = re.compile(rb"\\(?:x([0-9a-f]{2})|\\)")

_COLOURS = re.compile(r"\x1b\[[0-9;]*[mK]")
_INVISIBLE = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
"""Control and format characters of Unicode but tab and the ends of lines."""


def visible(data: bytes | str) -> Safe:
    """Show `data` as printable ASCII; a `str` is first encoded as the operating system does."""
    if isinstance(data, str):
        data = os.fsencode(data) if _encodable(data) else data.encode("utf-8", "backslashreplace")
    return Safe(data.decode("latin-1").translate(_SHOWN))


def safe(text: str) -> Safe:
    """Return `text` if it is printable ASCII, else `visible(text)`. Safe text stays unchanged."""
    return Safe(text) if text.isascii() and text.isprintable() else visible(text)


def pasted(text: str) -> str:
    """Return a pasted text without colours, each control or format character in it written as `\\xNN`.

    A field shows its text to the terminal as it is.
    """
    return _INVISIBLE.sub(lambda found: visible(found[0]), _COLOURS.sub("", text))


def _encodable(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def typed_path(text: str) -> str:
    """Return the path that a typed text means: `~` is the home folder, and paths are typed as `visible` shows them.

    A path that exists as it is typed is meant as it is.
    """
    path = os.path.expanduser(text.strip())
    if "\\" not in path or os.path.lexists(path):
        return path
    meant = _SHOWN_BYTE.sub(_byte, os.fsencode(path))
    return path if b"\0" in meant else os.fsdecode(meant)


def _byte(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(found[1].decode()) if found[1] else b"\\"


def literal(text: str) -> bytes:
    """Return the bytes that `visible` shows as `text`: `\\xNN` and `\\\\` are read back.

    Raises EditError for characters outside ASCII and for a backslash that starts neither of these.
    """
    if "\\" not in text and text.isascii():  # true of nearly every line; 30 times faster
        return text.encode("ascii")
    out = bytearray()
    at = 0
    while at < len(text):
        char = text[at]
        if char != "\\":
            if ord(char) > 0x7F:
                raise EditError(f"vmcoreinfo is ASCII, and {visible(char)} is not", "write other bytes as \\xNN")
            out.append(ord(char))
            at += 1
        elif text[at + 1 : at + 2] == "\\":
            out.append(0x5C)
            at += 2
        else:
            digits = text[at + 2 : at + 4]
            if text[at + 1 : at + 2] != "x" or len(digits) != 2 or not set(digits) <= _HEX:
                raise EditError("a backslash here starts \\xNN or \\\\", "double it to mean a backslash")
            out.append(int(digits, 16))
            at += 4
    return bytes(out)


_HEX = frozenset("0123456789abcdefABCDEF")
