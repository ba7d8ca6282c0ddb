"""Write sizes and times as people say them, and read sizes back: 192 MiB, 2 h 5 min."""

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


def time_text(seconds: float) -> str:
    """Return a time as days, hours, minutes and seconds, the two largest of them."""
    days, rest = divmod(int(seconds), 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (left, "s")]
    first = next((at for at, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2])
