"""What memory says of the state of a kernel: why it panicked, whether it is tainted, when it last logged."""

from __future__ import annotations

from typing import Final, NamedTuple

TAINT: Final = b"tainted_mask"
"""The variable that says whether a kernel is tainted."""
_FLAGS: Final = "PFSRMBUDAWCIOELKXTNJ"
"""The letters of `tainted_mask`, from bit 0 on (kernel/panic.c, taint_flags; J since 6.15)."""


class KernelState(NamedTuple):
    """The state of the kernel in memory."""

    panic: bytes
    """What it logged when it panicked; empty if it did not, or if the log is not there."""
    taint: int | None
    """The variable tainted_mask; None if it is not known."""
    seconds: float | None
    """From boot to the last line of the log; None without a log."""
    uptime: float | None = None
    """Seconds from boot, by the kernel's own clock; None if memory does not show it."""

    @property
    def flags(self) -> str | None:
        """The letters of the taint, as the kernel prints them; None if it is not known."""
        if self.taint is None:
            return None
        return "".join(letter for bit, letter in enumerate(_FLAGS) if self.taint >> bit & 1)
