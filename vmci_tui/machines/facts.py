"""What is known of a machine, and what each program makes of it. What is left out is not known, or is not so."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

Orders = tuple[Literal["little", "big"], ...]
LITTLE: Final[Orders] = ("little",)
BIG: Final[Orders] = ("big",)
BOTH: Final[Orders] = ("little", "big")


class Crash(NamedTuple):
    """A machine for which crash for x86-64 was not built."""

    starts: bytes
    """How utsname.machine of a kdump header begins (diskdump.c)."""
    since: tuple[int, ...] = ()
    """The first version of crash that knows it; empty: all do."""


class Drgn(NamedTuple):
    """A machine to drgn."""

    name: str | None = None
    """What `drgn --architecture` takes (drgn 0.3.0)."""
    by_vaddr: bool = False
    """Whether it finds kernel memory by p_vaddr alone, or finds its page tables so."""


class Libkdumpfile(NamedTuple):
    """A machine to libkdumpfile."""

    name: str | None = None
    """What it calls the machine (elfdump.c mach2arch)."""
    uname: tuple[bytes, ...] = ()
    """The utsname.machine of a kdump header that stand for it (util.c machine_arch_name)."""
    page_size: int | None = None
    """Bytes of a page where no text says so (util.c default_page_shift)."""
    prstatus: int = 0
    """The least length of a CPU's note, for machines that have a reader for it (struct elf_prstatus)."""
    of_drgn: bool = False
    """Whether drgn names the machine before the file is opened (kdump.c drgn_platform_to_kdump)."""


class Qemu(NamedTuple):
    """A machine to QEMU."""

    cpu_note: tuple[bytes, int] | None = None
    """Name and type of what it writes for each CPU beside NT_PRSTATUS, and Linux does not in /proc/vmcore (QEMU 10.0.2,
    target/*/arch_dump.c; Linux 6.12, crash_core.c)."""
    phys_key: bytes | None = None
    """The one key that it reads (dump/dump.c vmcoreinfo_update_phys_base)."""
    ram_base: int = 0
    """Where the RAM of the `virt` machine begins: the phys_base that it guesses (target/arm/arch_dump.c)."""


class MachineFacts(NamedTuple):
    """What is known of a machine."""

    name: str
    e_machine: int = 0
    """The number in the ELF header (elf.h)."""
    bits: Literal[32, 64] | None = None
    """The width of its kernels."""
    by_class: bool = False
    """Whether the class of an ELF file says which of the machines with this e_machine it is."""
    orders: Orders = ()
    """The byte orders that its memory may have."""
    page_sizes: tuple[int, ...] = ()
    """Bytes of a page, the usual size first (Linux, arch/*/include/asm/page.h)."""
    uname: bytes | None = None
    """What `uname -m` says, as it is filled into a kdump header."""
    uname_like: bytes | None = None
    """A regular expression: all that `uname -m` may say, where that is more."""
    prstatus: int = 0
    """Bytes of the note NT_PRSTATUS that QEMU and the kernel write for each CPU."""
    other_width: str | None = None
    """The machine of the other width: a 32-bit kernel runs on a 64-bit machine, and QEMU writes the header of a 64-bit
    guest in firmware for 32 bits."""
    windows: int | None = None
    """MachineImageType of a Windows dump header."""
    linear_bits: int | None = None
    """Bits of a physical address that the linear map of its kernel has room for."""
    low_addresses: bool = False
    """Whether its kernel may use the low virtual addresses, which p_vaddr 0 then claims."""
    crash: Crash | None = None
    drgn: Drgn = Drgn()
    eu_readelf: bool = False
    """Whether the backend has `core_note` (elfutils 0.196, libebl/eblopenbackend.c)."""
    libkdumpfile: Libkdumpfile = Libkdumpfile()
    qemu: Qemu = Qemu()

    @property
    def only_bits(self) -> Literal[32, 64] | None:
        """The width of a machine that has only one by its e_machine; None where the class of the file tells."""
        return None if self.by_class else self.bits

    def says_uname(self, machine: bytes) -> bool:
        """Whether `uname -m` may say this on the machine."""
        like = self.uname_like or self.uname
        return like is not None and re.fullmatch(like, machine, re.DOTALL) is not None
