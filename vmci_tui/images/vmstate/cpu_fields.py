"""Say which field of QEMU's CPU state each register of a note is, for each machine.

Sources: QEMU 7.2 and 10.0, of each target/*: machine.c for the names of the fields, arch_dump.c for what a note holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from vmci_tui.formats.registers.other_sets import QEMU_STATE
from vmci_tui.formats.registers.prstatus import PRSTATUS
from vmci_tui.images.vmstate.cpu_state import CpuState

Values = dict[str, int]


class CpuFields(NamedTuple):
    """The registers of one machine's notes."""

    fields: Mapping[str, str]
    """The name of the field in the stream, by the name of the register in the note."""
    computed: Callable[[CpuState], Values] = lambda _cpu: {}
    """Returns the registers that are not a field of their own."""

    def values(self, cpu: CpuState) -> Values:
        """Return the registers of a CPU by their names in the notes; zero for those that the CPU does not have."""
        plain = {register: cpu.number(name) for register, name in self.fields.items()}
        return {"pid": cpu.instance + 1} | plain | self.computed(cpu)


def _each(prefix: str, numbers: range, field: str) -> dict[str, str]:
    """Return registers with numbers, and the elements of the array that holds them."""
    return {f"{prefix}{number}": f"{field}[{number}]" for number in numbers}


# ---- x86 ------------------------------------------------------------------------------------------------------------

_GENERAL: Final = ("ax", "cx", "dx", "bx", "sp", "bp", "si", "di")
_SEGMENTS: Final = ("es", "cs", "ss", "ds", "fs", "gs")
_TABLES: Final = ("ldt", "tr", "gdt", "idt")
_PARTS: Final = ("selector", "base", "limit", "flags")


def _x86() -> dict[str, str]:
    segments = {name: f"env.segs[{at}]" for at, name in enumerate(_SEGMENTS)} | {
        name: f"env.{name}" for name in _TABLES
    }
    return {
        **{f"{width}{name}": f"env.regs[{at}]" for at, name in enumerate(_GENERAL) for width in "re"},
        **_each("r", range(8, 16), "env.regs"),
        **dict.fromkeys(("rip", "eip"), "env.eip"),
        **dict.fromkeys(("rflags", "eflags"), "env.eflags"),
        **{name: f"{segments[name]}.selector" for name in _SEGMENTS},
        **{f"{name}.{part}": f"{place}.{part}" for name, place in segments.items() for part in _PARTS},
        **{f"cr{number}": f"env.cr[{number}]" for number in (0, 2, 3, 4)},
        "kernel_gs_base": "env.kernelgsbase",
    }


def _qemu_record(_cpu: CpuState) -> Values:
    return {"version": 1, "size": QEMU_STATE.record("little").size}


# ---- ARM ------------------------------------------------------------------------------------------------------------

_FPSCR: Final = "cpu/vfp/fpscr"
_FPSR_BITS: Final = 0xF800009F
_FPCR_BITS: Final = 0x07FF9F00
"""The bits of FPSCR that are FPSR, and those that are FPCR, on an AArch64 CPU."""
_NEWER: Final = "cpu/vfp/fpcr_fpsr"
"""A subsection of QEMU 9.1 and later, there only if one of the two has bits that FPSCR does not."""
_AARCH32: Final = 1 << 4
"""The bit of the program status that an AArch64 CPU has set while it runs 32-bit code."""


def _aarch64(cpu: CpuState) -> Values:
    vectors = {f"v{number}": _wide(cpu, *(f"cpu/vfp/env.vfp.zregs[{number}].d[{half}]" for half in (1, 0)))
               for number in range(32)}  # fmt: skip
    fpscr = cpu.number(_FPSCR)
    status = {"fpsr": fpscr & _FPSR_BITS, "fpcr": fpscr & _FPCR_BITS}
    if cpu.has(f"{_NEWER}/fpsr"):
        status = {name: cpu.number(f"{_NEWER}/{name}") for name in status}
    sp = 0 if cpu.number("cpsr") & _AARCH32 else cpu.number("env.xregs[31]")
    return vectors | status | {"fpvalid": 1, "sp": sp}


def _arm() -> dict[str, str]:
    doubles = {f"d{number}": f"cpu/vfp/env.vfp.zregs[{number // 2}].d[{number % 2}]" for number in range(32)}
    return doubles | {
        **_each("r", range(13), "env.regs"),
        **{name: f"env.regs[{at}]" for at, name in enumerate(("sp", "lr", "pc"), 13)},
        "cpsr": "cpsr",
        "fpscr": _FPSCR,
    }


def _with_vfp(cpu: CpuState) -> Values:
    return {"fpvalid": int(cpu.has(_FPSCR))}


# ---- s390x, PowerPC, RISC-V -----------------------------------------------------------------------------------------


def _s390x() -> dict[str, str]:
    return {
        "pswm": "env.psw.mask",
        "pswa": "env.psw.addr",
        **_each("r", range(16), "env.regs"),
        **_each("a", range(16), "env.aregs"),
        **_each("cr", range(16), "env.cregs"),
        **{f"f{number}": f"cpu/fpu/env.vregs[{number}][0]" for number in range(16)},
        **{f"v{number}": f"cpu/vregs/env.vregs[{number}][1]" for number in range(16)},
        "fpc": "cpu/fpu/env.fpc",
        "timer": "env.cputm",
        "todcmp": "env.ckc",
        "todpreg": "env.todpr",
        "prefix": "env.psa",
        **{name: f"cpu/gscb/env.gscb[{at}]" for at, name in enumerate(("reserved", "gsd", "gssm", "gsepla"))},
    }


def _vectors_s390x(cpu: CpuState) -> Values:
    numbers = range(16, 32)
    return {f"v{number}": _wide(cpu, *(f"cpu/vregs/env.vregs[{number}][{half}]" for half in (0, 1)))
            for number in numbers}  # fmt: skip


_XER, _LR, _CTR, _SPEFSCR = 1, 8, 9, 512
"""Numbers of special-purpose registers."""


def _ppc64() -> dict[str, str]:
    special = {"xer": _XER, "lr": _LR, "ctr": _CTR, "spefscr": _SPEFSCR}
    return {
        **_each("r", range(32), "env.gpr"),
        **{name: f"env.spr[{number}]" for name, number in special.items()},
        "nip": "env.nip",
        "msr": "env.msr",
        **_each("f", range(32), "cpu/fpu/env.vsr"),
        "fpscr": "cpu/fpu/env.fpscr",
        **_each("vs", range(32), "cpu/vsx/env.vsr"),
        "acc": "env.spe_acc",
    }


def _computed_ppc64(cpu: CpuState) -> Values:
    """Return what has no field: the vectors too, whose halves a little-endian host writes lower half first."""
    halves = [divmod(vector, 1 << 64) for vector in cpu.numbers("cpu/altivec/env.vsr")[:32]]
    vectors = {f"vr{number}": high << 64 | low for number, (low, high) in enumerate(halves)}
    fields = cpu.numbers("env.crf")[:8]
    ccr = sum((field & 15) << 4 * (7 - at) for at, field in enumerate(fields))
    return vectors | {"pid": 0, "ccr": ccr, "vscr": cpu.number("cpu/altivec/vscr")}


def _riscv64() -> dict[str, str]:
    names = PRSTATUS["riscv64"].names
    first = names.index("pc")
    return {"pc": "env.pc"} | {name: f"env.gpr[{at}]" for at, name in enumerate(names[first + 1 : first + 32], 1)}


def _wide(cpu: CpuState, high: str, low: str) -> int:
    """Return a number of 128 bits from its halves."""
    return cpu.number(high) << 64 | cpu.number(low)


CPU_FIELDS: Final[Mapping[str, CpuFields]] = {
    "x86_64": CpuFields(_x86(), _qemu_record),
    "i386": CpuFields(_x86(), _qemu_record),
    "aarch64": CpuFields(_each("x", range(31), "env.xregs") | {"pc": "env.pc", "pstate": "cpsr"}, _aarch64),
    "arm": CpuFields(_arm(), _with_vfp),
    "s390x": CpuFields(_s390x(), _vectors_s390x),
    "ppc64": CpuFields(_ppc64(), _computed_ppc64),
    "riscv64": CpuFields(_riscv64()),
}
"""The registers of each machine of whose notes there is a table."""
