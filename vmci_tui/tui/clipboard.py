"""What terminals take into their clipboard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MAX_BYTES: Final = 64 << 10
"""Bytes that are copied at most: a terminal takes no larger clipboard over ssh."""
_WITHOUT: Final = ("linux", "dumb", "vt100", "vt102", "vt220", "ansi")
"""Terminals, by TERM, that know no clipboard."""


def lacks_clipboard(environment: Mapping[str, str]) -> bool:
    """Whether the terminal is known not to take OSC 52; most others take it."""
    return (
        environment.get("TERM", "") in _WITHOUT
        or environment.get("TERM_PROGRAM") == "Apple_Terminal"
        or ("VTE_VERSION" in environment and "TMUX" not in environment)
    )
