"""Prove a text: the unchanged one, and, if memory contradicts it, the values that would fit."""

from __future__ import annotations

from typing import Final

from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import PackageMissing, Spent
from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.common.safe_text import visible
from vmci_tui.containers import Dump
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.document.state import State
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.proof.cross_checks import check, needed, weigh
from vmci_tui.proof.kernel_addresses import KernelMachine, PlacedKernel
from vmci_tui.proof.machines import machines_for
from vmci_tui.proof.moved_kernel import shifts_of_utsname
from vmci_tui.search.candidate import Correction, Proof

_ROUNDS: Final = 3
"""A place, then KERNELOFFSET, then OSRELEASE: no text needs more rounds."""

Corrections = tuple[Correction, ...]


def prove(text: Vmcoreinfo, guest: Guest, progress: Progress = no_progress, search: bool = True) -> Proof:
    """Return what memory says about the text; if it contradicts it, with the values that fit, if one set of them does.

    A few pages are read. Only if these do not prove the text, and with `search`, memory is searched and `progress`
    is called. A text is not provable if it takes too many steps, or a package to decompress its pages is missing.
    Raises what `progress` raises, and Cancelled by the guest's budget.
    """
    guest = guest._replace(budget=(guest.budget or Budget()).refill())
    try:
        return _prove(text, guest, progress, search)
    except (Spent, PackageMissing) as stopped:
        return Proof(None, str(stopped))


def _prove(text: Vmcoreinfo, guest: Guest, progress: Progress, search: bool) -> Proof:
    first = check(text, guest)
    if first.proof.proved is True:
        return first.proof
    if first.corrections and (corrected := _corrected(text, guest, first.corrections)) is not None:
        return _answer(first.proof, [(corrected, "")])
    if not search:
        return first.proof
    wanted = needed(text)
    machines = () if isinstance(wanted, str) else machines_for(text, guest)[0]
    if isinstance(wanted, str):
        return first.proof
    fits: list[tuple[Corrections, str]] = []
    for machine in machines:
        if machine.step and machine.shifts(text, guest).wanted:
            shifts = shifts_of_utsname(guest, machine, wanted[0], progress)
            if shifts is None:
                return first.proof._replace(why=f"{first.proof.why}; too many places look like utsname")
            fits += [fit for shift in shifts if (fit := _fit(text, guest, machine, shift)) is not None]
    return _answer(first.proof, fits)


def _answer(proof: Proof, fits: list[tuple[Corrections, str]]) -> Proof:
    if not fits:
        return proof
    if len(fits) > 1:
        return proof._replace(why=f"{proof.why}; {len(fits)} other places fit, so none is chosen")
    corrections, why = fits[0]
    if not corrections:  # the text leaves open where the kernel is, and it was found
        return Proof(True, why)
    values = " and ".join(f"{visible(item.key)}={visible(item.value)}" for item in corrections)
    return Proof(False, f"{proof.why}; with {values} everything fits", corrections)


def _fit(text: Vmcoreinfo, guest: Guest, machine: KernelMachine, shift: int) -> tuple[Corrections, str] | None:
    """Return corrections with which a kernel at this shift is proved, and what proves it; None if nothing does."""
    corrected = machine.correct(text, shift)
    if corrected is None:
        return None
    if not corrected:
        proof = weigh(PlacedKernel(text, guest, machine, shift, "where it was found")).proof
        return ((), proof.why) if proof.proved else None
    fit = _corrected(text, guest, corrected)
    return None if fit is None else (fit, "")


def _corrected(text: Vmcoreinfo, guest: Guest, corrections: Corrections) -> Corrections | None:
    """Return these corrections with those that follow from them, if the text is proved with all of them; else None."""
    kept: dict[bytes, Correction] = {}
    for _ in range(_ROUNDS):
        for item in corrections:
            kept[item.key] = item
            text = text.with_value(item.key, item.value)
        outcome = check(text, guest)
        if outcome.proof.proved is True:
            return tuple(kept.values())
        corrections = outcome.corrections
        if not corrections:
            break
    return None


def proof_of(state: State, dump: Dump | None, budget: Budget | None = None) -> Proof | None:
    """Return the proof of the note that a dump has, without a search: a few pages are read.

    None if there is no text, or no memory to compare it with. `budget` may raise Cancelled.
    """
    if dump is None or state.vmcoreinfo is None:
        return None
    return prove(state.vmcoreinfo, guest_of(dump)._replace(budget=budget), search=False)


def placed_text(text: Vmcoreinfo, guest: Guest) -> Vmcoreinfo:
    """Return a text with the values by which memory proves it, if it differs from memory in few."""
    for item in prove(text, guest, search=False).corrections:
        text = text.with_value(item.key, item.value)
    return text
