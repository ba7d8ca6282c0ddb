"""Find out which note is wanted where memory proves several that differ, because it holds several kernels.

That of the kernel that runs, which its own pointers name; that of a kernel that crashed, where the one that runs was
started to save its dump (kdump): its variables say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vmci_tui.adoption.pointed_note import pointed_note
from vmci_tui.adoption.relation import after_panic
from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest
from vmci_tui.kernel.image.known_place import START
from vmci_tui.kernel.symbols.crash_kernel import runs_after_crash
from vmci_tui.kernel.symbols.read_symbols import proved_symbols
from vmci_tui.proof.cross_checks import proved_kernel
from vmci_tui.proof.text_values import symbol
from vmci_tui.search.candidate import RankedCandidate
from vmci_tui.search.lowcore_pointer import pointers


class _Place(NamedTuple):
    """What distinguishes kernels in one memory."""

    shift: int
    """Virtual less physical addresses."""
    start: int | None
    """The virtual address of the first code."""


def wanted_first(judged: tuple[RankedCandidate, ...], guest: Guest, progress: Progress) -> tuple[RankedCandidate, ...]:
    """Move the wanted note to the front, with the reason; unchanged if nothing says which one it is.

    Raises what `progress` raises.
    """
    after_crash = _crashed_first(judged, guest, progress)
    if after_crash is not None:
        return after_crash
    own = _own(judged, guest, progress)
    if own is None:
        return judged
    why = f"{own.why}; the kernel that runs names this one"
    return (own._replace(why=why, runs=True, own=True), *(item for item in judged if item is not own))


def _own(judged: Sequence[RankedCandidate], guest: Guest, progress: Progress) -> RankedCandidate | None:
    """Return the candidate that the kernel that runs names."""
    if guest.machine != "s390x":
        named = pointed_note(guest, progress)
        text = None if named is None else named.note.candidate.text
        return next((item for item in judged if item.candidate.text == text), None)
    proved = [item for item in judged if item.proof.proved]
    # The lowcore is that of the kernel that runs, also if it was started to save the dump of another one.
    places = () if any(after_panic(item.candidate.text) for item in proved) else pointers(guest)
    return next((item for item in proved if item.candidate.paddr in places), None)


def _crashed_first(
    judged: tuple[RankedCandidate, ...], guest: Guest, progress: Progress
) -> tuple[RankedCandidate, ...] | None:
    """Move the note of the kernel that crashed to the front, if memory proves one and the kernel started for that.

    None if not, and if memory proves a third kernel, or two that crashed: then the user chooses.
    """
    kernels = _by_kernel(judged, guest)
    crashed = [place for place, items in kernels.items() if any(after_panic(item.candidate.text) for item in items)]
    if len(kernels) != 2 or len(crashed) != 1:
        return None
    wanted = next(item for item in kernels[crashed[0]] if after_panic(item.candidate.text))
    (saves,) = (items for place, items in kernels.items() if place != crashed[0])
    symbols = proved_symbols(guest, saves[0].candidate.vmcoreinfo, progress)
    if symbols is None or not runs_after_crash(guest, symbols.table, symbols.order):
        return None
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
