"""Say what a CPU was doing: by its flags, and by the instruction that it had just carried out.

Sources: Intel SDM volume 3, 2.3 and volume 2, HLT and MWAIT; Arm ARM, PSTATE, WFI and WFE; z/Architecture Principles of
Operation, PSW; Power ISA, MSR; the RISC-V instruction set, WFI. That an idle arm64 CPU waits with interrupts masked,
and a stopped one with SError and debug exceptions masked as well: Linux 6.1 arch/arm64/kernel/{idle,smp}.c.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple

from vmci_tui.kernel.cpus.cpu import Cpu

Where = Literal["kernel", "process", "hypervisor", "firmware"]
State = Literal["running", "idle", "stopped"]
Code = Callable[[int, int], bytes | None]
"""Reads guest memory: a virtual address and a length; None if the dump lacks it."""


class Activity(NamedTuple):
    """What a CPU was doing."""

    where: Where | None
    """None: its registers do not say."""
    state: State | None
    """`idle`: it waits for an interrupt; `stopped`: it waits, and no interrupt will wake it; None: unknown."""
    interrupts: bool | None
    """Whether it takes interrupts; None if its registers do not say."""


_PSW_INTERRUPTS: Final = 0x0300 << 48
"""I/O and external interrupts."""
_PSW_WAIT: Final = 1 << 49
_PSW_PROBLEM: Final = 1 << 48
_MSR_HYPERVISOR, _MSR_INTERRUPTS, _MSR_PROBLEM = 1 << 60, 1 << 15, 1 << 14
_HIGH: Final = 1 << 63
_WFI_ARM64, _WFE_ARM64 = 0xD503207F, 0xD503205F
_WFI_ARM, _WFE_ARM = 0xE320F003, 0xE320F002
_WFI_RISCV: Final = 0x10500073
_SC1: Final = 0x44000022
"""A call of the hypervisor: an idle CPU of a pseries machine waits in one (H_CEDE)."""


class _Seen(NamedTuple):
    """What the registers of a CPU and its code say."""

    where: Where | None
    interrupts: bool | None
    waits: bool | None = None
    """Whether it waits; None if neither its flags nor its code say."""
    wakes: bool = True
    """Whether an interrupt would wake it."""


def activity(cpu: Cpu, code: Code, halted: bool = False) -> Activity:
    """Return what a CPU was doing; of a machine that is not known here, nothing.

    `halted`: QEMU's own state of the CPU says that it waits. What is zeros is not code: that page is left out.
    """
    found = _MACHINES.get(cpu.machine)
    if found is None:
        return Activity(None, None, None)

    def known(va: int, length: int) -> bytes | None:
        raw = code(va, length)
        return raw if raw is not None and any(raw) else None

    where, interrupts, waits, wakes = found(cpu, known)
    if halted and where == "kernel" and cpu.machine != "s390x":  # where a CPU that others stopped is halted, too
        waits = True
    return Activity(where, None if waits is None else _state(waits, wakes), interrupts)


def _state(waits: bool, wakes: bool) -> State:
    return "running" if not waits else "idle" if wakes else "stopped"


def _x86(cpu: Cpu, code: Code) -> _Seen:
    flags = cpu.value("rflags" if cpu.machine == "x86_64" else "eflags") or 0
    interrupts = bool(flags & 1 << 9)
    real = (cpu.value("cr0") or 1) & 1 == 0
    if real:
        return _Seen("firmware", interrupts)
    if (cpu.value("cs") or 0) & 3:
        return _Seen("process", interrupts, False)
    pc = cpu.role("pc") or 0
    if cpu.machine == "x86_64" and not pc & _HIGH:
        return _Seen("firmware", interrupts)
    around = code(pc - 3, 5) if pc >= 3 else None
    return _Seen("kernel", interrupts, None if around is None else _halts(around), interrupts)


def _halts(around: bytes) -> bool:
    """Return whether the code before the third byte is `sti; hlt`, `cli; hlt`, a loop around `hlt`, or `mwait`."""
    before, after = around[:3], around[3:]
    alone = before[2] == 0xF4 and (before[1] in b"\xfa\xfb" or after[0] in b"\xeb\xe9\xc3" or after == b"\xf3\xc3")
    return alone or before == b"\x0f\x01\xc9"


def _arm64(cpu: Cpu, code: Code) -> _Seen:
    pstate = cpu.value("pstate") or 0
    level, masked = pstate >> 2 & 3, pstate >> 6 & 0xF
    interrupts = not masked & 2
    if level == 0:
        return _Seen("process", interrupts, False)
    pc = cpu.role("pc") or 0
    if not pc & _HIGH:
        return _Seen("hypervisor" if level == 2 else "firmware", interrupts)
    wakes = masked != 0xF
    return _Seen("kernel", interrupts, _waits_by(code, pc, _WFI_ARM64, _WFE_ARM64, wakes), wakes)


def _arm(cpu: Cpu, code: Code) -> _Seen:
    cpsr = cpu.value("cpsr") or 0
    interrupts = not cpsr & 0x80
    mode = cpsr & 0x1F
    if mode == 0x10:
        return _Seen("process", interrupts, False)
    if mode == 0x1A:
        return _Seen("hypervisor", interrupts)
    wakes = not cpsr & 0x40
    return _Seen("kernel", interrupts, _waits_by(code, cpu.role("pc") or 0, _WFI_ARM, _WFE_ARM, wakes), wakes)


def _waits_by(code: Code, pc: int, interrupt: int, event: int | None, wakes: bool) -> bool | None:
    """Return whether a CPU waits by the instruction before the next one, or by the next one, where KVM leaves a CPU.

    A CPU that is stopped for good may wait for an event too; one that waits so and can be woken is in a lock.
    """
    around = code(pc - 4, 8) if pc >= 4 else None
    if around is None:
        return None
    found = {int.from_bytes(around[:4], "little"), int.from_bytes(around[4:], "little")}
    return interrupt in found or (event in found and not wakes)


def _s390x(cpu: Cpu, code: Code) -> _Seen:
    mask = cpu.value("pswm") or 0
    interrupts = bool(mask & _PSW_INTERRUPTS)
    where: Where = "process" if mask & _PSW_PROBLEM else "kernel"
    return _Seen(where, interrupts, bool(mask & _PSW_WAIT), interrupts)


def _ppc64(cpu: Cpu, code: Code) -> _Seen:
    msr = cpu.value("msr") or 0
    interrupts = bool(msr & _MSR_INTERRUPTS)
    if msr & _MSR_PROBLEM:
        return _Seen("process", interrupts, False)
    pc = cpu.role("pc") or 0
    before = code(pc - 4, 4) if pc >= 4 else None
    calls = before is not None and _SC1 in (int.from_bytes(before, "little"), int.from_bytes(before, "big"))
    return _Seen("kernel", interrupts, None if before is None else calls)


def _riscv64(cpu: Cpu, code: Code) -> _Seen:
    pc = cpu.role("pc") or 0
    if not pc & _HIGH:
        return _Seen(None, None)
    return _Seen("kernel", None, _waits_by(code, pc, _WFI_RISCV, None, True))


_MACHINES: Final[Mapping[str, Callable[[Cpu, Code], _Seen]]] = {
    "x86_64": _x86, "i386": _x86, "aarch64": _arm64, "arm": _arm, "s390x": _s390x, "ppc64": _ppc64,
    "riscv64": _riscv64,
}  # fmt: skip
