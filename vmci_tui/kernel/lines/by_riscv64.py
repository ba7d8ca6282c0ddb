"""The lines of riscv64 kernels: where the parts of their virtual memory are, which follows from a few variables.

Source: arch/riscv/include/asm/pgtable.h and page.h, arch/riscv/kernel/vmcore_info.c of Linux 6.2 to 7.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vmci_tui.kernel.lines.by_types import offset_of, size_of
from vmci_tui.kernel.lines.running_kernel import Fact, Finding, NotKnown, RunningKernel

_LINKED: Final = 0xFFFFFFFF80000000
"""KERNEL_LINK_ADDR of 64-bit kernels."""
_REACH: Final = 2 << 30
"""Bytes before the end of the image in which modules are."""
_PAGE_SHIFT: Final = 12
_PAGE: Final = 1 << _PAGE_SHIFT
_BITS: Final = ((b"pgtable_l5_enabled", 57), (b"pgtable_l4_enabled", 48))
_LEAST_BITS: Final = 39


def member_of(kernel: RunningKernel, variable: bytes, struct: bytes, member: bytes) -> Finding:
    """Return the unsigned long that is a member of a variable."""
    at, offset = kernel.symbols(variable), offset_of(kernel, struct + b"." + member)
    if len(at) != 1 or not isinstance(offset, Fact) or not isinstance(offset.value, int):
        return NotKnown(f"the variable {variable.decode()} or its type is not in the kernel's tables")
    value = kernel.number_at(at[0] + offset.value, kernel.pointer_size)
    words = f"{variable.decode()}.{member.decode()}"
    return NotKnown(f"{words} is not in the dump") if value is None else Fact(value, words, form="0x")


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


def _part(below: Callable[[int, int], int]) -> Callable[[RunningKernel], Finding]:
    return lambda kernel: _below_pages(kernel, below)


def _modules(symbol: bytes, before: int) -> Callable[[RunningKernel], Finding]:
    """Return the rule of an address `before` so many bytes before a symbol, at the end of its page."""

    def found(kernel: RunningKernel) -> Finding:
        at = kernel.symbols(symbol)
        if len(at) != 1:
            return NotKnown(f"the kernel's table of symbols has no {symbol.decode()}")
        return Fact(-(-at[0] // _PAGE) * _PAGE - before, f"the address of {symbol.decode()}", form="0x")

    return found


RISCV64: Final[dict[bytes, Callable[[RunningKernel], Finding]]] = {
    b"NUMBER(VA_BITS)": _bits,
    b"NUMBER(VMALLOC_START)": _part(_vmalloc),
    b"NUMBER(VMALLOC_END)": _part(_nothing),
    b"NUMBER(VMEMMAP_START)": _part(_vmemmap),
    b"NUMBER(VMEMMAP_END)": _part(_vmalloc),
    b"NUMBER(MODULES_VADDR)": _modules(b"_end", _REACH),
    b"NUMBER(MODULES_END)": _modules(b"_start", 0),
    b"NUMBER(KERNEL_LINK_ADDR)": lambda kernel: Fact(_LINKED, "a constant of Linux for this machine", form="0x"),
}
"""The rules by key."""
