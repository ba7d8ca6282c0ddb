"""Read the symbols of the kernel that a dump's CPUs run, from memory alone."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from itertools import islice
from typing import Final, NamedTuple

from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import Spent
from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.cpus.cpu import Cpu, cpus_of
from vmci_tui.kernel.cpus.cpu_memory import MAPPED, paddr_by_cpu
from vmci_tui.kernel.image.known_place import START, starts
from vmci_tui.kernel.image.own_tables import shift_by_tables
from vmci_tui.kernel.image.places import SEARCHED, Place, places
from vmci_tui.kernel.symbols.after_code import shift_after_code
from vmci_tui.kernel.symbols.crash_kernel import runs_after_crash
from vmci_tui.kernel.symbols.own_place import own_shift
from vmci_tui.kernel.symbols.raw_tables import RawTables, raw_tables
from vmci_tui.kernel.symbols.table import SymbolTable
from vmci_tui.kernel.symbols.translation import runs_kernel
from vmci_tui.kernel.virtual_memory import places_of
from vmci_tui.proof.cross_checks import proved_kernel
from vmci_tui.proof.text_values import symbol

_PLACES: Final = 64
"""Places that are looked at; each page of a hostile dump may have a banner."""
STEPS: Final = 1 << 16
"""Steps for all places together; a kernel with 100,000 symbols takes some thousand."""
_END: Final = b"_etext"
_TOKENS: Final = b"kallsyms_token_table"
CRASHED: Final = "it crashed, and the one that runs was started for that"
"""Why the kernel that crashed comes before the one that runs."""
SAVES: Final = "the note is of this kernel, which was started when the other one crashed"
"""Why a kernel comes before the one that crashed."""


class KernelSymbols(NamedTuple):
    """A kernel in memory, with its symbols."""

    table: SymbolTable
    banner: bytes
    """The kernel's own words about its version."""
    paddr: int
    """Where its read-only data begins."""
    older: bool
    """Whether the table has the form of kernels before 4.20, which was not seen in a real dump."""
    order: ByteOrder
    """Of the kernel: QEMU's dump of a ppc64 guest may have the other one."""
    bits: int
    """Of an address."""
    tables: Mapping[bytes, int]
    """The virtual addresses of the tables themselves, by Linux's names of them; empty without `table.shift`."""
    runs: str
    """A clause that says why this kernel is taken: it runs, or it crashed; empty if nothing shows it."""


def read_symbols(
    guest: Guest, text: Vmcoreinfo | None = None, progress: Progress = no_progress, within: int = SEARCHED
) -> tuple[KernelSymbols, ...]:
    """Return the kernels whose symbols are in memory, first the one that runs, or the one that crashed before it.

    Of the others those that were found before it, and the one of `text`, if memory proves where that is, or one that a
    CPU was left in. `text` is the dump's own: it says where the image is on machines whose notes do not name the page
    tables. Raises what `progress` raises. `within`: bytes of memory that are searched for a kernel, if neither a CPU
    nor the text says where it is.
    """
    cpus = cpus_of(guest.notes, guest.machine)
    found: list[KernelSymbols] = []
    budget = Budget(STEPS)
    with suppress(Spent):
        for place in islice(places(guest, cpus, starts(guest, text), budget, progress, within), _PLACES):
            kernel = kernel_at(guest, place, cpus, text, budget)
            if kernel is None or any(kernel.table.same_place(one.table) for one in found):
                continue
            found.append(kernel)
            if kernel.runs:
                break
        if found and found[-1].runs:
            running = found.pop()
            before = _of_text(guest, running, cpus, text, budget) or _of_other_cpu(guest, running, cpus, budget)
            others = [one for one in found if before is None or not one.table.same_place(before.table)]
            return (*_in_order(guest, running, before, text), *others)
    return tuple(found)


def proved_symbols(guest: Guest, text: Vmcoreinfo, progress: Progress) -> KernelSymbols | None:
    """Return the kernel that a text describes, where memory proves that it is; None if it has no tables there.

    Raises what `progress` raises.
    """
    kernel, start = proved_kernel(text, guest), symbol(text, START)
    if kernel is None:
        return None
    found = read_symbols(guest, text, progress, within=0)
    return next((one for one in found if (one.table.shift, one.table.address(START)) == (kernel.shift, start)), None)


def _in_order(
    guest: Guest, running: KernelSymbols, before: KernelSymbols | None, text: Vmcoreinfo | None
) -> tuple[KernelSymbols, ...]:
    """Return the kernel that runs and the one before it, that first if it crashed, unless the text is of the other one.

    The first CPU, whose kernel is taken for the one that runs, may be one that the crashed kernel stopped.
    """
    if before is None:
        return (running,)
    start = None if text is None else symbol(text, START)
    for saves, other in ((running, before), (before, running)):
        if saves.runs and runs_after_crash(guest, saves.table, saves.order):
            if start == saves.table.address(START):
                return saves._replace(runs=SAVES), other
            return other._replace(runs=CRASHED), saves
    return running, before


def _of_text(
    guest: Guest, running: KernelSymbols, cpus: tuple[Cpu, ...], text: Vmcoreinfo | None, budget: Budget
) -> KernelSymbols | None:
    """Return the kernel that a text describes, if that is not the one that runs, and memory proves where it is."""
    start = None if text is None else symbol(text, START)
    if start is None or start == running.table.address(START):
        return None
    for place in places(guest, (), starts(guest, text), budget, no_progress, within=0):
        kernel = kernel_at(guest, place, cpus, text, budget)
        if kernel is not None and kernel.table.address(START) == start:
            return kernel
    return None


def _of_other_cpu(guest: Guest, running: KernelSymbols, cpus: tuple[Cpu, ...], budget: Budget) -> KernelSymbols | None:
    """Return the kernel in which a CPU was left: the one that runs was started by a kexec or a crash, on fewer CPUs."""
    left = (cpu for cpu in cpus[:MAPPED] if not runs_kernel(guest, cpu, running.table))
    for place in places(guest, left, (), budget, no_progress, within=0):
        kernel = kernel_at(guest, place, cpus, None, budget)
        if kernel is not None and kernel.runs and not kernel.table.same_place(running.table):
            return kernel
    return None


def kernel_at(
    guest: Guest, place: Place, cpus: tuple[Cpu, ...], text: Vmcoreinfo | None, budget: Budget
) -> KernelSymbols | None:
    """Return the kernel whose read-only data begins at a place; None if it has no symbols there. Raises Spent."""
    raw = raw_tables(guest, place, budget)
    if raw is None:
        return None
    shift = place.shift if place.shift is not None else _shift(guest, place, raw, cpus, text, budget)
    values = raw.addresses.values
    if raw.addresses.form == "self-relative":
        if shift is None:
            return None
        values = tuple(map((place.paddr + shift).__add__, values))
    table = SymbolTable(raw.names.compressed, values, raw.addresses.form, shift)
    if table.address(START) is None:
        return None
    tables = {} if shift is None else {name: at + place.paddr + shift for name, at in raw.parts()}
    return KernelSymbols(
        table, place.banner, place.paddr, raw.names.wide, raw.order, raw.bits, tables, _runs(table, cpus)
    )


def _shift(
    guest: Guest, place: Place, raw: RawTables, cpus: tuple[Cpu, ...], text: Vmcoreinfo | None, budget: Budget
) -> int | None:
    """Return virtual less physical addresses of the image; None if nothing says where it is.

    By the page tables of a CPU, by the kernel's own variables or page tables, or by the dump's text if it is of this
    kernel: since 6.0 it says where the table is. Raises Spent.
    """
    start, by_itself = raw.value_of(START), raw.addresses.form == "self-relative"
    if start is None:
        return None
    low, high = (value + place.paddr for value in (start, raw.addresses.values[-1]))
    for cpu in cpus[:MAPPED]:
        known = cpu.role("pc") or 0 if by_itself else start
        at = paddr_by_cpu(guest, cpu, known)
        if at is not None and (not by_itself or low <= at < high):
            return known - at
    own = own_shift(guest, place, raw.value_of, by_itself, raw.order, guest.machine)
    if own is None and not by_itself and (end := raw.value_of(_END)) is not None:
        if guest.machine == "aarch64":
            own = shift_by_tables(guest, place, start, end - 1, raw.order, budget)
        else:
            own = shift_after_code(guest, place, start, end, raw.order, budget)
    if own is not None or text is None:
        return own
    said, tokens = symbol(text, START), symbol(text, _TOKENS)
    if tokens is None:
        shifts = [kernel.shift for kernel, proved in places_of(text, guest) if proved]
    else:
        shifts = [tokens - place.paddr - raw.tokens.start]
    return next((shift for shift in shifts if said == start + (place.paddr + shift if by_itself else 0)), None)


def _runs(table: SymbolTable, cpus: tuple[Cpu, ...]) -> str:
    """Return a clause if a CPU was in this kernel's code; else an empty text."""
    inside = next((cpu.number for cpu in cpus if table.has_code(cpu.role("pc") or 0)), None)
    return "" if inside is None else f"CPU {inside} was in its code"
