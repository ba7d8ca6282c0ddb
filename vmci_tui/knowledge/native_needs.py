"""Keys without which crash and makedumpfile fail, if they are built for another machine than x86-64.

Their verdicts are those of x86-64 builds, which read no other machine. So this comes only from their sources:
crash 9.0.2 and makedumpfile 1.7.9, the files named with each line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.knowledge.debug_packages import version_of

_Lacks = Callable[[Vmcoreinfo], tuple[str, ...]]


class ProgramNeed(NamedTuple):
    """A condition without which a program stops."""

    machine: str
    reader: str
    """The program, and its releases if not all of them."""
    says: str
    """Its words; empty if it prints no message of its own."""
    lacks: _Lacks
    """Returns what is missing or wrong in a text, each as a key or a line; () if nothing is."""
    since: tuple[int, int] = (0, 0)
    """The first kernel for which the program needs it."""
    over: str = "without"


class UnmetNeed(NamedTuple):
    """A need, and what a text lacks for it."""

    need: ProgramNeed
    lacking: tuple[str, ...]


def _all(*keys: str) -> _Lacks:
    return lambda text: tuple(key for key in keys if text.get(key.encode()) is None)


def _one_of(*keys: str) -> _Lacks:
    def lacks(text: Vmcoreinfo) -> tuple[str, ...]:
        return () if any(text.get(key.encode()) is not None for key in keys) else (" or ".join(keys),)

    return lacks


def _wide(text: Vmcoreinfo) -> tuple[str, ...]:
    """Return 52 bits with pages of 4 or 16 KiB, which arch/arm64.c calculate_plat_config knows only after 1.7.9."""
    wide = text.get(b"NUMBER(VA_BITS)") == b"52" and text.page_size in (4096, 16384)
    return (f"NUMBER(VA_BITS)=52 with PAGESIZE={text.page_size}",) if wide else ()


_TCR: Final = "NUMBER(TCR_EL1_T1SZ)"
_VA_BITS: Final = "NUMBER(VA_BITS)"
_LAYOUT: Final = (
    *("NUMBER(PAGE_OFFSET)", "NUMBER(VMALLOC_START)", "NUMBER(VMALLOC_END)", "NUMBER(VMEMMAP_START)"),
    *("NUMBER(VMEMMAP_END)", "NUMBER(KERNEL_LINK_ADDR)"),
)
_MODULES: Final = ("NUMBER(MODULES_VADDR)", "NUMBER(MODULES_END)")
_KERNEL: Final = "NUMBER(va_kernel_pa_offset)"
NEEDS: Final = (
    # arm64.c arm64_calc_VA_BITS: for kernels with vabits_actual; 8.0.1 uses VA_BITS too (6ecb8a2).
    ProgramNeed("aarch64", "crash", "cannot determine VA_BITS_ACTUAL", _one_of(_TCR, _VA_BITS), (5, 4)),
    ProgramNeed("aarch64", "crash before 8.0.1", "cannot determine VA_BITS_ACTUAL", _all(_TCR), (5, 4)),
    # arch/arm64.c get_versiondep_info_arm64, calculate_plat_config, vaddr_to_paddr_arm64.
    ProgramNeed("aarch64", "makedumpfile", "Can't determine va_bits.", _one_of(_VA_BITS, "SYMBOL(_stext)")),
    ProgramNeed(
        "aarch64", "makedumpfile up to 1.7.9", "PAGE SIZE ... and VA Bits 52 not supported", _wide, over="because of"
    ),
    ProgramNeed("aarch64", "makedumpfile", "Can't get the symbol of swapper_pg_dir.", _all("SYMBOL(swapper_pg_dir)")),
    # riscv64.c riscv64_get_va_range, riscv64_get_phys_ram_base, riscv64_get_va_kernel_pa_offset.
    ProgramNeed("riscv64", "crash", "cannot get vm layout", _all(*_LAYOUT)),
    ProgramNeed("riscv64", "crash", "cannot get vm layout", _all(*_MODULES), (5, 13)),
    ProgramNeed("riscv64", "crash", "cannot read phys_ram_base", _all("NUMBER(phys_ram_base)"), (5, 14)),
    ProgramNeed("riscv64", "crash", "cannot read va_kernel_pa_offset", _all(_KERNEL), (6, 4)),
    # arch/riscv64.c get_machdep_info_riscv64, vaddr_to_paddr_riscv64.
    ProgramNeed("riscv64", "makedumpfile", "", _all(_VA_BITS, *_LAYOUT, *_MODULES, _KERNEL)),
    ProgramNeed("riscv64", "makedumpfile", "Can't get the symbol of swapper_pg_dir.", _all("SYMBOL(swapper_pg_dir)")),
    # arch/x86.c, arch/ppc64.c, arch/s390x.c get_machdep_info_*; vtop_s390x; arch/loongarch64.c, arch/arm.c vtop_*.
    *(
        ProgramNeed(machine, "makedumpfile", "Can't get the symbol of _stext.", _all("SYMBOL(_stext)"))
        for machine in ("i386", "ppc64", "s390x")
    ),
    *(
        ProgramNeed(machine, "makedumpfile", "Can't get the symbol of swapper_pg_dir.", _all("SYMBOL(swapper_pg_dir)"))
        for machine in ("s390x", "loongarch64", "arm")
    ),
)


def unmet(text: Vmcoreinfo, machine: str | None) -> Iterator[UnmetNeed]:
    """Yield what a text lacks for the native programs of its machine, one item for each program and message."""
    version = version_of(text.osrelease or b"") or (0, 0)
    found: dict[tuple[str, str], UnmetNeed] = {}
    for need in NEEDS:
        lacking = need.lacks(text) if need.machine == machine and need.since <= version else ()
        if lacking:
            before = found.get((need.reader, need.says))
            found[need.reader, need.says] = UnmetNeed(need, (*(before.lacking if before else ()), *lacking))
    for item in found.values():
        # If every release of a program stops with a message, one for an old release adds nothing.
        program = item.need.reader.split()[0]
        if item.need.reader == program or (program, item.need.says) not in found:
            yield item
