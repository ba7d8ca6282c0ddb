"""How long a kernel has been up: by its clock since boot, as it was when the kernel last counted time.

Source: include/linux/timekeeper_internal.h, kernel/time/timekeeping.c of Linux 5.10 to 7.2: `tk_core`, since 6.17
`timekeeper_data`, has a sequence count and the timekeeper. An idle kernel counts time when its next timer is due.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.kernel.facts.by_types import bytes_before, offset_of
from vmci_tui.kernel.facts.running_kernel import NotKnown, RunningKernel

_VARIABLES: Final = (b"timekeeper_data", b"tk_core")
_AFTER_COUNT: Final = 8
"""Bytes of the sequence count and its padding, where the variable's struct has no name (before 6.13)."""
_APART: Final = 2
"""Seconds by which the two clocks of the timekeeper may differ: one is the whole seconds of the other."""
_BILLION: Final = 1_000_000_000
_MOST: Final = 1 << 33
"""Seconds: 270 years."""


def uptime_of(kernel: RunningKernel) -> float | None:
    """Return the seconds since boot, those of suspension too; None if symbols, types or memory do not show them."""
    variables = next((found for name in _VARIABLES if (found := kernel.symbols(name))), ())
    if len(variables) != 1:
        return None
    inside = _inside(kernel)
    if inside is None:
        return None
    keeper = variables[0] + inside
    base = _number(kernel, keeper, b"timekeeper.tkr_mono.base", 8)
    whole = _number(kernel, keeper, b"timekeeper.ktime_sec", kernel.pointer_size)
    asleep = _number(kernel, keeper, b"timekeeper.offs_boot", 8)
    if base is None or whole is None or asleep is None or abs(base // _BILLION - whole) > _APART:
        return None
    seconds = (base + asleep) / _BILLION
    return seconds if whole <= seconds + _APART < _MOST else None


def _inside(kernel: RunningKernel) -> int | None:
    """Return where the timekeeper is in the variable; None if that is not known."""
    found = offset_of(kernel, b"tk_data.timekeeper")
    if isinstance(found, NotKnown):
        return _AFTER_COUNT if found.absent else None
    return found.value if isinstance(found.value, int) else None


def _number(kernel: RunningKernel, keeper: int, path: bytes, size: int) -> int | None:
    offset = bytes_before(kernel, path)
    return None if offset is None else kernel.number_at(keeper + offset, size)
