"""Say where the image of a kernel is by its own variables, where neither a CPU nor a text does.

Only tables with symbols of variables (CONFIG_KALLSYMS_ALL) name them. Where addresses are whole, that of `linux_banner`
is known. Where they count from the table itself (64-bit kernels since 7.0), a variable holds the distance:
`kimage_voffset` of arm64 (arch/arm64/mm/mmu.c), `kernel_map` of riscv64 (arch/riscv/mm/init.c). On ppc64 it is fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from vmci_tui.containers.guest import Guest
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.kernel.image.places import BANNER, Place, read_with_holes

PPC64_MAP: Final = 0xC000000000000000
"""PAGE_OFFSET, where the image is too (arch/powerpc/include/asm/page.h)."""
_RISCV64_MAP: Final = 0xFFFFFFFF80000000
"""KERNEL_LINK_ADDR; a kernel that is moved is above it."""
_KERNEL_MAP: Final = 64
"""Bytes of struct kernel_mapping in which the virtual and the physical address of the image are."""
_PAGE: Final = 4096
_IMAGE: Final = 32 << 20
"""Bytes of read-only data in which the banner is looked for."""
_CHUNK: Final = 1 << 20
_WORDS: Final = 3
"""Words of a banner up to its release: `Linux version 6.12.118`."""

ValueOf = Callable[[bytes], int | None]


def own_shift(
    guest: Guest, place: Place, value_of: ValueOf, by_itself: bool, order: ByteOrder, machine: str | None
) -> int | None:
    """Return virtual less physical addresses of the image; None if no variable says it.

    `value_of`: the first value of a name; `by_itself`: whether values count from the place, not from address 0.
    """
    banner = value_of(b"linux_banner")
    if banner is None:
        return None
    if not by_itself:
        found = list(_same_banners(guest, place, banner % _PAGE))
        return banner - found[0] if len(found) == 1 else None
    if guest.read(place.paddr + banner, len(BANNER)) != BANNER:
        return None
    if machine == "ppc64":
        return PPC64_MAP
    name, length = {"aarch64": (b"kimage_voffset", 8), "riscv64": (b"kernel_map", _KERNEL_MAP)}.get(
        machine or "", (b"", 0)
    )
    at = value_of(name)
    raw = guest.read(place.paddr + at, length) if at is not None and length else None
    if raw is None:
        return None
    words = [int.from_bytes(raw[at : at + 8], order) for at in range(0, length, 8)]
    return words[0] or None if machine == "aarch64" else _by_kernel_map(words, place, value_of)


def _same_banners(guest: Guest, place: Place, inside: int) -> Iterator[int]:
    """Yield where a banner of the same release is after the place's, at this offset of a page.

    The read-only data of kernels since 6.2 begins with another one, whose version has no number and no time.
    """
    release = b" ".join(place.banner.split(b" ")[:_WORDS])
    for at in range(place.paddr, place.paddr + _IMAGE, _CHUNK):
        data = read_with_holes(guest, at, _CHUNK + len(release))
        found = data.find(release)
        while 0 <= found < _CHUNK:
            if (at + found) % _PAGE == inside:
                yield at + found
            found = data.find(release, found + 1)


def _by_kernel_map(words: list[int], place: Place, value_of: ValueOf) -> int | None:
    """Return the distance by the words of kernel_map, of which one is the physical address of `_start`."""
    start = value_of(b"_start")
    paddr = None if start is None else place.paddr + start
    virtual = [word for word in words if word >= _RISCV64_MAP and word % _PAGE == 0]
    return virtual[0] - paddr if paddr in words and virtual and paddr is not None else None
