"""Find the note without a search of memory: by the kernel that runs, and its own pointers to the note.

kernel/vmcore_info.c (crash_core.c before 6.9): `vmcoreinfo_note` and `vmcoreinfo_data` hold the addresses of the note
and of its text. They are in the table of symbols with CONFIG_KALLSYMS_ALL only; in a running machine, whose CPUs
translate addresses for us, they are also found by what they hold.
"""

from __future__ import annotations

from functools import partial
from typing import Final, NamedTuple

from vmci_tui.adoption.rank import PANICKED, rank_candidates, why_not
from vmci_tui.adoption.relation import after_panic
from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest
from vmci_tui.kernel.cpus.cpu import cpus_of
from vmci_tui.kernel.cpus.cpu_memory import MAPPED, tables_of
from vmci_tui.kernel.facts.running_kernel import RunningKernel
from vmci_tui.kernel.image.bss import parts_of_bss
from vmci_tui.kernel.lines.gather import kernel_of
from vmci_tui.kernel.symbols.crash_kernel import runs_after_crash
from vmci_tui.kernel.symbols.read_symbols import KernelSymbols, read_symbols
from vmci_tui.kernel.symbols.translation import runs_kernel
from vmci_tui.proof import prove
from vmci_tui.search.by_variables import note_by_variables
from vmci_tui.search.candidate import Candidate, RankedCandidate
from vmci_tui.search.recognise import candidate_at

_WITHIN: Final = 256 << 20
"""Bytes of memory in which a kernel is looked for by its banner, if no CPU says where it is."""


class PointedNote(NamedTuple):
    """A note, and the kernel that names it."""

    note: RankedCandidate
    kernel: KernelSymbols | None
    """None where it was found by what its variables hold, without their symbols."""


def pointed_note(guest: Guest, progress: Progress) -> PointedNote | None:
    """Return the note that the running kernel names, proved; None if it takes a search to say which note it is.

    That is so if the page tables of no CPU have the kernel, or no register names them in a file (those of x86 and s390x
    do). It is so too if the kernel runs because another one crashed, and no CPU was left in that one, whose note is
    wanted; and if its pages of the note and of the text differ, and the lines do not say which one is right. Raises
    what `progress` raises.
    """
    kernel = None
    if _names_tables(guest):
        kernel = _running(guest, progress)
        places = None if kernel is None else _by_symbols(guest, kernel)
    else:
        places = _by_variables(guest)
    if places is None or not _is_own(places[0]):
        return None
    ranked = rank_candidates(places, guest, partial(prove, search=False), progress, frozenset({places[0].paddr}))
    crashed = f"; {PANICKED}" if after_panic(places[0].text) else ""
    best = ranked[0]._replace(why=ranked[0].why + crashed, runs=True, found_by="kernel")
    return PointedNote(best, kernel) if best.candidate is places[0] and not why_not(ranked) else None


def _names_tables(guest: Guest) -> bool:
    return any(any(tables_of(cpu)) for cpu in cpus_of(guest.notes, guest.machine)[:MAPPED])


def _is_own(note: Candidate) -> bool:
    return note.kind == "note" and note.whole and not note.misplaced


def _running(guest: Guest, progress: Progress) -> KernelSymbols | None:
    """Return the kernel whose note is wanted: the one that runs, or one that crashed before it and has a CPU left."""
    found = read_symbols(guest, None, progress, _WITHIN)
    if not found or not (found[0].runs or _is_mapped(guest, found[0])):
        return None
    return None if runs_after_crash(guest, found[0].table, found[0].order) else found[0]


def _by_symbols(guest: Guest, symbols: KernelSymbols) -> list[Candidate] | None:
    """Return the note, and the text if it is there; None if no symbol leads there."""
    kernel = kernel_of(guest, symbols)
    note, text = (_candidate(guest, kernel, name) for name in (b"vmcoreinfo_note", b"vmcoreinfo_data"))
    return None if note is None else [note] if text is None else [note, text]


def _is_mapped(guest: Guest, kernel: KernelSymbols) -> bool:
    """Return whether the page tables of a CPU have the kernel, also while other programs run on all CPUs."""
    return any(runs_kernel(guest, cpu, kernel.table) for cpu in cpus_of(guest.notes, guest.machine)[:MAPPED])


def _by_variables(guest: Guest) -> list[Candidate] | None:
    """Return the note; None if no variables are found that name it and the same text."""
    found = note_by_variables(guest, parts_of_bss(guest, cpus_of(guest.notes, guest.machine)))
    return None if found is None else [found]


def _candidate(guest: Guest, kernel: RunningKernel, name: bytes) -> Candidate | None:
    """Return what the pointer of this name points at; None if it is not a note or a text."""
    address = kernel.variable(name)
    paddr = kernel.physical(address) if address else None
    return None if paddr is None else candidate_at(guest, paddr)
