"""Read the tables of kallsyms in the read-only data of a kernel, as they are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.common.budget import Budget
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.kernel.image.places import NEAR, Place, read_with_holes
from vmci_tui.kernel.symbols.addresses import Addresses, addresses_of
from vmci_tui.kernel.symbols.names import Names, names_before
from vmci_tui.kernel.symbols.tokens import INDEX_LENGTH, MOST, TokenTable, token_tables
from vmci_tui.machines.lookup import machine_facts

_READ: Final = tuple(mib << 20 for mib in (2, 4, 8, 16, 32))
"""Bytes of .rodata that are read, until they have the tables: of most kernels the first 2 to 6 MiB."""
_LOOKS: Final = 6
"""How often all that was read is gone through, about: to copy it, and to look for tables in each byte order."""
_PAGE: Final = 4096
_RELEASE: Final = re.compile(rb"Linux version \d[^ \0\n]{1,64} \(")
"""A banner up to the release, of a kernel's own words about its version."""
_ROOM: Final = 64
"""Bytes after the tokens for what is aligned, and the base of the offsets."""


class RawTables(NamedTuple):
    """What was read of a kernel's tables; offsets count from the start of its read-only data."""

    tokens: TokenTable
    names: Names
    addresses: Addresses
    order: ByteOrder
    bits: int

    def value_of(self, name: bytes) -> int | None:
        """Return the first value of a name."""
        number = next(self.names.compressed.numbers(name), None)
        return None if number is None else self.addresses.values[number]

    def parts(self) -> Iterator[tuple[bytes, int]]:
        """Yield where each part of the tables is, by Linux's name of it (kernel/kallsyms_internal.h)."""
        yield b"kallsyms_names", self.names.at
        yield b"kallsyms_num_syms", self.names.number_at
        yield b"kallsyms_markers", self.names.markers_at
        yield b"kallsyms_token_table", self.tokens.start
        yield b"kallsyms_token_index", self.tokens.index_at
        yield b"kallsyms_addresses" if self.addresses.form == "absolute" else b"kallsyms_offsets", self.addresses.at
        if self.addresses.base_at is not None:
            yield b"kallsyms_relative_base", self.addresses.base_at


def raw_tables(guest: Guest, place: Place, budget: Budget) -> RawTables | None:
    """Return the first tables in the read-only data that begins at a place.

    None if there are none, or if they are after the banner of another kernel. Raises Spent.
    """
    facts = machine_facts(guest.machine)
    orders: tuple[ByteOrder, ...] = tuple(sorted(facts.orders, key=lambda order: order != guest.order))
    widths = dict.fromkeys((facts.bits or 64, machine_facts(facts.other_width).bits or facts.bits or 64))
    data, searched = b"", 0
    for length in _READ:
        data = _longer(guest, place, data, length, budget)
        for order in orders:
            for tokens in token_tables(data, order, budget, max(0, searched - MOST)):
                for bits in widths:
                    names = names_before(data, tokens, order, bits // 8, budget)
                    if names is None:
                        continue
                    after = tokens.index_at + INDEX_LENGTH + len(names.compressed) * (bits // 8) + _ROOM
                    data = _longer(guest, place, data, after, budget)
                    addresses = addresses_of(data, tokens, names, order, bits // 8)
                    if addresses is not None:
                        of_another = _has_other_banner(data[: tokens.start], place.banner)
                        return None if of_another else RawTables(tokens, names, addresses, order, bits)
        if len(data) < length:
            return None  # memory ends here
        searched = length
    return None


def _has_other_banner(data: bytes, banner: bytes) -> bool:
    """Return whether read-only data of another kernel begins in the data: what follows is that one's.

    Memory may have some pages of a kernel's file before the image of the kernel that runs.
    """
    release = _RELEASE.match(banner)
    return release is not None and any(
        found[0] != release[0] for found in _RELEASE.finditer(data) if found.start() % _PAGE < NEAR
    )


def _longer(guest: Guest, place: Place, data: bytes, length: int, budget: Budget) -> bytes:
    """Return the read-only data up to `length` bytes, of which `data` are known already."""
    more = read_with_holes(guest, place.paddr + len(data), length - len(data)) if length > len(data) else b""
    budget.spend(len(more) * _LOOKS)
    return data + more
