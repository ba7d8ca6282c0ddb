"""The lines of riscv64 kernels: where the parts of their virtual memory are, which follows from a few variables.

Source: arch/riscv/include/asm/pgtable.h and page.h, arch/riscv/kernel/vmcore_info.c of Linux 6.2 to 7.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vmci_tui.kernel.facts.by_types import size_of
from vmci_tui.kernel.facts.rules import constant, member, member_of, number, section_roots, variable
from vmci_tui.kernel.facts.running_kernel import Fact, Finding, NotKnown, Rule, RunningKernel

_LINKED: Final = 0xFFFFFFFF80000000
"""KERNEL_LINK_ADDR of 64-bit kernels."""
_REACH: Final = 2 << 30
"""Bytes before the end of the image in which modules are."""
_PAGE_SHIFT: Final = 12
_PAGE: Final = 1 << _PAGE_SHIFT
_BITS: Final = ((b"pgtable_l5_enabled", 57), (b"pgtable_l4_enabled", 48))
_LEAST_BITS: Final = 39
_SECTION_BITS: Final = constant(27)
_PHYSICAL_BITS: Final = constant(56)


def _bits(kernel: RunningKernel) -> Finding:
    """Return VA_BITS, by the variables that say how many levels page tables have."""
    levels = [kernel.variable(name, 1) for name, _ in _BITS]
    if None in levels:
        return NotKnown("the variables pgtable_l4_enabled and pgtable_l5_enabled are not in the kernel's tables")
    bits = next((bits for (_, bits), on in zip(_BITS, levels, strict=True) if on), _LEAST_BITS)
    return Fact(bits, "the variables pgtable_l5_enabled and pgtable_l4_enabled")


def _below_pages(kernel: RunningKernel, below: Callable[[int, int], int]) -> Finding:
    """Return an address below PAGE_OFFSET; `below`: how far, by VA_BITS and the size of a struct page."""
    base, bits = member_of(kernel, b"kernel_map", b"kernel_mapping", b"page_offset"), _bits(kernel)
    page = size_of(kernel, b"page")
    known = [one.value for one in (base, bits, page) if isinstance(one, Fact) and isinstance(one.value, int)]
    if len(known) < 3:
        return NotKnown("it follows from kernel_map.page_offset, VA_BITS and SIZE(page), of which one is unknown")
    start, wide, struct = known
    return Fact(start - below(wide, struct), "kernel_map.page_offset, less what is between", form="0x")


def _vmalloc(bits: int, _struct: int) -> int:
    return 1 << bits - 3


def _vmemmap(bits: int, struct: int) -> int:
    return _vmalloc(bits, struct) + (1 << bits - _PAGE_SHIFT - 1 + (struct - 1).bit_length())


def _nothing(_bits: int, _struct: int) -> int:
    return 0


def _part(below: Callable[[int, int], int]) -> Rule:
    return lambda kernel: _below_pages(kernel, below)


def _modules(symbol: bytes, before: int) -> Rule:
    """Return the rule of an address `before` so many bytes before a symbol, at the end of its page."""

    def found(kernel: RunningKernel) -> Finding:
        at = kernel.symbols(symbol)
        if len(at) != 1:
            return NotKnown(f"the kernel's table of symbols has no {symbol.decode()}")
        return Fact(-(-at[0] // _PAGE) * _PAGE - before, f"the address of {symbol.decode()}", form="0x")

    return found


def _vmemmap_of_0(kernel: RunningKernel) -> Finding:
    """Return `vmemmap` (asm/pgtable.h): where the struct page of physical address 0 would be."""
    start, struct = number(_part(_vmemmap)(kernel)), number(size_of(kernel, b"page"))
    first = kernel.variable(b"vmemmap_start_pfn", 8)
    if start is None or struct is None or first is None:
        return NotKnown("it follows from VMEMMAP_START, SIZE(page) and vmemmap_start_pfn, of which one is unknown")
    return Fact(start - first * struct, "VMEMMAP_START, and the variable vmemmap_start_pfn")


def _satp(kernel: RunningKernel) -> Finding:
    """Return the register that names the kernel's page tables (arch/riscv/mm/context.c)."""
    roots, mode = kernel.symbols(b"swapper_pg_dir"), kernel.variable(b"satp_mode", 8)
    root = kernel.physical(roots[0]) if len(roots) == 1 else None
    if root is None or mode is None:
        return NotKnown("the variable satp_mode, or the place of swapper_pg_dir, is not in the dump")
    return Fact(mode | root >> _PAGE_SHIFT, "the variable satp_mode, and where swapper_pg_dir is", form="0x")


RISCV64: Final[dict[bytes, Rule]] = {
    b"PAGESIZE": constant(_PAGE),
    b"NUMBER(phys_ram_base)": variable("phys_ram_base", 8),
    b"NUMBER(SECTION_SIZE_BITS)": _SECTION_BITS,
    b"NUMBER(MAX_PHYSMEM_BITS)": _PHYSICAL_BITS,
    b"LENGTH(mem_section)": section_roots(_PHYSICAL_BITS, _SECTION_BITS, constant(_PAGE)),
    b"NUMBER(PAGE_OFFSET)": member(b"kernel_map", b"kernel_mapping", b"page_offset"),
    b"NUMBER(va_kernel_pa_offset)": member(b"kernel_map", b"kernel_mapping", b"va_kernel_pa_offset"),
    b"SYMBOL(vmemmap)": _vmemmap_of_0,
    b"KERNELOFFSET": member(b"kernel_map", b"kernel_mapping", b"virt_offset"),
    b"NUMBER(satp)": _satp,
    b"NUMBER(VA_BITS)": _bits,
    b"NUMBER(VMALLOC_START)": _part(_vmalloc),
    b"NUMBER(VMALLOC_END)": _part(_nothing),
    b"NUMBER(VMEMMAP_START)": _part(_vmemmap),
    b"NUMBER(VMEMMAP_END)": _part(_vmalloc),
    b"NUMBER(MODULES_VADDR)": _modules(b"_end", _REACH),
    b"NUMBER(MODULES_END)": _modules(b"_start", 0),
    b"NUMBER(KERNEL_LINK_ADDR)": constant(_LINKED, "0x"),
}
"""The rules by key."""
