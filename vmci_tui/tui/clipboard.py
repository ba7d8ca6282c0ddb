"""The limits of terminals' clipboards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MAX_BYTES: Final = 64 << 10
"""Bytes that are copied at most: terminals accept no more over ssh."""
_WITHOUT: Final = ("linux", "dumb", "vt100", "vt102", "vt220", "ansi")
"""Values of TERM for terminals without a clipboard."""


def lacks_clipboard(environment: Mapping[str, str]) -> bool:
    """Return whether the terminal is known to lack OSC 52; most others support it."""
    return (
        environment.get("TERM", "") in _WITHOUT
        or environment.get("TERM_PROGRAM") == "Apple_Terminal"
        or ("VTE_VERSION" in environment and "TMUX" not in environment)
    )
