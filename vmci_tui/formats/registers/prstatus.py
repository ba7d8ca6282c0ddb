"""Declare NT_PRSTATUS of each machine: struct elf_prstatus, whose registers are in the order of the machine's pt_regs.

Sources: Linux 6.1 include/linux/elfcore.h, and of each arch/*/include: asm/user_64.h, user_32.h (x86),
asm/ptrace.h; QEMU 10.0 target/*/arch_dump.c, which fills in pid and the registers only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from vmci_tui.formats.registers.register_set import RegisterSet, Role, numbered

_TIMES: Final = tuple(f"{name}.{part}" for name in ("utime", "stime", "cutime", "cstime") for part in ("sec", "usec"))
_BEFORE: Final = (
    "si_signo", "si_code", "si_errno", "cursig", "sigpend", "sighold", "pid", "ppid", "pgrp", "sid", *_TIMES,
)  # fmt: skip
_CODES: Final[dict[Literal[32, 64], tuple[str, ...]]] = {
    64: (*"III", "H", "2xQ", "Q", *"IIII", *"QQQQQQQQ"),
    32: (*"III", "H", "2xI", "I", *"IIII", *"IIIIIIII"),
}
_MEANINGS: Final = {
    "si_signo": "the signal that stopped it",
    "cursig": "the signal that stopped it",
    "pid": "the process; from QEMU a number of the CPU",
    "fpvalid": "1: its floating-point registers follow in a note",
}


def _prstatus(
    bits: Literal[32, 64],
    registers: tuple[str, ...],
    roles: Mapping[str, Role],
    meanings: Mapping[str, str] = {},
    codes: tuple[str, ...] = (),
    gap: str = "",
) -> RegisterSet:
    """Return the set of a machine; `codes` are those of its registers where not all are `bits` wide.

    `gap` is the code of the bytes between them and fpvalid.
    """
    codes = codes or ("Q" if bits == 64 else "I",) * len(registers)
    return RegisterSet(
        "registers of a CPU (NT_PRSTATUS)",
        (*_BEFORE, *registers, "fpvalid"),
        (*_CODES[bits], *codes, f"{gap}I"),
        roles,
        _MEANINGS | dict(meanings),
    )


_CS: Final = "selector; its two low bits are 0 in the kernel, 3 in a process"
_CALL: Final = "number of the system call, or -1"

# fmt: off
PRSTATUS: Final[Mapping[str, RegisterSet]] = {
    "x86_64": _prstatus(64, (
        *("r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi"),
        *("orig_rax", "rip", "cs", "rflags", "rsp", "ss", "fs.base", "gs.base", "ds", "es", "fs", "gs")),
        {"rip": "pc", "rsp": "sp", "rbp": "frame", "rax": "result"},
        {"cs": _CS, "orig_rax": _CALL, "gs.base": "data of this CPU, in the kernel"},
        (*"Q" * 17, "H", "6xQ", "Q", "H", "6xQ", "Q", "H", "6xH", "6xH", "6xH"), "6x"),
    "i386": _prstatus(32, (
        *("ebx", "ecx", "edx", "esi", "edi", "ebp", "eax", "ds", "es", "fs", "gs"),
        *("orig_eax", "eip", "cs", "eflags", "esp", "ss")),
        {"eip": "pc", "esp": "sp", "ebp": "frame", "eax": "result"}, {"cs": _CS, "orig_eax": _CALL},
        (*"I" * 7, "H", "2xH", "2xH", "2xH", "2xI", "I", "H", "2xI", "I", "H"), "2x"),
    "aarch64": _prstatus(64, (*numbered("x", 31), "sp", "pc", "pstate"),
        {"pc": "pc", "sp": "sp", "x29": "frame", "x30": "link", "x0": "result"},
        {"pstate": "its bits 3 and 2 are the exception level: 0 a process, 1 the kernel, 2 also a hypervisor"}),
    "arm": _prstatus(32, (*numbered("r", 13), "sp", "lr", "pc", "cpsr", "orig_r0"),
        {"pc": "pc", "sp": "sp", "lr": "link", "r11": "frame", "r0": "result"},
        {"cpsr": "its five low bits are the mode: 0x10 a process, 0x13 the kernel", "orig_r0": _CALL}),
    "s390x": _prstatus(64, ("pswm", "pswa", *numbered("r", 16), *numbered("a", 16), "orig_r2"),
        {"pswa": "pc", "r15": "sp", "r14": "link", "r2": "result"},
        {"pswm": "the mask of the program status word"}, ("Q",) * 18 + ("I",) * 16 + ("Q",)),
    "ppc64": _prstatus(64, (
        *numbered("r", 32), "nip", "msr", "orig_r3", "ctr", "lr", "xer", "ccr", "softe", "trap", "dar", "dsisr",
        "result"),
        {"nip": "pc", "r1": "sp", "lr": "link", "r3": "result"},
        {"r13": "data of this CPU, in the kernel", "dar": "the address of the last fault"}, gap="32x"),
    "riscv64": _prstatus(64, (
        "pc", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", *numbered("a", 8),
        *(f"s{number}" for number in range(2, 12)), "t3", "t4", "t5", "t6"),
        {"pc": "pc", "sp": "sp", "ra": "link", "s0": "frame", "a0": "result"},
        {"tp": "the running task, in the kernel"}),
}
# fmt: on
"""The set of each machine that has one here, by the machine's name."""
