"""Addresses and numbers of a vmcoreinfo text, only in the forms that Linux writes."""

from __future__ import annotations

import re
from typing import Final

from vmci_tui.common.safe_text import visible
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo

_HEX: Final = re.compile(rb"(?:0x)?([0-9a-fA-F]{1,16})\Z")
_DECIMAL: Final = re.compile(rb"-?[0-9]{1,19}\Z")
_SHOWN: Final = 40


def address(text: Vmcoreinfo, key: bytes) -> int | None:
    """Return the value of a key in base 16, with or without 0x; None if it is absent or malformed."""
    found = _HEX.match(text.get(key) or b"")
    return int(found[1], 16) if found else None


def symbol(text: Vmcoreinfo, name: bytes) -> int | None:
    """Return SYMBOL(name); None if it is absent, malformed or 0."""
    return address(text, b"SYMBOL(%s)" % name) or None


def number(text: Vmcoreinfo, key: bytes) -> int | None:
    """Return the value of a key in base 10, which may be negative; None if it is absent or malformed."""
    found = _DECIMAL.match(text.get(key) or b"")
    return int(found[0]) if found else None


def small(text: Vmcoreinfo, key: bytes, limit: int) -> int | None:
    """Return a number from 0 to `limit`, in base 10; else None."""
    value = number(text, key)
    return value if value is not None and 0 <= value <= limit else None


def unusable(text: Vmcoreinfo, key: bytes) -> str:
    """Return why a key gives no number: a clause that shows its value if it has one."""
    value = text.get(key)
    if value is None:
        return f"the text has no {visible(key)}"
    if value.endswith(b"\r"):
        return f"the value of {visible(key)} ends in CR"
    return f"{line(text, key)} is not as Linux writes it"


def line(text: Vmcoreinfo, key: bytes) -> str:
    """Return `KEY=value` safe to show, a long value cut."""
    value = text.get(key) or b""
    return visible(key + b"=" + value[:_SHOWN]) + ("..." if len(value) > _SHOWN else "")
