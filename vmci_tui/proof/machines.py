"""The machines: where each one's kernel is in memory, and how its page tables are read.

Every formula has the form paddr = va - shift for addresses of the kernel image.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from vmci_tui.containers.guest import Guest
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.knowledge.kernel_width import machine_of, votes
from vmci_tui.machines.lookup import machine_facts
from vmci_tui.machines.table import MACHINES as _ROWS
from vmci_tui.proof.kernel_addresses import KernelMachine, Shifts
from vmci_tui.proof.paging import arm as paging_arm
from vmci_tui.proof.paging import s390x_ppc64_riscv as paging_others
from vmci_tui.proof.paging import x86 as paging_x86
from vmci_tui.proof.text_values import address, line, number, symbol, unusable
from vmci_tui.search.candidate import Correction

ALL64: Final = (1 << 64) - 1
LINK_S390X: Final = 0x100000
"""_stext - KERNELOFFSET, and its paddr - KERNELOFFPHYS (TEXT_OFFSET of arch/s390/include/asm/setup.h)."""
_X86_64_MAP: Final = 0xFFFFFFFF80000000
_PHYS_BASE: Final = b"NUMBER(phys_base)"
_VOFFSET: Final = b"NUMBER(kimage_voffset)"
_RISCV_OFFSET: Final = b"NUMBER(va_kernel_pa_offset)"
_SPLITS: Final = (0xC0000000, 0x80000000, 0x40000000, 0xB0000000)
_PPC64_MAP: Final = 0xC000000000000000
_LOONGARCH_MAP: Final = 0x9000000000000000
_ARM_RANGES: Final = 8
_WHY: Final = "with it the kernel is where memory has it"


def _x86_64(text: Vmcoreinfo, guest: Guest) -> Shifts:
    if text.get(_PHYS_BASE) is not None:
        base = number(text, _PHYS_BASE)
        if base is None:
            return Shifts((), unusable(text, _PHYS_BASE))
        return Shifts((_X86_64_MAP - base,), line(text, _PHYS_BASE))
    place = symbol(text, b"phys_base")
    if place is None:
        return Shifts((), "the text has no NUMBER(phys_base)", wanted=False)
    # Before 4.10 the text names the variable, and a dump made after kexec has the place of the image around it.
    for at in guest.image:
        if at.vaddr <= place < at.vaddr + at.length:
            base = _X86_64_MAP - at.vaddr + at.paddr
            held = guest.read(place - at.vaddr + at.paddr, 8)
            if held is None or int.from_bytes(held, "little", signed=True) == base:
                return Shifts((_X86_64_MAP - base,), f"phys_base {base}, by the program header of the kernel's image")
    # Otherwise it can be read where it is if it is 0. Before 4.8 it is 0, except in a kernel that kexec moved.
    if place >= _X86_64_MAP and guest.read(place - _X86_64_MAP, 8) == bytes(8):
        return Shifts((_X86_64_MAP,), f"phys_base 0 read at {place - _X86_64_MAP:#x}")
    return Shifts((), f"{line(text, b'SYMBOL(phys_base)')} is the number's address, which it is needed to translate")


def _correct_x86_64(text: Vmcoreinfo, shift: int) -> tuple[Correction, ...] | None:
    if text.get(_PHYS_BASE) is None:
        return ()
    return (Correction(_PHYS_BASE, b"%d" % (_X86_64_MAP - shift), _WHY),)


def _arm64(text: Vmcoreinfo, guest: Guest) -> Shifts:
    return _hex_shift(text, _VOFFSET)


def _correct_arm64(text: Vmcoreinfo, shift: int) -> tuple[Correction, ...]:
    return (Correction(_VOFFSET, b"0x%x" % (shift & ALL64), _WHY),)


def _hex_shift(text: Vmcoreinfo, key: bytes) -> Shifts:
    if text.get(key) is None:
        return Shifts((), f"the text has no {key.decode()}", wanted=False)
    value = address(text, key)
    if value is None:
        return Shifts((), unusable(text, key))
    return Shifts((value,), line(text, key))


def _s390x(text: Vmcoreinfo, guest: Guest) -> Shifts:
    if text.get(b"KERNELOFFPHYS") is None:
        return Shifts((0,), "the rule that virtual and physical addresses are the same", wanted=False)
    moved, placed = address(text, b"KERNELOFFSET"), address(text, b"KERNELOFFPHYS")
    if moved is None or placed is None:
        return Shifts((), unusable(text, b"KERNELOFFSET" if moved is None else b"KERNELOFFPHYS"))
    return Shifts((moved - placed,), f"{line(text, b'KERNELOFFSET')} and {line(text, b'KERNELOFFPHYS')}")


def _correct_s390x(text: Vmcoreinfo, shift: int) -> tuple[Correction, ...] | None:
    """Return the wrong ones of both keys: KERNELOFFSET by _stext, KERNELOFFPHYS by the place in memory."""
    start = symbol(text, b"_stext")
    if start is None or start < LINK_S390X + max(shift, 0):
        return None
    moved = start - LINK_S390X
    out = []
    if address(text, b"KERNELOFFSET") != moved:
        out.append(Correction(b"KERNELOFFSET", b"%x" % moved, f"_stext is {start:#x}"))
    if address(text, b"KERNELOFFPHYS") != moved - shift:
        why = _WHY
        out.append(Correction(b"KERNELOFFPHYS", b"%x" % (moved - shift), why))
    return tuple(out)


def _riscv64(text: Vmcoreinfo, guest: Guest) -> Shifts:
    link, ram = address(text, b"NUMBER(KERNEL_LINK_ADDR)"), number(text, b"NUMBER(phys_ram_base)")
    if text.get(_RISCV_OFFSET) is not None or link is None or ram is None:
        return _hex_shift(text, _RISCV_OFFSET)
    how = f"{line(text, b'NUMBER(phys_ram_base)')} and {line(text, b'NUMBER(KERNEL_LINK_ADDR)')}"
    return Shifts((link - ram - (2 << 20), link - ram), how, False, False)


def _correct_riscv64(text: Vmcoreinfo, shift: int) -> tuple[Correction, ...]:
    return (Correction(_RISCV_OFFSET, b"0x%x" % (shift & ALL64), _WHY),)


def _i386(text: Vmcoreinfo, guest: Guest) -> Shifts:
    return Shifts(_SPLITS, "the usual splits of 4 GiB", wanted=False)


def _arm(text: Vmcoreinfo, guest: Guest) -> Shifts:
    """RAM begins with the first range, or up to 128 MiB below it (a kernel that determines its place at run time)."""
    starts = [item.paddr for item in guest.memory.ranges[:_ARM_RANGES]]
    bases = _distinct(start & mask for start in starts for mask in (~0x1FFFFF, ~0x7FFFFFF))
    shifts = tuple(split - base for split in _SPLITS for base in bases)
    return Shifts(shifts, "the usual splits of 4 GiB and where RAM begins", False, False)


def _distinct(values: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(values))


def _fixed(base: int) -> Shifts:
    return Shifts((base,), f"the rule that RAM is mapped at {base:#x}", wanted=False)


X86_64: Final = KernelMachine(
    _ROWS["x86_64"], _x86_64, lambda text, order: paging_x86.long_mode(text), step=2 << 20, correct=_correct_x86_64
)
I386: Final = KernelMachine(_ROWS["i386"], _i386, lambda text, order: paging_x86.protected_mode(text))
AARCH64: Final = KernelMachine(_ROWS["aarch64"], _arm64, paging_arm.arm64, step=64 << 10, correct=_correct_arm64)
ARM: Final = KernelMachine(_ROWS["arm"], _arm, paging_arm.arm)
S390X: Final = KernelMachine(
    _ROWS["s390x"], _s390x, lambda text, order: paging_others.s390x(), step=4 << 10, correct=_correct_s390x
)
RISCV64: Final = KernelMachine(
    _ROWS["riscv64"], _riscv64, lambda text, order: paging_others.riscv64(text), step=2 << 20, correct=_correct_riscv64
)
PPC64: Final = KernelMachine(
    _ROWS["ppc64"], lambda text, guest: _fixed(_PPC64_MAP), lambda text, order: paging_others.ppc64(text)
)
LOONGARCH64: Final = KernelMachine(
    _ROWS["loongarch64"], lambda text, guest: _fixed(_LOONGARCH_MAP), lambda text, order: (), tables=False
)

MACHINES: Final = {
    machine.name: machine for machine in (X86_64, I386, AARCH64, ARM, S390X, RISCV64, PPC64, LOONGARCH64)
}


def machines_for(text: Vmcoreinfo, guest: Guest) -> tuple[tuple[KernelMachine, ...], str]:
    """Return the machines on which the text may have been written, and the reason if there is none."""
    named = machine_of(text)
    widths = {vote.bits for vote in votes(text) if vote.bits is not None}
    other = machine_facts(guest.machine).other_width
    if named is not None and guest.machine not in (None, named[0]) and named[0] != other:
        return (), f"line {named[1].line} is written only by {named[0]} kernels, but the dump is from {guest.machine}"
    name = named[0] if named is not None else guest.machine
    machine = MACHINES.get(name or "")
    if name is not None:
        if machine is None:
            return (), f"kernels of {name} are not known well enough"
        if named is None and other is not None and MACHINES[other].bits in widths:
            return (MACHINES[other],), ""
        return (machine,), ""
    found = tuple(one for one in MACHINES.values() if widths == {one.bits})
    return found, "" if found else "neither the file nor the text says which machine it is"
