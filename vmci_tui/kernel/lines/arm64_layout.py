"""The parts of the virtual memory of arm64 kernels, which follow from the widths of their addresses.

Source: arch/arm64/include/asm/memory.h and pgtable.h, arch/arm64/Kconfig (PGTABLE_LEVELS) of Linux 6.1, 6.12 and 7.2.
The formulas changed in 6.5 and 6.9, so they are used for the versions and widths whose notes were compared with them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from vmci_tui.kernel.facts.by_types import offset_of, size_of
from vmci_tui.kernel.facts.rules import number, page_size
from vmci_tui.kernel.facts.running_kernel import Fact, Finding, NotKnown, RunningKernel
from vmci_tui.proof.paging.arm import arm64_tables

_MIB: Final = 1 << 20
_GIB: Final = 1 << 30
_TOP: Final = 1 << 64
_SMALLEST, _MIDDLE, _LARGEST = 4 << 10, 16 << 10, 64 << 10
"""Sizes of pages, in bytes."""
_WIDTHS: Final = {
    _SMALLEST: ((39, 39), (48, 48), (52, 48), (52, 52)),
    _MIDDLE: ((36, 36), (47, 47), (48, 48), (52, 47), (52, 52)),
    _LARGEST: ((42, 42), (48, 48), (52, 48), (52, 52)),
}
"""What a kernel with such pages can be built for, and what it then uses: less if the processor has less."""
_COMPARED: Final = {
    (_SMALLEST, 48): (((6, 1), (6, 1)), ((6, 12), (7, 2))),
    (_SMALLEST, 52): (((6, 12), (7, 2)),),
    (_MIDDLE, 52): (((6, 12), (7, 2)),),
}
"""First and last versions of Linux whose notes were compared, by size of pages and VA_BITS."""
_FOLDED: Final = (b"pmd_t.pmd", b"pud_t.pud", b"p4d_t.p4d")
"""Members that the entry of a level has where page tables have that level."""


class Widths(NamedTuple):
    """How wide the addresses of a kernel are, in bits."""

    built: int
    """VA_BITS."""
    used: int | None
    """vabits_actual; None if memory does not show which of two it is."""
    by: str


def widths_of(kernel: RunningKernel) -> Widths | NotKnown:
    """Return how wide the kernel's addresses are, by the levels of page tables in its types, and by its tables."""
    page = number(page_size(kernel))
    levels = _levels(kernel)
    if page not in _WIDTHS or levels is None:
        return NotKnown("the kernel's types do not show the size of pages and the levels of page tables")
    shift = page.bit_length() - 1
    left = [pair for pair in _WIDTHS[page] if -(-(pair[0] - shift) // (shift - 3)) == levels]
    mapped = {pair: _maps(kernel, page, *pair) for pair in left}
    left = [pair for pair in left if mapped[pair] is not False]
    if len({built for built, _ in left}) != 1:
        return NotKnown("the kernel's types and page tables fit several widths of addresses, or none")
    by = f"the kernel's types: page tables of {levels} levels"
    if all(mapped[pair] for pair in left):
        by += ", which map mem_section"
    return Widths(left[0][0], left[0][1] if len(left) == 1 else None, by)


def _levels(kernel: RunningKernel) -> int | None:
    """Return the levels of page tables that the kernel is built for; None without types, or without their names."""
    found = [offset_of(kernel, path) for path in _FOLDED]
    if not isinstance(size_of(kernel, b"p4d_t"), Fact) or any(not _certain(one) for one in found):
        return None
    return 2 + sum(isinstance(one, Fact) for one in found)


def _certain(found: Finding) -> bool:
    """Return whether the types have a member, or are known not to have it."""
    return isinstance(found, Fact) or found.absent


def _maps(kernel: RunningKernel, page: int, built: int, used: int) -> bool | None:
    """Return whether tables of these widths map mem_section to where the linear map has it; None if that is not seen.

    `__phys_to_virt` (memory.h): the linear map begins at -(1 << VA_BITS), which is the physical address memstart_addr.
    """
    roots, start = kernel.symbols(b"swapper_pg_dir"), kernel.variable(b"memstart_addr", 8)
    pointer = kernel.variable(b"mem_section", 8)
    root = kernel.physical(roots[0]) if len(roots) == 1 else None
    tables = arm64_tables(page, built if page == _LARGEST else used, used, kernel.order)
    if root is None or start is None or not pointer or tables is None:
        return None
    found = kernel.walk(tables, root, pointer)
    if found.state == "absent":
        return None
    return found.state == "mapped" and found.paddr == (pointer + (1 << built) + start) % _TOP


class Layout(NamedTuple):
    """Where the parts are."""

    modules: int
    modules_end: int
    vmemmap: int
    vmemmap_end: int
    vmalloc_end: int | None
    """None if it follows from a width that is not known."""


def layout_of(kernel: RunningKernel) -> Layout | NotKnown:
    """Return where the parts are, or why that is not known."""
    widths, page = widths_of(kernel), number(page_size(kernel))
    struct = number(size_of(kernel, b"page"))
    if isinstance(widths, NotKnown):
        return widths
    if page is None or not struct or struct > page or kernel.version is None:
        return NotKnown("it follows from the size of a struct page, which the kernel's types do not show")
    compared = _COMPARED.get((page, widths.built), ())
    if not any(first <= kernel.version <= last for first, last in compared):
        return NotKnown(
            f"where the parts of memory are was not compared for Linux {kernel.version[0]}.{kernel.version[1]} "
            f"with {widths.built} bits and pages of {page >> 10} KiB"
        )
    return layout(kernel.version, page, struct, widths.built, widths.used)


def layout(version: tuple[int, int], page: int, struct: int, built: int, used: int | None) -> Layout:
    """Return where the parts are; `struct`: the size of a struct page, `built` and `used` as in Widths."""
    shift = page.bit_length() - 1
    least = built if built <= 48 else 47 if page == _MIDDLE else 48
    modules = _TOP - (1 << least - 1)
    linear = (1 << built) - (1 << least - 1)
    if version < (6, 9):
        step = shift - (struct - 1).bit_length()
        vmemmap = _TOP - (1 << built - step)
        return Layout(modules, modules + 128 * _MIB, vmemmap, vmemmap + (linear >> step), vmemmap - 256 * _MIB)
    end = _TOP - _GIB
    vmemmap = end - (linear >> shift) * struct
    unused = None if used is None else ((1 << built) - (1 << used) >> shift) * struct
    vmalloc_end = None if unused is None else vmemmap + unused - 8 * _MIB
    return Layout(modules, modules + 2 * _GIB, vmemmap, end, vmalloc_end)
