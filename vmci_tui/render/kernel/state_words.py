"""Render the state of a kernel as a sentence and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vmci_tui.common.safe_text import Safe, visible

if TYPE_CHECKING:
    from vmci_tui.kernel.lines.kernel_state import KernelState

_SHOWN: Final = 120
"""Bytes of the reason of a panic that are shown."""
_PANIC: Final = b"Kernel panic - not syncing: "


def state_words(state: KernelState) -> Safe:
    """Return the state in a clause: `the kernel panicked (sysrq triggered crash), 3 s after boot, tainted: O E`."""
    parts = []
    if state.panic:
        parts.append(f"the kernel panicked ({visible(state.panic.removeprefix(_PANIC)[:_SHOWN])})")
    if state.seconds is not None:
        parts.append(f"its log ends {_time(state.seconds)} after boot")
    if state.flags:
        parts.append(f"it is tainted: {' '.join(state.flags)}")
    return Safe(", ".join(parts))


def state_json(state: KernelState | None) -> dict[str, Any] | None:
    """Return the state; None if it is not known."""
    if state is None:
        return None
    return {
        "panic": visible(state.panic) if state.panic else None,
        "taint": state.taint,
        "flags": state.flags,
        "logged": state.seconds,
    }


def _time(seconds: float) -> str:
    """Return a time as days, hours, minutes and seconds, the two largest of them."""
    days, rest = divmod(int(seconds), 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (left, "s")]
    first = next((at for at, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2])
