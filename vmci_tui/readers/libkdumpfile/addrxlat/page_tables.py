"""How libkdumpfile's addrxlat walks page tables (step.c and the files of the machines)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.readers.libkdumpfile.memory import DumpMemory, Missing, Space, Untranslated

_TOP: Final = 1 << 64
_SPACES: Final = {"virtual": "KVADDR", "physical": "MACHPHYSADDR"}
Check = Literal["any", "unsigned", "signed"]


class NotPresent(Untranslated):
    """A page table has no entry for the address."""


class TableEntry(NamedTuple):
    """The target of a page table's entry: the next table or page; `huge`: a whole range."""

    address: int
    huge: bool = False
    space: Space = "physical"


class TableStep(NamedTuple):
    """A step of a walk: the entry's value, the levels that remain below it, the indices of all levels."""

    entry: int
    remain: int
    indices: list[int]
    fields: tuple[int, ...]

    def below(self, level: int) -> int:
        """Return a mask of the address bits below a level."""
        return (1 << sum(self.fields[:level])) - 1


@dataclass(frozen=True)
class Tables:
    """The page tables of a machine in its paging form."""

    fields: tuple[int, ...]
    """Address bits by level, the page's first."""
    decode: Callable[[TableStep], TableEntry]
    """Raises NotPresent and Untranslated."""
    root: int | None
    space: Space = "virtual"
    check: Check = "any"
    width: int = 8
    """Bytes of an entry."""
    mask: int = 0
    """Bits of an entry that do not belong to the address."""
    lowest: int = 0
    """Lower addresses are not the kernel's."""

    def walk(self, memory: DumpMemory, order: ByteOrder, address: int) -> int:
        """Return the physical address. Raises Missing, Untranslated, Stopped, Killed."""
        index, rest = self._split(address)
        if self.root is None or address < self.lowest:
            raise Missing("Page table address not specified")
        self._check(index, rest)
        base, space = self.root, self.space
        remain = len(self.fields)
        while remain > 1:
            remain -= 1
            at = (base + index[remain] * self.width) % _TOP
            try:
                entry = int.from_bytes(memory.word(space, at, self.width), order)
            except Missing as failed:
                words = f"Cannot read {8 * self.width}-bit PTE at {_SPACES[space]}:{at:#x}: {failed}"
                raise Missing(words) from None
            found = self.decode(TableStep(entry & ~self.mask, remain, index, self.fields))
            base, space = found.address, found.space
            if found.huge:
                return (base + (address & ((1 << sum(self.fields[:remain])) - 1))) % _TOP
        return (base + index[0]) % _TOP

    def _split(self, address: int) -> tuple[list[int], int]:
        index = []
        for bits in self.fields:
            index.append(address & ((1 << bits) - 1))
            address >>= bits
        return index, address

    def _check(self, index: list[int], rest: int) -> None:
        want = 0
        if self.check == "signed" and index[-1] >> (self.fields[-1] - 1):
            want = (1 << (64 - sum(self.fields))) - 1
        if self.check != "any" and rest != want:
            raise Untranslated("Virtual address too big")


def x86_64(step: TableStep) -> TableEntry:
    if not step.entry & 1:
        raise NotPresent
    at = step.entry & ((1 << 52) - 1)
    if step.remain in (2, 3) and step.entry & 0x80:
        return TableEntry(at & ~step.below(step.remain), huge=True)
    return TableEntry(at & ~0xFFF)


def aarch64(step: TableStep) -> TableEntry:
    """Decode an entry; with more than 48 bits of virtual address with LPA (64 KiB pages) or LPA2."""
    bits, entry = sum(step.fields), step.entry
    if not entry & 1:
        raise NotPresent
    at, biggest = entry & ((1 << 48) - 1), 30
    if bits > 48 and step.fields[0] == 16:
        at, biggest = entry & ((1 << 47) - 1) | (entry >> 12 & 15) << 48, 42
    elif bits > 48:
        at, biggest = entry & ((1 << 49) - 1) | (entry >> 8 & 3) << 50, 39
    if entry & 3 == 1:
        below = step.below(step.remain)
        if step.remain == 1 or below >= 1 << biggest:
            raise Untranslated("Invalid entry")
        return TableEntry(at & ~below, huge=True)
    return TableEntry(at & ~step.below(1))


def riscv64(step: TableStep) -> TableEntry:
    if not step.entry & 1:
        raise NotPresent
    at, leaf = (step.entry >> 10 & ((1 << 44) - 1)) << 12, step.entry >> 1 & 7
    if step.remain > 1 and leaf:
        return TableEntry(at & ~step.below(step.remain), huge=True)
    if step.remain == 1 and not leaf:
        raise Untranslated("Invalid entry")
    return TableEntry(at & ~0xFFF)


def ia32(step: TableStep) -> TableEntry:
    if not step.entry & 1:
        raise NotPresent
    if step.remain == 2 and step.entry & 0x80:
        return TableEntry(step.entry & ~0x3FFFFF | (step.entry >> 13 & 0xFF) << 32, huge=True)
    return TableEntry(step.entry & ~0xFFF)


def ia32_pae(step: TableStep) -> TableEntry:
    if not step.entry & 1:
        raise NotPresent
    at = step.entry & ((1 << 52) - 1)
    if step.remain == 2 and step.entry & 0x80:
        return TableEntry(at & ~0x1FFFFF, huge=True)
    return TableEntry(at & ~0xFFF)


def arm(step: TableStep) -> TableEntry:
    kind, entry = step.entry & 3, step.entry
    if not kind:
        raise NotPresent
    if step.remain > 1 and kind != 1:
        if entry >> 18 & 1:
            high = (entry >> 20 & 15) << 32 | (entry >> 5 & 15) << 36
            return TableEntry(entry & ~0xFFFFFF | high | (step.indices[2] & 15) << 20, huge=True)
        return TableEntry(entry & ~0xFFFFF, huge=True)
    if step.remain > 1:
        return TableEntry(entry & ~0x3FF)
    if kind == 1:
        return TableEntry((entry & ~0xFFFF) + ((step.indices[1] & 15) << 12))
    return TableEntry(entry & ~0xFFF)


def s390x(step: TableStep) -> TableEntry:
    entry = step.entry
    if entry >> (5 if step.remain > 1 else 10) & 1:
        raise NotPresent
    if step.remain >= 2 and entry >> 2 & 3 != step.remain - 2:
        raise Untranslated("Table type field")
    if step.remain in (2, 3) and entry >> 10 & 1:
        return TableEntry(entry & ~((1 << (31 if step.remain == 3 else 20)) - 1), huge=True)
    # It should compare the next level's index with the table's bounds, but shifts it by -1, which leaves 0.
    if step.remain >= 3 and entry >> 6 & 3:
        raise NotPresent
    return TableEntry(entry & ~(0x7FF if step.remain == 2 else 0xFFF))
