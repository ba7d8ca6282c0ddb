"""Render the state of a kernel as a sentence and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.common.sizes import time_text

if TYPE_CHECKING:  # `vmci check` of most dumps needs neither
    from vmci_tui.adoption.kernel_state import ShownKernel
    from vmci_tui.kernel.lines.kernel_state import KernelState

_SHOWN: Final = 120
"""Bytes of the reason of a panic that are shown."""
_PANIC: Final = b"Kernel panic - not syncing: "


def state_words(state: KernelState) -> Safe:
    """Return the state in clauses: `the kernel panicked (sysrq triggered crash), it was up 3 s, it is tainted: O E`."""
    parts = []
    if state.panic:
        parts.append(f"the kernel panicked ({panic_reason(state)})")
    if state.uptime is not None:
        parts.append(f"it was up {time_text(state.uptime)}")
    elif state.seconds is not None:
        parts.append(f"its log ends {time_text(state.seconds)} after boot")
    if state.flags:
        parts.append(f"it is tainted: {' '.join(state.flags)}")
    return Safe(", ".join(parts))


def state_in_short(state: KernelState) -> Iterator[Safe]:
    """Yield the state in a few words: `panicked (sysrq triggered crash)`, `up 3 s`, `tainted: O E`."""
    if state.panic:
        yield Safe(f"panicked ({panic_reason(state)})")
    if state.uptime is not None:
        yield Safe(f"up {time_text(state.uptime)}")
    elif state.seconds is not None:
        yield Safe(f"log ends at {time_text(state.seconds)}")
    if state.flags:
        yield Safe(f"tainted: {' '.join(state.flags)}")


def panic_reason(state: KernelState) -> Safe:
    """Return why the kernel panicked, in its own words."""
    return visible(state.panic.removeprefix(_PANIC)[:_SHOWN])


def kernel_json(kernel: ShownKernel | None) -> dict[str, Any] | None:
    """Return the release and the state of a kernel; None if memory has none."""
    if kernel is None:
        return None
    return {"release": visible(kernel.release[:_SHOWN]) if kernel.release else None} | (state_json(kernel.state) or {})


def state_json(state: KernelState | None) -> dict[str, Any] | None:
    """Return the state; None if it is not known."""
    if state is None:
        return None
    return {
        "panic": visible(state.panic) if state.panic else None,
        "taint": state.taint,
        "flags": state.flags,
        "logged": state.seconds,
        "uptime": state.uptime,
    }
