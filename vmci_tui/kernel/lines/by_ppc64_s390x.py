"""The lines of ppc64 kernels (book3s) and of s390x kernels: how memory is translated, and where its parts are.

Source: arch/powerpc/kexec/vmcore_info.c, arch/s390/kernel/vmcore_info.c and the headers that they name, of Linux 5.10
to 7.2.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.kernel.facts.by_types import offset_of
from vmci_tui.kernel.facts.rules import constant, member, number, section_roots, variable
from vmci_tui.kernel.facts.running_kernel import Fact, Finding, NotKnown, Rule, RunningKernel
from vmci_tui.kernel.lines.image_root import swapper
from vmci_tui.kernel.lines.ppc64_root import page_size_by_tables
from vmci_tui.kernel.lines.ppc64_root import swapper as ppc64_swapper

_PPC64_BASE: Final = 0xC000000000000000
"""KERNELBASE of ppc64."""
_TOP: Final = 1 << 64
_RADIX: Final = 6
"""The bit of MMU_FTR_TYPE_RADIX (asm/mmu.h)."""
_PPC64_SECTION_BITS: Final = constant(24)
_S390X_SECTION_BITS: Final = {(6, 1): 28, (7, 2): 27}
"""SECTION_SIZE_BITS, by the versions whose notes were compared."""


def _ppc64_kernel_offset(kernel: RunningKernel) -> Finding:
    """Return kaslr_offset() (arch/powerpc/include/asm/page.h)."""
    start, by = kernel.variable(b"kernstart_virt_addr", 8), "the variable kernstart_virt_addr"
    if start is None and kernel.symbols(b"_stext") == kernel.symbols(b"_text") != ():
        start, by = kernel.symbols(b"_stext")[0], "_stext, at which the kernel begins"
    if start is None:
        return NotKnown("the variable kernstart_virt_addr is not in the table of symbols, or not in the dump")
    return Fact((start - _PPC64_BASE) % _TOP, by)


def _radix(kernel: RunningKernel) -> Finding:
    """Return early_radix_enabled() (asm/mmu.h)."""
    at, pointer = number(offset_of(kernel, b"cpu_spec.mmu_features")), kernel.variable(b"cur_cpu_spec", 8)
    features = kernel.number_at(pointer + at, 4) if pointer and at is not None else None
    if features is None:
        return NotKnown("the variable cur_cpu_spec or its type is not in the kernel's tables, or not in the dump")
    return Fact(features >> _RADIX & 1, "cur_cpu_spec.mmu_features")


def _ppc64_physical_bits(kernel: RunningKernel) -> Finding:
    """Return MAX_PHYSMEM_BITS: R_MAX_PHYSMEM_BITS, the larger one, of kernels with CONFIG_SPARSEMEM_VMEMMAP."""
    if kernel.version is not None and kernel.version >= (5, 10) and kernel.symbols(b"vmemmap_populate"):
        return Fact(51, "a constant of Linux for kernels that have vmemmap_populate")
    return NotKnown("it depends on the configuration, and the table of symbols has no vmemmap_populate")


PPC64: Final[dict[bytes, Rule]] = {
    b"PAGESIZE": page_size_by_tables,
    b"SYMBOL(swapper_pg_dir)": ppc64_swapper,
    b"KERNELOFFSET": _ppc64_kernel_offset,
    b"NUMBER(VMALLOC_START)": variable("__vmalloc_start", 8, "0x"),
    b"NUMBER(RADIX_MMU)": _radix,
    b"NUMBER(SECTION_SIZE_BITS)": _PPC64_SECTION_BITS,
    b"NUMBER(MAX_PHYSMEM_BITS)": _ppc64_physical_bits,
    b"LENGTH(mem_section)": section_roots(_ppc64_physical_bits, _PPC64_SECTION_BITS, page_size_by_tables),
}
"""The rules of ppc64 by key."""


def _layout(name: bytes) -> Rule:
    """Return the rule of a part of the memory: a member of vm_layout (since 6.10), or a variable (before)."""
    newer, older = member(b"vm_layout", b"vm_layout", name), variable(f"__{name.decode()}", 8)

    def found(kernel: RunningKernel) -> Finding:
        value = newer(kernel)
        return value if isinstance(value, Fact) else older(kernel)

    return found


def _s390x_section_bits(kernel: RunningKernel) -> Finding:
    """Return SECTION_SIZE_BITS (asm/sparsemem.h): distributions may have taken the newer value into older versions."""
    value = _S390X_SECTION_BITS.get(kernel.version or (0, 0))
    if value is None:
        return NotKnown("it is 28 in Linux 6.1 and 27 in 7.2; no note of this version was compared")
    return Fact(value, "a constant of Linux of this version")


def _s390x_physical_bits(kernel: RunningKernel) -> Finding:
    return NotKnown("it is set by the configuration (CONFIG_MAX_PHYSMEM_BITS), which leaves no trace in memory")


S390X: Final[dict[bytes, Rule]] = {
    b"PAGESIZE": constant(4096),
    b"SYMBOL(swapper_pg_dir)": swapper,
    b"SAMODE31": variable("__samode31", 8),
    b"EAMODE31": variable("__eamode31", 8),
    b"IDENTITYBASE": _layout(b"identity_base"),
    b"KERNELOFFSET": _layout(b"kaslr_offset"),
    b"KERNELOFFPHYS": _layout(b"kaslr_offset_phys"),
    b"NUMBER(VMALLOC_START)": variable("VMALLOC_START", 8, "0x"),
    b"NUMBER(SECTION_SIZE_BITS)": _s390x_section_bits,
    b"NUMBER(MAX_PHYSMEM_BITS)": _s390x_physical_bits,
}
"""The rules of s390x by key."""
