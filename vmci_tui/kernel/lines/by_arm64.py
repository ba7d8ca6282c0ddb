"""The lines of arm64 kernels: widths of addresses, parts of virtual memory, and what the processor can do.

Source: arch/arm64/kernel/vmcore_info.c, arch/arm64/include/asm of Linux 5.10 to 7.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vmci_tui.kernel.facts.by_types import offset_of, size_of
from vmci_tui.kernel.facts.rules import number, page_size, section_roots, variable
from vmci_tui.kernel.facts.running_kernel import Fact, Finding, NotKnown, Rule, RunningKernel
from vmci_tui.kernel.lines.arm64_layout import Layout, layout_of, widths_of
from vmci_tui.kernel.lines.arm64_root import memory_start, swapper

_TOP: Final = 1 << 64
_BY_WIDTH: Final = "the widths of addresses and the size of a struct page, by the formula of Linux of this version"
_BY_VERSION: Final = "a constant of Linux of this version for pages of this size"
_NOT_COMPARED: Final = "no note of Linux of this version with pages of this size was compared"
_SMALL, _MIDDLE = 4 << 10, 16 << 10
"""Sizes of pages, in bytes."""
_WIDTHS: Final = range(36, 53)
"""Bits of an address that a kernel may use."""
_BEFORE_STEXT: Final = 64 << 10
"""SEGMENT_ALIGN (arch/arm64/kernel/vmlinux.lds.S, since 5.11): the code before _stext is one such segment."""
_ISAR: Final = {0x180620: 0xFF0, 0x180640: 0xF000}
"""`sys_reg()` of ID_AA64ISAR1_EL1 and ID_AA64ISAR2_EL1, and their bits for pointer authentication: APA, API, APA3."""
_REGISTERS: Final = 64
"""Entries of arm64_ftr_regs that are read; Linux 7.2 has 50, in the order of their numbers."""


def _bits(kernel: RunningKernel) -> Finding:
    widths = widths_of(kernel)
    return widths if isinstance(widths, NotKnown) else Fact(widths.built, widths.by)


def _used(kernel: RunningKernel) -> Finding:
    """Return vabits_actual: a variable up to 6.8, else what the page tables show."""
    by_variable = variable("vabits_actual", 8)(kernel)
    if isinstance(by_variable, Fact):
        known = by_variable.value in _WIDTHS
        return by_variable if known else NotKnown("the variable vabits_actual is not the width of an address")
    widths = widths_of(kernel)
    if isinstance(widths, NotKnown):
        return widths
    if widths.used is None:
        return NotKnown("the kernel's page tables in the dump do not show how many bits of an address it uses")
    return Fact(widths.used, widths.by)


def _bits_in(fact: Fact) -> int:
    return fact.value if isinstance(fact.value, int) else 0


def _t1sz(kernel: RunningKernel) -> Finding:
    used = _used(kernel)
    if isinstance(used, NotKnown):
        return used
    return used._replace(value=64 - _bits_in(used), by=f"64 less the bits of an address, by {used.by}", form="0x")


def _pac_mask(kernel: RunningKernel) -> Finding:
    """Return ptrauth_kernel_pac_mask(), the bits of an address above those it uses, or 0 without authentication.

    The registers are those that the kernel believes of all its processors: arm64_ftr_regs (kernel/cpufeature.c).
    """
    values = _registers(kernel)
    if isinstance(values, NotKnown):
        return values
    by = "arm64_ftr_regs, the kernel's copy of the processor's registers"
    capable = any(values[number] & bits for number, bits in _ISAR.items())
    if not capable or not kernel.symbols(b"ptrauth_prctl_reset_keys"):
        return Fact(0, by, form="0x")
    used = _used(kernel)
    if isinstance(used, NotKnown):
        return used
    return Fact(_TOP - (1 << _bits_in(used)), f"{by}, and {used.by}", form="0x")


def _registers(kernel: RunningKernel) -> dict[int, int] | NotKnown:
    """Return the values of ID_AA64ISAR1_EL1 and ID_AA64ISAR2_EL1 by their numbers."""
    at = kernel.symbols(b"arm64_ftr_regs")
    each = number(size_of(kernel, b"__ftr_reg_entry"))
    places = [number(offset_of(kernel, name)) for name in (b"__ftr_reg_entry.sys_id", b"__ftr_reg_entry.reg")]
    inside = number(offset_of(kernel, b"arm64_ftr_reg.sys_val"))
    if len(at) != 1 or not each or inside is None or None in places:
        return NotKnown("the kernel's copy of the processor's registers, arm64_ftr_regs, is not in its tables")
    found: dict[int, int] = {}
    for start in range(at[0], at[0] + _REGISTERS * each, each):
        of, pointer = (kernel.number_at(start + (place or 0), size) for place, size in zip(places, (4, 8), strict=True))
        value = kernel.number_at(pointer + inside, 8) if of in _ISAR and pointer else None
        if of is not None and value is not None:
            found.setdefault(of, value)
    if found.keys() != _ISAR.keys():
        return NotKnown("the kernel's copy of the processor's registers, arm64_ftr_regs, is not in the dump")
    return found


def _part(of: Callable[[Layout], int | None]) -> Rule:
    """Return the rule of a part of the kernel's virtual memory."""

    def found(kernel: RunningKernel) -> Finding:
        parts = layout_of(kernel)
        value = None if isinstance(parts, NotKnown) else of(parts)
        if isinstance(parts, NotKnown):
            return parts
        if value is None:
            return NotKnown("the kernel's page tables in the dump do not show how many bits of an address it uses")
        return Fact(value, _BY_WIDTH, form="0x")

    return found


def _vmemmap(kernel: RunningKernel) -> Finding:
    """Return `vmemmap` (asm/pgtable.h): where the struct page of physical address 0 would be."""
    parts, start = layout_of(kernel), kernel.variable(b"memstart_addr", 8, signed=True)
    page, struct = number(page_size(kernel)), number(size_of(kernel, b"page"))
    if isinstance(parts, NotKnown):
        return parts
    if start is None or not page or struct is None:
        return NotKnown("the variable memstart_addr is not in the table of symbols, or not in the dump")
    return Fact((parts.vmemmap - start // page * struct) % _TOP, f"memstart_addr, and {_BY_WIDTH}")


def _text(kernel: RunningKernel) -> tuple[int, str] | None:
    """Return where the image begins, and what says so."""
    for start in kernel.symbols(b"_text")[:1]:
        return start, "_text"
    for start in kernel.symbols(b"_stext")[:1]:
        if kernel.version is not None and kernel.version >= (6, 1):
            return start - _BEFORE_STEXT, "_stext, less the segment before it"
    return None


def _kernel_offset(kernel: RunningKernel) -> Finding:
    """Return kaslr_offset(): how far the image is from KIMAGE_VADDR, which is MODULES_END."""
    parts, begins = layout_of(kernel), _text(kernel)
    if isinstance(parts, NotKnown):
        return parts
    if begins is None:
        return NotKnown("the kernel's table of symbols has no _text")
    return Fact((begins[0] - parts.modules_end) % _TOP, f"{begins[1]}, less MODULES_END")


def _kimage_voffset(kernel: RunningKernel) -> Finding:
    for start in kernel.symbols(b"_text")[:1] or kernel.symbols(b"_stext")[:1]:
        paddr = kernel.physical(start)
        if paddr is not None:
            return Fact((start - paddr) % _TOP, "the page tables at the kernel's first symbol", form="0x")
    return NotKnown("the kernel's table of symbols has no _text")


def _section_bits(kernel: RunningKernel) -> Finding:
    """Return SECTION_SIZE_BITS (asm/sparsemem.h)."""
    page, version = number(page_size(kernel)), kernel.version
    if version == (5, 10) and page == _SMALL:
        return Fact(30, _BY_VERSION)
    if version is not None and version >= (6, 1) and page in (_SMALL, _MIDDLE):
        return Fact(27, _BY_VERSION)
    return NotKnown(_NOT_COMPARED)


def _physical_bits(kernel: RunningKernel) -> Finding:
    """Return MAX_PHYSMEM_BITS: before 6.9 52 need pages of 64 KiB, since then a processor with LPA2 (arm64/Kconfig)."""
    if kernel.version in ((5, 10), (6, 1)) and number(page_size(kernel)) == _SMALL:
        return Fact(48, _BY_VERSION)
    parts, used = layout_of(kernel), _used(kernel)
    if isinstance(parts, NotKnown):
        return parts
    if isinstance(used, NotKnown):
        return used
    if (kernel.version or (0, 0)) < (6, 9):
        return NotKnown(_NOT_COMPARED)
    return Fact(52 if used.value == 52 else 48, f"the bits of an address, by {used.by}")


ARM64: Final[dict[bytes, Rule]] = {
    b"PAGESIZE": page_size,
    b"NUMBER(VA_BITS)": _bits,
    b"NUMBER(TCR_EL1_T1SZ)": _t1sz,
    b"NUMBER(MODULES_VADDR)": _part(lambda parts: parts.modules),
    b"NUMBER(MODULES_END)": _part(lambda parts: parts.modules_end),
    b"NUMBER(VMALLOC_START)": _part(lambda parts: parts.modules_end),
    b"NUMBER(VMALLOC_END)": _part(lambda parts: parts.vmalloc_end),
    b"NUMBER(VMEMMAP_START)": _part(lambda parts: parts.vmemmap),
    b"NUMBER(VMEMMAP_END)": _part(lambda parts: parts.vmemmap_end),
    b"SYMBOL(vmemmap)": _vmemmap,
    b"KERNELOFFSET": _kernel_offset,
    b"NUMBER(kimage_voffset)": _kimage_voffset,
    b"SYMBOL(swapper_pg_dir)": swapper,
    b"NUMBER(PHYS_OFFSET)": memory_start,
    b"NUMBER(KERNELPACMASK)": _pac_mask,
    b"NUMBER(SECTION_SIZE_BITS)": _section_bits,
    b"NUMBER(MAX_PHYSMEM_BITS)": _physical_bits,
    b"LENGTH(mem_section)": section_roots(_physical_bits, _section_bits, page_size),
}
"""The rules by key."""
