"""Write sizes as people say them, and read them back: 192 MiB."""

from __future__ import annotations

from typing import Final

from vmci_tui.common.safe_text import Safe

_POWERS: Final = {"KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40}


def size_text(size: int) -> Safe:
    """Return a number of bytes as the largest unit of which it has one: `192 MiB`, `1.5 GiB`, `636 KiB`, `12 bytes`."""
    for unit, power in reversed(_POWERS.items()):
        if size >> power:
            return Safe(f"{size >> power} {unit}" if size % (1 << power) == 0 else f"{size / (1 << power):.1f} {unit}")
    return Safe(f"{size} byte{'' if size == 1 else 's'}")


def without_unit(text: str) -> tuple[str, int]:
    """Return a number's text without its unit (KiB, MiB, GiB, TiB; 1MiB or `1 MiB`), and the bytes of one unit."""
    for unit, power in _POWERS.items():
        if text.lower().endswith(unit.lower()):
            return text[: -len(unit)].rstrip(), 1 << power
    return text, 1
