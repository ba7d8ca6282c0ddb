"""Read the symbols of the kernel that a dump's CPUs run, from memory alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Final

from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import Spent
from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.common.records import NamedTuple
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.cpus.cpu import Cpu, cpus_of
from vmci_tui.kernel.cpus.cpu_memory import MAPPED, paddr_by_cpu
from vmci_tui.kernel.image.known_place import START, starts
from vmci_tui.kernel.image.places import SEARCHED, Place, places, read_with_holes
from vmci_tui.kernel.symbols.addresses import Addresses, addresses_of
from vmci_tui.kernel.symbols.names import Names, names_before
from vmci_tui.kernel.symbols.own_place import own_shift
from vmci_tui.kernel.symbols.table import SymbolTable
from vmci_tui.kernel.symbols.tokens import TokenTable, token_tables
from vmci_tui.kernel.virtual_memory import places_of
from vmci_tui.machines.lookup import machine_facts
from vmci_tui.proof.text_values import symbol

_READ: Final = (8 << 20, 32 << 20)
"""Bytes of .rodata that are read: nearly always the first few MiB have the whole table."""
_PLACES: Final = 64
"""Places that are looked at; each page of a hostile dump may have a banner."""
_STEPS: Final = 1 << 16
"""Steps for all places together; a kernel with 100,000 symbols takes some thousand."""
_LOOKS: Final = 6
"""How often all that was read is gone through, about: to copy it, and to look for tables in each byte order."""
_TOKENS: Final = b"kallsyms_token_table"


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
    """A clause that says why this is the kernel that runs; empty if nothing shows it."""


def read_symbols(
    guest: Guest, text: Vmcoreinfo | None = None, progress: Progress = no_progress, within: int = SEARCHED
) -> tuple[KernelSymbols, ...]:
    """Return the kernels whose symbols are in memory, the one that runs first; of the others those found before it.

    `text` is the dump's own: it says where the image is on machines whose notes do not name the page tables. Raises
    what `progress` raises. `within`: bytes of memory that are searched for a kernel, if neither a CPU nor the text
    says where it is.
    """
    cpus = cpus_of(guest.notes, guest.machine)
    found: list[KernelSymbols] = []
    budget = Budget(_STEPS)
    with suppress(Spent):
        for place in islice(places(guest, cpus, starts(guest, text), budget, progress, within), _PLACES):
            kernel = _kernel(guest, place, cpus, text, budget)
            if kernel is not None and kernel.runs:
                return (kernel, *found)
            found += [] if kernel is None else [kernel]
    return tuple(found)


class _Raw(NamedTuple):
    """What was read of a table."""

    tokens: TokenTable
    names: Names
    addresses: Addresses
    order: ByteOrder
    bits: int


def _kernel(
    guest: Guest, place: Place, cpus: tuple[Cpu, ...], text: Vmcoreinfo | None, budget: Budget
) -> KernelSymbols | None:
    raw = next(_tables(guest, place, budget), None)
    if raw is None:
        return None
    shift = place.shift if place.shift is not None else _shift(guest, place, raw, cpus, text)
    values = raw.addresses.values
    if raw.addresses.form == "self-relative":
        if shift is None:
            return None
        values = tuple(value + place.paddr + shift for value in values)
    table = SymbolTable(raw.names.texts, values, raw.addresses.form, shift)
    if table.address(START) is None:
        return None
    tables = {} if shift is None else {name: at + place.paddr + shift for name, at in _parts(raw)}
    return KernelSymbols(
        table, place.banner, place.paddr, raw.names.wide, raw.order, raw.bits, tables, _runs(table, cpus)
    )


def _parts(raw: _Raw) -> Iterator[tuple[bytes, int]]:
    """Yield where each part of the tables is in the data (kernel/kallsyms_internal.h)."""
    yield b"kallsyms_names", raw.names.at
    yield b"kallsyms_num_syms", raw.names.number_at
    yield _TOKENS, raw.tokens.start
    yield b"kallsyms_token_index", raw.tokens.index_at
    yield b"kallsyms_addresses" if raw.addresses.form == "absolute" else b"kallsyms_offsets", raw.addresses.at
    if raw.addresses.base_at is not None:
        yield b"kallsyms_relative_base", raw.addresses.base_at


def _tables(guest: Guest, place: Place, budget: Budget) -> Iterator[_Raw]:
    """Yield the tables in the read-only data that begins at a place."""
    facts = machine_facts(guest.machine)
    orders: tuple[ByteOrder, ...] = tuple(sorted(facts.orders, key=lambda order: order != guest.order))
    widths = dict.fromkeys((facts.bits or 64, machine_facts(facts.other_width).bits or facts.bits or 64))
    for length in _READ:
        data = read_with_holes(guest, place.paddr, length)
        budget.spend(len(data) * _LOOKS)
        for order in orders:
            for tokens in token_tables(data, order, budget):
                for bits in widths:
                    names = names_before(data, tokens, order, bits // 8, budget)
                    addresses = names and addresses_of(data, tokens, names, order, bits // 8)
                    if names and addresses:
                        yield _Raw(tokens, names, addresses, order, bits)
        if len(data) < length:
            return  # memory ends here


def _shift(guest: Guest, place: Place, raw: _Raw, cpus: tuple[Cpu, ...], text: Vmcoreinfo | None) -> int | None:
    """Return virtual less physical addresses of the image; None if nothing says where it is.

    By the page tables of a CPU, by the kernel's own variables, or by the dump's text if it is of this kernel: since 6.0
    it says where the table is.
    """
    start, by_itself = _value_of(raw, START), raw.addresses.form == "self-relative"
    if start is None:
        return None
    low, high = (value + place.paddr for value in (start, raw.addresses.values[-1]))
    for cpu in cpus[:MAPPED]:
        known = cpu.role("pc") or 0 if by_itself else start
        at = paddr_by_cpu(guest, cpu, known)
        if at is not None and (not by_itself or low <= at < high):
            return known - at
    own = own_shift(guest, place, partial(_value_of, raw), by_itself, raw.order, guest.machine)
    if own is not None or text is None:
        return own
    said, tokens = symbol(text, START), symbol(text, _TOKENS)
    if tokens is None:
        shifts = [kernel.shift for kernel, proved in places_of(text, guest) if proved]
    else:
        shifts = [tokens - place.paddr - raw.tokens.start]
    return next((shift for shift in shifts if said == start + (place.paddr + shift if by_itself else 0)), None)


def _value_of(raw: _Raw, name: bytes) -> int | None:
    number = next((number for number, each in enumerate(raw.names.texts) if each[1:] == name), None)
    return None if number is None else raw.addresses.values[number]


def _runs(table: SymbolTable, cpus: tuple[Cpu, ...]) -> str:
    """Return a clause if a CPU was in this kernel's code; else an empty text."""
    inside = next((cpu.number for cpu in cpus if table.has_code(cpu.role("pc") or 0)), None)
    return "" if inside is None else f"CPU {inside} was in its code"
