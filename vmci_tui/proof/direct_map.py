"""The addresses at which a proved kernel maps memory, as p_vaddr of program headers should have them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vmci_tui.containers.base import VirtualRange
from vmci_tui.proof.kernel_addresses import PlacedKernel
from vmci_tui.proof.paging.walk import Paging, WalkEnd
from vmci_tui.proof.text_values import symbol

_RANGES: Final = 64
_STEPS: Final = 8192
"""The most page table entries that are read: 4 GiB by 1 MiB, and half of that again."""
_KNOWN: Final = (b"init_uts_ns", b"swapper_pg_dir", b"_stext")
_TOP32: Final = 1 << 32


def linear_map(kernel: PlacedKernel) -> tuple[VirtualRange, ...]:
    """Return the ranges of memory that the kernel maps one to one; on 32-bit guests the rest has no address.

    Empty for machines that map the image and the rest of memory by different rules: their readers need no
    p_vaddr.
    """
    width = kernel.machine.facts.linear_bits
    if width is not None:
        return (VirtualRange(0, 1 << width, kernel.shift),)
    if kernel.machine.bits != 32:
        return ()
    out: list[VirtualRange] = []
    for start, end, shift in _low_memory(kernel):
        if out and out[-1].end == start and out[-1].shift == shift:
            start = out.pop().start
        out.append(VirtualRange(start, end, shift))
    return tuple(out) if any(item.shift is not None for item in out) else ()


def _low_memory(kernel: PlacedKernel) -> Iterator[tuple[int, int, int | None]]:
    """Yield start, end and shift of each piece of memory, by the page tables; shift is None if they do not say."""
    steps = 0
    for paging in kernel.pagings[:1]:
        size = 1 << paging.levels[-2].shift
        for item in kernel.guest.memory.ranges[:_RANGES]:
            at = item.paddr
            while at < item.end:
                end, steps = min((at & -size) + size, item.end), steps + 1
                if at + kernel.shift >= _TOP32 or steps > _STEPS:
                    yield at, item.end, None
                    break
                yield at, end, kernel.shift if maps_to(kernel, paging, at + kernel.shift, at) else None
                at = end


def maps_to(kernel: PlacedKernel, paging: Paging, va: int, paddr: int) -> bool:
    """Return whether the tables map an address to this byte."""
    found = kernel.walk(paging, va)
    return found is not None and found.state == "mapped" and found.paddr == paddr


def mapped_elsewhere(kernel: PlacedKernel, va: int, size: int, paddr: int) -> WalkEnd | None:
    """Return where the kernel has `size` bytes at `va` that a header puts at `paddr`; None if nothing contradicts it.

    The kernel's own symbols are where the proof found them; for anything else its tables give the place of the
    first byte.
    """
    for name in _KNOWN:
        known = symbol(kernel.text, name)
        if known is not None and va <= known < va + size and paddr + known - va != kernel.paddr(known):
            return WalkEnd("mapped", kernel.paddr(known) - known + va)
    for paging in kernel.pagings:
        found = kernel.walk(paging, va)
        if found is not None and found.state == "mapped" and paging.sure:
            return None if found.paddr == paddr else found
    return None


def virtual_of(kernel: PlacedKernel, paddr: int) -> int | None:
    """Return the shift of a byte's address, if the tables map it with the kernel's image; else None."""
    if any(maps_to(kernel, paging, paddr + kernel.shift, paddr) for paging in kernel.pagings):
        return kernel.shift
    return None
