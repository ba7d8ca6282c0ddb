"""Compare a text with memory, by its own values: a few pages are read, nothing is searched."""

from __future__ import annotations

from typing import Final, NamedTuple

from vmci_tui.common.safe_text import visible
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.proof.kernel_addresses import PlacedKernel, Witness
from vmci_tui.proof.machines import machines_for
from vmci_tui.proof.text_values import small, symbol, unusable
from vmci_tui.proof.witnesses.kallsyms import symbol_table
from vmci_tui.proof.witnesses.kernel_offset import kernel_offset
from vmci_tui.proof.witnesses.page_tables import hash_tables, page_size, page_tables, text_begins
from vmci_tui.proof.witnesses.printk_ring import log_buffer
from vmci_tui.proof.witnesses.s390x_lowcore import named_note
from vmci_tui.proof.witnesses.utsname import LENGTH, Uts, uts_of
from vmci_tui.search.candidate import Correction, Proof

_NAME: Final = b"OFFSET(uts_namespace.name)"
MORE_WITNESSES: Final = (hash_tables, named_note, log_buffer, symbol_table, kernel_offset, text_begins, page_size)
"""The witnesses after utsname and the page tables."""
_BEFORE_5_11: Final = 4
"""The offset in older kernels, whose text does not have it: after the reference count (struct kref)."""
_RELEASE_LIMIT: Final = 64


class WeighedProof(NamedTuple):
    """A proof, and the corrections that its witnesses suggest."""

    proof: Proof
    corrections: tuple[Correction, ...] = ()
    near: bool = False
    """Whether memory supports the place: it holds utsname there, or page tables that map the kernel there."""


def needed(text: Vmcoreinfo) -> tuple[int, bytes] | str:
    """Return the virtual address of utsname and the release expected there, or a clause about what the text lacks."""
    release = text.osrelease
    base, offset = symbol(text, b"init_uts_ns"), small(text, _NAME, 1 << 16)
    if text.get(_NAME) is None:
        offset = _BEFORE_5_11
    if release is None or not 0 < len(release) <= _RELEASE_LIMIT:
        return unusable(text, b"OSRELEASE")
    if base is None or offset is None:
        return unusable(text, b"SYMBOL(init_uts_ns)" if base is None else _NAME)
    return base + offset, release


def check(text: Vmcoreinfo, guest: Guest) -> WeighedProof:
    """Return what memory says about the unchanged text."""
    wanted = needed(text)
    if isinstance(wanted, str):
        return WeighedProof(Proof(None, f"{wanted}, so it cannot be verified in memory"))
    machines, why = machines_for(text, guest)
    if not machines:
        return WeighedProof(Proof(None, why))
    outcomes: list[WeighedProof] = []
    for machine in machines:
        shifts = machine.shifts(text, guest)
        if not shifts.values:
            outcomes.append(WeighedProof(Proof(None, shifts.how)))
        outcomes += (weigh(PlacedKernel(text, guest, machine, shift, shifts.how)) for shift in shifts.values)
    return max(outcomes, key=_worth)


def utsname_of(text: Vmcoreinfo, guest: Guest) -> Uts | None:
    """Return the utsname in memory, where the text says and of the same release; None if it is not there."""
    wanted = needed(text)
    if isinstance(wanted, str):
        return None
    for machine in machines_for(text, guest)[0]:
        for shift in machine.shifts(text, guest).values:
            raw = PlacedKernel(text, guest, machine, shift, "").read(wanted[0], LENGTH)
            uts = uts_of(raw) if raw is not None else None
            if uts is not None and uts.release == wanted[1]:
                return uts
    return None


def proved_kernel(text: Vmcoreinfo, guest: Guest) -> PlacedKernel | None:
    """Return the text's kernel at the place that memory proves; None if it proves none of its places."""
    for machine in () if isinstance(needed(text), str) else machines_for(text, guest)[0]:
        shifts = machine.shifts(text, guest)
        for shift in shifts.values:
            kernel = PlacedKernel(text, guest, machine, shift, shifts.how)
            if weigh(kernel).proof.proved:
                return kernel
    return None


def _worth(outcome: WeighedProof) -> tuple[bool, bool, bool]:
    return outcome.proof.proved is True, outcome.near, outcome.proof.proved is None


def weigh(kernel: PlacedKernel) -> WeighedProof:
    """Return what memory says if the kernel is at the place of this one."""
    wanted = needed(kernel.text)
    assert not isinstance(wanted, str)
    va, release = wanted
    at = kernel.paddr(va)
    raw = kernel.read(va, LENGTH)
    if raw is None:
        return WeighedProof(Proof(None, f"the dump lacks {_shown(at)}, where init_uts_ns is by {kernel.how}"))
    uts = uts_of(raw)
    tables = page_tables(kernel)
    if uts is None or not kernel.machine.facts.says_uname(uts.machine):
        what = f"{raw[:12].hex(' ')}..., not a utsname" if uts is None else f"a utsname of {visible(uts.machine)}"
        why = f"at {at:#x}, where init_uts_ns is by {kernel.how}, memory holds {what}"
        return WeighedProof(Proof(False, why), near=tables.fits is True)
    here = f"at {at:#x} memory holds the utsname of Linux {visible(uts.release)}"
    kernel = kernel._replace(text=kernel.text.with_value(b"OSRELEASE", uts.release))
    witnesses = [tables, *(witness(kernel) for witness in MORE_WITNESSES)]
    wrong = [witness for witness in witnesses if witness.fits is False]
    seconds = [witness for witness in witnesses if witness.fits and witness.strong]
    rooted = any(witness.root for witness in witnesses if witness.fits) or not kernel.machine.tables
    correctable = all(witness.corrections for witness in wrong)
    corrections = tuple(item for witness in wrong for item in witness.corrections) if correctable else ()
    if uts.release != release:
        if correctable:
            corrections += (Correction(b"OSRELEASE", uts.release, f"utsname at {at:#x} says so"),)
        return WeighedProof(Proof(False, f"{here}, not {visible(release)}"), corrections, True)
    if wrong:
        return WeighedProof(Proof(False, f"{here}, but {wrong[0].words}"), corrections, True)
    if seconds and rooted:
        return WeighedProof(Proof(True, f"{here}, and {seconds[0].words}"), (), True)
    return WeighedProof(Proof(None, f"{here}, but nothing confirms it: {_reasons(witnesses)}"), (), True)


def _reasons(witnesses: list[Witness]) -> str:
    return "; ".join(witness.words for witness in witnesses if witness.fits is None and witness.strong)


def _shown(paddr: int) -> str:
    return f"{paddr:#x}" if paddr >= 0 else f"-{-paddr:#x} (below the first byte)"
