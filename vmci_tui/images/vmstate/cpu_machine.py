"""Tell by the state of its CPUs which machine a stream is of, and in which byte order QEMU would dump it.

Sources: QEMU 7.2 and 10.0 target/*/arch_dump.c, cpu_get_dump_info; target/arm/kvm-consts.h for ARM's numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.images.vmstate.cpu_state import CpuState

_HFLAGS_LMA: Final = 1 << 14
"""The bit of QEMU's own flags of an x86 CPU: it is in long mode."""
_ID_AA64MMFR0: Final = 0x6030_0000_0013_C038
"""An ARM register that only a CPU with AArch64 has, numbered as KVM numbers them."""
_SCTLR_EL1: Final = 0x6030_0000_0013_C080
"""The ARM register that says in which byte order the kernel has its data."""
_SCTLR_EE: Final = 1 << 25
_PVR: Final = 0x11F
_HID0: Final = 0x3F0
"""Numbers of PowerPC registers: the version of the CPU, and its settings."""
_ISA_3: Final = (0x4E, 0x80, 0x82)
"""The versions POWER9, POWER10 and POWER11."""
_HILE, _HILE_ISA_3 = 1 << 44, 1 << 59
"""The bit of HID0 by which a hypervisor takes its interrupts in little-endian order, before and since POWER9."""
_MSTATUS_UBE: Final = 1 << 6


def machine_of(cpus: Sequence[CpuState]) -> tuple[str, ByteOrder] | None:
    """Return the machine, by its name in a dump, and the byte order; None if the CPUs are of none known here.

    As in QEMU the first CPU decides. All CPUs of a stream are of one kind.
    """
    if not cpus:
        return None
    first = cpus[0]
    if first.has("env.eip"):
        return ("x86_64" if first.number("env.hflags") & _HFLAGS_LMA else "i386"), "little"
    if first.has("env.xregs"):
        return _arm(first)
    if first.has("env.psw.mask"):
        return "s390x", "big"
    if first.has("env.nip"):
        return ("ppc64", _ppc_order(first)) if first.wide("env.gpr") else None
    if first.has("env.mstatus") and first.wide("env.gpr"):
        return "riscv64", "big" if first.number("env.mstatus") & _MSTATUS_UBE else "little"
    return None


def _arm(cpu: CpuState) -> tuple[str, ByteOrder]:
    numbers, values = (cpu.numbers(f"cpreg_vmstate_{name}") for name in ("indexes", "values"))
    registers = dict(zip(numbers, values, strict=False))
    machine = "aarch64" if _ID_AA64MMFR0 in registers else "arm"
    return machine, "big" if registers.get(_SCTLR_EL1, 0) & _SCTLR_EE else "little"


def _ppc_order(cpu: CpuState) -> ByteOrder:
    """Return the order of a hypervisor's interrupts: QEMU asks for that, also where a guest of its own runs.

    So the dump of a little-endian Linux on pseries is big-endian.
    """
    bit = _HILE_ISA_3 if cpu.number(f"env.spr[{_PVR}]") >> 16 in _ISA_3 else _HILE
    return "little" if cpu.number(f"env.spr[{_HID0}]") & bit else "big"
