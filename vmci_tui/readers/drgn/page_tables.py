"""The page tables with which drgn translates kernel addresses (libdrgn/arch_*.c): one function for each machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple

from vmci_tui.machines.lookup import machine_name
from vmci_tui.proof.paging import arm as paging_arm
from vmci_tui.proof.paging import s390x_ppc64_riscv as paging_others
from vmci_tui.proof.paging import x86 as paging_x86
from vmci_tui.proof.paging.walk import Paging
from vmci_tui.readers.libdrgn.text import DrgnText
from vmci_tui.readers.shared.elf_program import ElfFile
from vmci_tui.readers.utsname_probe import ReadFailure, keys_of

_TOP: Final = 1 << 64
_X86_64_MAP: Final = 0xFFFFFFFF80000000
_ROOT: Final = b"SYMBOL(swapper_pg_dir)"


class KernelPaging(NamedTuple):
    """How addresses are translated: the form of the tables, and the address of the first."""

    paging: Paging
    root: int
    physical: bool
    """False: `root` is a virtual address, which only p_vaddr can resolve."""
    reads: Literal["entry", "rest", "whole"] = "entry"
    """The part of a table that is read for an entry, and must be in the dump: the entry, from it on, or all."""
    lowest: int = 0
    """Lower addresses are not the kernel's."""


Read = Callable[[int, int], bytes]
"""Reads bytes at a physical address. Raises ReadFailure."""


def paging_of(core: ElfFile, text: DrgnText, read: Read) -> KernelPaging | None:
    """Return the paging of a kernel; None if drgn does not know the machine's. Raises ReadFailure without the data."""
    make = _MACHINES.get(machine_name(core.header.machine, core.bits) or "")
    return None if make is None else make(core, text, read)


def _x86_64(core: ElfFile, text: DrgnText, read: Read) -> KernelPaging:
    paging = paging_x86.long_mode(keys_of(core.view, text.raw))[0]
    root, base = text.number(_ROOT), text.last.get(b"NUMBER(phys_base)")
    if base is None:
        return KernelPaging(paging, root, False, "rest")
    return KernelPaging(paging, (root + text.number(b"NUMBER(phys_base)") - _X86_64_MAP) % _TOP, True, "rest")


def _aarch64(core: ElfFile, text: DrgnText, read: Read) -> KernelPaging:
    field = text.number(b"NUMBER(TCR_EL1_T1SZ)")
    bits = 64 - field if field and text.number(b"PAGESIZE") != 1 << 16 else text.number(b"NUMBER(VA_BITS)")
    paging = paging_arm.arm64_tables(text.number(b"PAGESIZE"), bits, bits, core.order)
    if paging is None:
        raise ReadFailure("VMCOREINFO does not contain valid TCR_EL1_T1SZ or VA_BITS")
    root, offset = text.number(_ROOT), text.number(b"NUMBER(kimage_voffset)")
    return KernelPaging(paging, (root - offset) % _TOP, bool(offset), lowest=_TOP - (1 << bits))


def _arm(core: ElfFile, text: DrgnText, read: Read) -> KernelPaging:
    lpae = text.last.get(b"CONFIG_ARM_LPAE", b"")[:1] == b"y"
    return KernelPaging(paging_arm.arm_tables(lpae, core.order), text.number(_ROOT), False)


def _s390x(core: ElfFile, text: DrgnText, read: Read) -> KernelPaging:
    """Return the paging of s390x; the type of the first entry gives the number of levels."""
    root = text.number(_ROOT) & ~0xFFF
    if b"KERNELOFFPHYS" in text.last:
        root = (root + text.number(b"KERNELOFFPHYS") - text.number(b"KERNELOFFSET")) % _TOP
    kind = read(root, 8)[7] >> 2 & 3
    return KernelPaging(paging_others.s390x_tables(kind), root, True, "whole")


def _ppc64(core: ElfFile, text: DrgnText, read: Read) -> KernelPaging:
    """Fail: drgn needs debugging symbols for the variable with the processor's features."""
    raise ReadFailure("could not find 'cur_cpu_spec'")


_MACHINES: Final[Mapping[str, Callable[[ElfFile, DrgnText, Read], KernelPaging]]] = {
    "x86_64": _x86_64,
    "aarch64": _aarch64,
    "arm": _arm,
    "s390x": _s390x,
    "ppc64": _ppc64,
}
