"""Declare what other notes of a CPU hold: QEMU's CPU state of x86, floating-point and vector registers.

Sources: QEMU 10.0 target/i386/arch_dump.c (QEMUCPUState), target/{arm,ppc,s390x}/arch_dump.c; Linux 6.1
include/uapi/linux/elf.h for the types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from vmci_tui.formats.registers.register_set import RegisterSet, numbered

_SEGMENTS: Final = ("cs", "ds", "es", "fs", "gs", "ss", "ldt", "tr", "gdt", "idt")
_PARTS: Final = ("selector", "limit", "flags", "base")

# fmt: off
QEMU_STATE: Final = RegisterSet(
    "all registers of a CPU, as QEMU keeps them",
    ("version", "size",
     "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", *(f"r{number}" for number in range(8, 16)),
     "rip", "rflags", *(f"{name}.{part}" for name in _SEGMENTS for part in _PARTS),
     *numbered("cr", 5), "kernel_gs_base"),
    ("I", "I", *"Q" * 18, *("I", "I", "I", "4xQ") * len(_SEGMENTS), *"QQQQQ", "Q"),
    {"rip": "pc", "rsp": "sp", "rbp": "frame", "rax": "result", "cr3": "tables"},
    {
        "version": "1: the only version of this record", "size": "bytes of this record",
        "cs.selector": "its two low bits are 0 in the kernel, 3 in a process",
        "gs.base": "data of this CPU, in the kernel",
        "kernel_gs_base": "the other gs.base, which swapgs exchanges for it",
        "cr0": "bit 31: paging is on", "cr2": "the address of the last page fault",
        "cr4": "bit 5: PAE; bit 12: five levels of page tables",
        "idt.base": "the table of interrupt handlers", "gdt.base": "the table of segments",
    },
)


def _wide(title: str, *groups: tuple[str, int, str]) -> RegisterSet:
    """Return a set of groups: each the name of a register (with a number, if there are several), count and code."""
    def flat() -> Iterator[tuple[str, str]]:
        for name, count, code in groups:
            yield from ((one, code) for one in (numbered(name, count) if count > 1 else (name,)))
    names, codes = zip(*flat(), strict=True)
    return RegisterSet(title, names, codes)


_FLOATS: Final = "floating-point registers of a CPU (NT_FPREGSET)"
Key = tuple[str, bytes, int]
"""A machine, and the name and type of a note."""
OTHERS: Final[Mapping[Key, RegisterSet]] = {
    ("x86_64", b"QEMU", 0): QEMU_STATE,
    ("i386", b"QEMU", 0): QEMU_STATE,
    ("aarch64", b"CORE", 2): _wide(_FLOATS, ("v", 32, "16s"), ("fpsr", 1, "I"), ("fpcr", 1, "I")),
    ("arm", b"LINUX", 0x400): _wide("vector registers (NT_ARM_VFP)", ("d", 32, "Q"), ("fpscr", 1, "I")),
    ("ppc64", b"CORE", 2): _wide(_FLOATS, ("f", 32, "Q"), ("fpscr", 1, "Q")),
    ("ppc64", b"CORE", 0x100): _wide("vector registers (NT_PPC_VMX)",
        ("vr", 32, "16s"), ("vscr", 1, "16s"), ("vrsave", 1, "16s")),
    ("ppc64", b"CORE", 0x101): _wide("signal-processing registers (NT_PPC_SPE)",
        ("evr", 32, "I"), ("acc", 1, "Q"), ("spefscr", 1, "I")),
    ("ppc64", b"CORE", 0x102): _wide("second halves of the vector-scalar registers (NT_PPC_VSX)", ("vs", 32, "Q")),
    ("s390x", b"CORE", 2): _wide(_FLOATS, ("fpc", 1, "I"), ("f0", 1, "4xQ"),
        *((f"f{number}", 1, "Q") for number in range(1, 16))),
    ("s390x", b"LINUX", 0x301): _wide("CPU timer (NT_S390_TIMER)", ("timer", 1, "Q")),
    ("s390x", b"LINUX", 0x302): _wide("clock comparator (NT_S390_TODCMP)", ("todcmp", 1, "Q")),
    ("s390x", b"LINUX", 0x303): _wide("programmable part of the clock (NT_S390_TODPREG)", ("todpreg", 1, "I")),
    ("s390x", b"LINUX", 0x304): _wide("control registers (NT_S390_CTRS)", ("cr", 16, "Q"))._replace(
        roles={"cr1": "tables"}, meanings={"cr13": "the page tables of the kernel's home space"}),
    ("s390x", b"LINUX", 0x305): _wide("prefix (NT_S390_PREFIX)", ("prefix", 1, "I"))._replace(
        meanings={"prefix": "the paddr of this CPU's low page"}),
    ("s390x", b"LINUX", 0x309): _wide("second halves of v0 to v15 (NT_S390_VXRS_LOW)", ("v", 16, "Q")),
    ("s390x", b"LINUX", 0x30A): _wide("vector registers v16 to v31 (NT_S390_VXRS_HIGH)",
        *((f"v{number}", 1, "16s") for number in range(16, 32))),
    ("s390x", b"LINUX", 0x30B): _wide("guarded storage (NT_S390_GS_CB)",
        ("reserved", 1, "Q"), ("gsd", 1, "Q"), ("gssm", 1, "Q"), ("gsepla", 1, "Q")),
}
# fmt: on
"""The sets of all notes but NT_PRSTATUS."""
