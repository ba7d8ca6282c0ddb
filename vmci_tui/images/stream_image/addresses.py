"""Find out where a guest has its RAM blocks: a stream lists them by size, and without addresses.

The rules are those of QEMU's machine types (hw/i386/pc.c, pc_piix.c, pc_q35.c, microvm.c, hw/arm/virt.c). On x86 the
firmware's own table says how much memory is below and above 4 GiB: the clock's CMOS memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Final, NamedTuple

from vmci_tui.common.errors import UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.images.qemu_stream.head import Block

CLOCK: Final = "mc146818rtc"
"""The section of the clock of x86 machines."""
CMOS: Final = 128
"""Bytes of its memory, the first of its state."""
_FOUR_GIB: Final = 1 << 32
_SPLITS: Final = (
    ("pc-q35", 0xB000_0000, 0x8000_0000),
    ("microvm", 0xC000_0000, 0xC000_0000),
    ("", 0xE000_0000, 0xC000_0000),
)
"""Where memory ends below 4 GiB: the machine type, and the size from which on it ends at the last number."""
_BASES: Final = (("virt-", 0x4000_0000), ("virt", 0x8000_0000), ("sbsa-ref", 0x100_0000_0000), ("", 0))
"""Where memory begins on the other machines: ARM virt, RISC-V virt, ARM sbsa-ref, and s390x, ppc64 and others."""
_X86: Final = ("pc-", "microvm", "isapc", "xenfv", "xenpv")
_USUAL: Final = (
    "pc.ram", "microvm.ram", "mach-virt.ram", "riscv_virt_board.ram", "s390.ram", "ppc_spapr.ram", "sbsa-ref.ram",
)  # fmt: skip
"""QEMU's names for all memory of a machine, where the user names no backend."""
_NOT_RAM: Final = (".rom", ".bios", ".vram", "flash0", "flash1", ".ram_mirror")
_OBJECTS: Final = "/objects/"
_BIOS: Final = "pc.bios"
_BIOS_MOST: Final = 16 << 20
"""Bytes of the largest firmware that QEMU takes (hw/i386/x86.c)."""
_LOW_BIOS: Final = 128 << 10
"""The most bytes of it below 1 MiB."""
_ONE_MIB: Final = 1 << 20
_ORDERS: Final = 120
"""The most orders that are tried: all of five blocks. Where there are more, no block gets an address."""
_CHOSEN: Final = 10
"""The most blocks of which a part is looked for that makes the whole memory; of more only all of them are."""


class Placed(NamedTuple):
    """A range of guest memory: `length` bytes from `offset` on of a block."""

    paddr: int
    length: int
    block: int
    """The number of the block in the stream's list."""
    offset: int


@dataclass(frozen=True)
class Layout:
    """Where the guest has its blocks, by one order of them."""

    placed: tuple[Placed, ...]
    unplaced: tuple[int, ...] = ()
    """Blocks of memory whose address the stream does not say."""
    doubts: tuple[str, ...] = ()


def layouts(machine: str, blocks: tuple[Block, ...], cmos: bytes, wanted: tuple[str, ...] = ()) -> tuple[Layout, ...]:
    """Return the possible layouts, the likeliest first; several only if blocks of unequal sizes can change places.

    `cmos` is empty if the stream lacks the clock. `wanted` are the names of blocks that the user puts in order.
    Raises UsageError if they are not blocks of memory.
    """
    ram = tuple(number for number, block in enumerate(blocks) if is_ram(block.name))
    x86 = machine.startswith(_X86) or (not machine and bool(cmos))
    sizes = _sizes(cmos) if x86 else None
    if wanted:
        chosen = [_named(blocks, ram, wanted)]
    else:
        chosen = list(islice(_choices(blocks, ram, sum(sizes) if sizes else None), _ORDERS + 1))
    if not chosen or len(chosen) > _ORDERS:
        chosen = [()]
    doubts: tuple[str, ...] = ()
    if x86 and sizes is None:
        total = sum(blocks[number].length for number in ram)
        sizes = _usual_split(machine, total)
        if ram:
            doubts = (f"the stream has no clock, which says where memory ends below 4 GiB: {sizes[0]:#x} is assumed",)
    below = sizes[0] if sizes else None
    base = 0 if x86 else next(start for prefix, start in _BASES if machine.startswith(prefix))
    bios = _bios(blocks, machine) if x86 else ()
    return tuple(
        Layout((*_lay(blocks, order, base, below, bios), *bios), tuple(sorted(set(ram).difference(order))), doubts)
        for order in chosen
    )


def is_ram(name: str) -> bool:
    """Return whether a block is memory of the guest: not a ROM, a flash, or the memory of a device."""
    own = name.removeprefix(_OBJECTS)
    return "/" not in own and not own.endswith(_NOT_RAM)


def _named(blocks: tuple[Block, ...], ram: tuple[int, ...], wanted: tuple[str, ...]) -> tuple[int, ...]:
    numbers = {blocks[number].name: number for number in ram}
    if len(set(wanted)) < len(wanted) or not numbers.keys() >= set(wanted):
        listed = ",".join(visible(name) for name in numbers)
        raise UsageError(
            f"--blocks names what is not a block of memory, or one twice: {','.join(map(visible, wanted))}",
            f"it has {listed}",
        )
    return tuple(numbers[name] for name in wanted)


def _choices(blocks: tuple[Block, ...], ram: tuple[int, ...], total: int | None) -> Iterator[tuple[int, ...]]:
    """Yield the blocks that are the guest's first memory, each choice in every order that differs."""
    usual = tuple(number for number in ram if blocks[number].name.removeprefix(_OBJECTS) in _USUAL)
    if usual and total in (None, blocks[usual[0]].length):
        yield usual[:1]
        return
    for count in range(len(ram), 0, -1) if len(ram) <= _CHOSEN else (len(ram),):
        for chosen in combinations(ram, count):
            if total is None or sum(blocks[number].length for number in chosen) == total:
                yield from _orders(blocks, chosen)
        if total is None:
            return


def _orders(blocks: tuple[Block, ...], chosen: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield the orders of blocks; those of equal sizes stay in the stream's order, which is theirs in memory."""
    of_sizes: dict[int, list[int]] = {}
    for number in chosen:
        of_sizes.setdefault(blocks[number].length, []).append(number)
    if len(of_sizes) < 2:
        yield chosen
        return
    for numbers in of_sizes.values():
        rest = tuple(number for number in chosen if number != numbers[0])
        yield from ((numbers[0], *order) for order in _orders(blocks, rest))


def _lay(
    blocks: tuple[Block, ...], order: tuple[int, ...], base: int, below: int | None, over: tuple[Placed, ...]
) -> Iterator[Placed]:
    """Yield the ranges of blocks from `base` on, one after the other; after `below` bytes they go on at 4 GiB.

    What is under the ranges `over` is left out.
    """
    laid = 0
    for number in order:
        offset, left = 0, blocks[number].length
        while left:
            low = below is None or laid < below
            take = left if below is None or not low else min(left, below - laid)
            paddr = base + laid if low or below is None else _FOUR_GIB + laid - below
            yield from _around(Placed(paddr, take, number, offset), over)
            laid, offset, left = laid + take, offset + take, left - take


def _around(row: Placed, over: tuple[Placed, ...]) -> Iterator[Placed]:
    """Yield the parts of a range that are not under any of `over`, which are in order."""
    for top in over:
        start, end = max(row.paddr, top.paddr), min(row.paddr + row.length, top.paddr + top.length)
        if start < end:
            if row.paddr < start:
                yield row._replace(length=start - row.paddr)
            inside = end - row.paddr
            row = Placed(end, row.length - inside, row.block, row.offset + inside)
    if row.length:
        yield row


def _bios(blocks: tuple[Block, ...], machine: str) -> tuple[Placed, ...]:
    """Return the ranges of the firmware, as QEMU's dump has them: it ends at 4 GiB.

    In a microvm its end is below 1 MiB too, and stays there; the firmware of a PC puts RAM in its place.
    """
    found = ((number, block.length) for number, block in enumerate(blocks) if block.name == _BIOS)
    number, length = next(found, (0, 0))
    if not 0 < length <= _BIOS_MOST:
        return ()
    low = min(length, _LOW_BIOS) if machine.startswith("microvm") else 0
    ranges = (Placed(_ONE_MIB - low, low, number, length - low), Placed(_FOUR_GIB - length, length, number, 0))
    return ranges if low else ranges[1:]


def _sizes(cmos: bytes) -> tuple[int, int] | None:
    """Return how much memory is below and above 4 GiB by the CMOS memory; None if it says nothing (hw/i386/pc.c)."""
    if len(cmos) < CMOS:
        return None
    below = int.from_bytes(cmos[0x34:0x36], "little") << 16
    above = int.from_bytes(cmos[0x5B:0x5E], "little") << 16
    if not below:
        kib = int.from_bytes(cmos[0x17:0x19], "little")
        return ((1 << 20) + (kib << 10), above) if kib else None
    return (16 << 20) + below, above


def _usual_split(machine: str, total: int) -> tuple[int, int]:
    """Return how much memory is below and above 4 GiB if the user changed nothing."""
    most, end = next((most, end) for prefix, most, end in _SPLITS if machine.startswith(prefix))
    below = end if total >= most else total
    return below, total - below
