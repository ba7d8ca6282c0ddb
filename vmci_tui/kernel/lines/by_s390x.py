"""The lines of s390x kernels: where their memory begins.

Source: arch/s390/kernel/vmcore_info.c, arch/s390/include/asm/sparsemem.h and page.h of Linux 5.10 to 7.2.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.kernel.lines.rules import constant, member, variable
from vmci_tui.kernel.lines.running_kernel import Fact, Finding, NotKnown, Rule, RunningKernel

_SECTION_BITS: Final = {(6, 1): 28, (7, 2): 27}


def _layout(name: bytes) -> Rule:
    """Return the rule of a part of the memory: a member of vm_layout (since 6.10), or a variable (before)."""
    newer, older = member(b"vm_layout", b"vm_layout", name), variable(f"__{name.decode()}", 8)

    def found(kernel: RunningKernel) -> Finding:
        value = newer(kernel)
        return value if isinstance(value, Fact) else older(kernel)

    return found


def _section_bits(kernel: RunningKernel) -> Finding:
    """Return SECTION_SIZE_BITS (asm/sparsemem.h): distributions may have taken the newer value into older versions."""
    value = _SECTION_BITS.get(kernel.version or (0, 0))
    if value is None:
        return NotKnown("it is 28 in Linux 6.1 and 27 in 7.2; no note of this version was compared")
    return Fact(value, "a constant of Linux of this version")


def _physical_bits(kernel: RunningKernel) -> Finding:
    return NotKnown("it is set by the configuration (CONFIG_MAX_PHYSMEM_BITS), which leaves no trace in memory")


S390X: Final[dict[bytes, Rule]] = {
    b"PAGESIZE": constant(4096),
    b"SAMODE31": variable("__samode31", 8),
    b"EAMODE31": variable("__eamode31", 8),
    b"IDENTITYBASE": _layout(b"identity_base"),
    b"KERNELOFFSET": _layout(b"kaslr_offset"),
    b"KERNELOFFPHYS": _layout(b"kaslr_offset_phys"),
    b"NUMBER(VMALLOC_START)": variable("VMALLOC_START", 8, "0x"),
    b"NUMBER(SECTION_SIZE_BITS)": _section_bits,
    b"NUMBER(MAX_PHYSMEM_BITS)": _physical_bits,
}
"""The rules by key."""
