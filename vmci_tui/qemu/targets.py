"""The guests that can be started, and how much RAM each must have."""

from __future__ import annotations

import os
import shutil
from typing import Final, Literal, NamedTuple

from vmci_tui.common.safe_text import visible
from vmci_tui.machines.lookup import machine_facts
from vmci_tui.qemu import QemuError

_MIB: Final = 1 << 20
_GIB: Final = 1 << 30
_LEAST: Final = 4 * _MIB
"""Bytes of RAM; some machines do not start with less."""


class QemuTarget(NamedTuple):
    """A guest, without the parts that depend on the entry."""

    name: str
    program: str
    package: str
    """The Debian package with the program."""
    arguments: tuple[str, ...]
    fw_cfg: Literal["io", "mmio"]
    ram_base: int
    ram_end: int
    """The first address that cannot be RAM."""
    long_mode: bool = False
    """Whether the CPU must be put into long mode: else QEMU writes an EM_386 dump of an x86-64 guest."""

    def ram_for(self, paddr: int, length: int) -> int:
        """Return the bytes of RAM with which a region is in RAM; the least if none is enough."""
        end = paddr + length
        if not self.ram_base <= paddr < end <= self.ram_end:
            return _LEAST
        if self.fw_cfg == "mmio":
            return max(-(-(end - self.ram_base) // _MIB) * _MIB, _LEAST)
        return _pc_ram(paddr, end)


def _pc_ram(paddr: int, end: int) -> int:
    """Return the RAM of `pc`: up to 3.5 GiB in one piece; of more, 3 GiB are low, the rest at 4 GiB (pc_piix.c)."""
    size = max(-(-end // _MIB) * _MIB, _LEAST)
    if size < 0xE000_0000:
        return size
    if paddr >= 4 * _GIB:
        return max(size - _GIB, 0xE000_0000)
    return _LEAST


def _x86(name: str, program: str, long_mode: bool) -> QemuTarget:
    top = 256 * _GIB if long_mode else 0xE000_0000
    return QemuTarget(name, program, "qemu-system-x86", ("-machine", "pc"), "io", 0, top, long_mode)


def _arm(name: str, cpu: str, end: int) -> QemuTarget:
    machine = name.removesuffix("-be")
    base = machine_facts(machine).qemu.ram_base
    return QemuTarget(
        name, f"qemu-system-{machine}", "qemu-system-arm", ("-machine", "virt", "-cpu", cpu), "mmio", base, end
    )


TARGETS: Final = {
    target.name: target
    for target in (
        _x86("x86_64", "qemu-system-x86_64", True),
        _x86("i386", "qemu-system-i386", False),
        _arm("aarch64", "cortex-a57", 64 * _GIB),
        _arm("arm", "cortex-a15", 4 * _GIB),
        _arm("aarch64-be", "cortex-a57,cfgend=on", 64 * _GIB),
        _arm("arm-be", "cortex-a15,cfgend=on", 4 * _GIB),
    )
}
"""The machines with a vmcoreinfo device: s390x and ppc64 have none, and riscv64 has no fw_cfg with DMA for it."""


def program_of(target: QemuTarget, path: str | None = None) -> str:
    """Return the path of the QEMU to ask. Raises QemuError with the way to get one."""
    wanted = path or target.program
    found = shutil.which(wanted)
    if found is not None:
        return os.path.abspath(found)
    if path is not None:
        raise QemuError(f"{visible(path)} is not a program", f"name a {target.program}, or leave out --qemu")
    raise QemuError(
        f"{target.program} is not installed", f"Debian, Ubuntu: apt install {target.package}; elsewhere use --qemu PATH"
    )
