"""How libkdumpfile's addrxlat walks page tables (step.c and the files of the machines).

It reads the entries of most machines as the proof does; what it checks besides is here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.proof.paging.s390x_ppc64_riscv import riscv64_tables, s390x_tables
from vmci_tui.proof.paging.walk import Level, Paging, PteStep
from vmci_tui.readers.libkdumpfile.memory import DumpMemory, Missing, Space, Untranslated

_TOP: Final = 1 << 64
_SPACES: Final = {"virtual": "KVADDR", "physical": "MACHPHYSADDR"}
Check = Literal["any", "unsigned", "signed"]
"""What the address bits above the tables must be: the sign's, or 0."""


@dataclass(frozen=True)
class Tables:
    """The page tables of a kernel."""

    paging: Paging
    root: int | None
    space: Space = "virtual"
    check: Check = "any"
    mask: int = 0
    """Bits of an entry that do not belong to the address."""
    lowest: int = 0
    """Lower addresses are not the kernel's."""

    def walk(self, memory: DumpMemory, order: ByteOrder, address: int) -> int:
        """Return the physical address. Raises Missing, Untranslated, Stopped, Killed."""
        if self.root is None or address < self.lowest:
            raise Missing("Page table address not specified")
        self._check(address)
        base, space, size = self.root, self.space, self.paging.size
        for level in self.paging.levels:
            at = (base + (address >> level.shift & (1 << level.width) - 1) * size) % _TOP
            try:
                entry = int.from_bytes(memory.word(space, at, size), order)
            except Missing as failed:
                raise Missing(f"Cannot read {8 * size}-bit PTE at {_SPACES[space]}:{at:#x}: {failed}") from None
            step = self.paging.read(entry & ~self.mask, level)
            if step is None:
                break
            base, space = step.paddr, "physical"
            if step.shift is not None:
                inside = (1 << step.shift) - 1
                return base & ~inside | address & inside
        raise Untranslated

    def _check(self, address: int) -> None:
        top = self.paging.levels[0]
        bits = top.shift + top.width
        negative = self.check == "signed" and address >> (bits - 1) & 1
        if self.check != "any" and address >> bits != ((1 << (64 - bits)) - 1 if negative else 0):
            raise Untranslated("Virtual address too big")


def _strict(read: Callable[[int, Level], PteStep | None]) -> Callable[[int, Level], PteStep | None]:
    """Return a decoder that rejects entries that are present, but map nothing. Raises Untranslated."""

    def strict(entry: int, level: Level) -> PteStep | None:
        step = read(entry, level)
        if step is None and entry & 1:
            raise Untranslated("Invalid entry")
        return step

    return strict


def aarch64(fields: tuple[int, ...]) -> Paging:
    """Return tables for address bits by level, the page's first; with more than 48 bits with LPA or LPA2."""
    page, bits = fields[0], sum(fields)
    address, high, at_bit, to_bit, biggest = 48, 0, 0, 0, 30
    if bits > 48:
        address, high, at_bit, to_bit, biggest = (47, 15, 12, 48, 42) if page == 16 else (49, 3, 8, 50, 39)

    def read(entry: int, level: Level) -> PteStep | None:
        at = entry & (1 << address) - 1 | (entry >> at_bit & high) << to_bit
        if entry & 3 == 1:
            return PteStep(at, level.shift) if page < level.shift <= biggest else None
        if level.shift == page:
            return PteStep(at, page) if entry & 1 else None
        return PteStep(at & ~((1 << page) - 1)) if entry & 1 else None

    levels = tuple(Level(sum(fields[:index]), fields[index]) for index in range(len(fields) - 1, 0, -1))
    return Paging(levels, 8, "little", _strict(read))


def riscv64(bits: int) -> Paging:
    """Return the tables of Sv39, Sv48 or Sv57. Raises KeyError."""
    paging = riscv64_tables(bits)
    return paging._replace(read=_strict(paging.read))


def s390x(kind: int) -> Paging:
    """Return the tables below one whose entries are of this kind."""
    paging = s390x_tables(kind)

    def read(entry: int, level: Level) -> PteStep | None:
        if level.shift > 12 and not entry & 0x20 and entry >> 2 & 3 != (level.shift - 20) // 11:
            raise Untranslated("Table type field")
        step = paging.read(entry, level)
        # It should compare the next level's index with the table's bounds, but shifts it by -1, which leaves 0.
        beyond = level.shift > 20 and step is not None and step.shift is None and entry & 0xC0
        return None if beyond else step

    return paging._replace(read=read)
