"""The lines of ppc64 kernels (book3s): how memory is translated, and where the parts of virtual memory are.

Source: arch/powerpc/kexec/vmcore_info.c, arch/powerpc/include/asm of Linux 5.10 to 7.2.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.kernel.lines.by_types import offset_of
from vmci_tui.kernel.lines.rules import constant, number, page_size, section_roots, variable
from vmci_tui.kernel.lines.running_kernel import Fact, Finding, NotKnown, Rule, RunningKernel

_BASE: Final = 0xC000000000000000
"""KERNELBASE."""
_TOP: Final = 1 << 64
_RADIX: Final = 6
"""The bit of MMU_FTR_TYPE_RADIX (asm/mmu.h)."""
_SECTION_BITS: Final = constant(24)


def _kernel_offset(kernel: RunningKernel) -> Finding:
    """Return kaslr_offset() (arch/powerpc/include/asm/page.h)."""
    start = kernel.variable(b"kernstart_virt_addr", 8)
    if start is None:
        return NotKnown("the variable kernstart_virt_addr is not in the table of symbols, or not in the dump")
    return Fact((start - _BASE) % _TOP, "the variable kernstart_virt_addr")


def _radix(kernel: RunningKernel) -> Finding:
    """Return early_radix_enabled() (asm/mmu.h)."""
    at, pointer = number(offset_of(kernel, b"cpu_spec.mmu_features")), kernel.variable(b"cur_cpu_spec", 8)
    features = kernel.number_at(pointer + at, 4) if pointer and at is not None else None
    if features is None:
        return NotKnown("the variable cur_cpu_spec or its type is not in the kernel's tables, or not in the dump")
    return Fact(features >> _RADIX & 1, "cur_cpu_spec.mmu_features")


def _physical_bits(kernel: RunningKernel) -> Finding:
    """Return MAX_PHYSMEM_BITS: R_MAX_PHYSMEM_BITS, the larger one, of kernels with CONFIG_SPARSEMEM_VMEMMAP."""
    if kernel.version is not None and kernel.version >= (5, 10) and kernel.symbols(b"vmemmap_populate"):
        return Fact(51, "a constant of Linux for kernels that have vmemmap_populate")
    return NotKnown("it depends on the configuration, and the table of symbols has no vmemmap_populate")


PPC64: Final[dict[bytes, Rule]] = {
    b"PAGESIZE": page_size,
    b"KERNELOFFSET": _kernel_offset,
    b"NUMBER(VMALLOC_START)": variable("__vmalloc_start", 8, "0x"),
    b"NUMBER(RADIX_MMU)": _radix,
    b"NUMBER(SECTION_SIZE_BITS)": _SECTION_BITS,
    b"NUMBER(MAX_PHYSMEM_BITS)": _physical_bits,
    b"LENGTH(mem_section)": section_roots(_physical_bits, _SECTION_BITS, page_size),
}
"""The rules by key."""
