"""Prefer the note of a kernel that crashed to that of the kernel which was started to save its dump (kdump).

Both are whole in memory, and memory proves both notes. The next kernel's own variables say why it was started.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vmci_tui.adoption.relation import after_panic
from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest
from vmci_tui.kernel.image.known_place import START
from vmci_tui.kernel.symbols.crash_kernel import runs_after_crash
from vmci_tui.kernel.symbols.read_symbols import proved_symbols
from vmci_tui.proof.cross_checks import proved_kernel
from vmci_tui.proof.text_values import symbol
from vmci_tui.search.candidate import RankedCandidate


class _Place(NamedTuple):
    """What distinguishes kernels in one memory."""

    shift: int
    """Virtual less physical addresses."""
    start: int | None
    """The virtual address of the first code."""


def crashed_first(judged: tuple[RankedCandidate, ...], guest: Guest, progress: Progress) -> tuple[RankedCandidate, ...]:
    """Move the note of the kernel that crashed to the front, if memory proves one and the kernel started for that.

    Unchanged if it proves a third kernel, or two that crashed: then the user chooses. Raises what `progress` raises.
    """
    kernels = _by_kernel(judged, guest)
    crashed = [place for place, items in kernels.items() if any(after_panic(item.candidate.text) for item in items)]
    if len(kernels) != 2 or len(crashed) != 1:
        return judged
    wanted = next(item for item in kernels[crashed[0]] if after_panic(item.candidate.text))
    (saves,) = (items for place, items in kernels.items() if place != crashed[0])
    symbols = proved_symbols(guest, saves[0].candidate.vmcoreinfo, progress)
    if symbols is None or not runs_after_crash(guest, symbols.table, symbols.order):
        return judged
    next_note = f"the note at {saves[0].candidate.paddr:#x}"
    first = wanted._replace(
        why=f"{wanted.why}; it crashed, and the kernel of {next_note} was started for that", own=True
    )
    why = f"this kernel was started because that of the note at {first.candidate.paddr:#x} crashed"
    others = (item for item in judged if item is not wanted)
    return (first, *(item._replace(why=f"{item.why}; {why}") if item in saves else item for item in others))


def _by_kernel(judged: Sequence[RankedCandidate], guest: Guest) -> dict[_Place, list[RankedCandidate]]:
    """Return the proved candidates of each kernel that memory proves."""
    out: dict[_Place, list[RankedCandidate]] = {}
    for item in judged:
        text = item.candidate.vmcoreinfo
        kernel = proved_kernel(text, guest) if item.proof.proved else None
        if kernel is not None:
            out.setdefault(_Place(kernel.shift, symbol(text, START)), []).append(item)
    return out
