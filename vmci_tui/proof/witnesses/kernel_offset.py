"""KERNELOFFSET as a witness: the distance of a kernel from where it was linked, compared with _stext.

On most machines it translates no address, so page tables do not show that it is wrong; but makedumpfile and
drgn move symbols by it.
"""

from __future__ import annotations

import re
from typing import Final

from vmci_tui.proof.kernel_addresses import PlacedKernel, Witness
from vmci_tui.proof.machines import LINK_S390X
from vmci_tui.proof.text_values import address, line, small, symbol
from vmci_tui.search.candidate import Correction

_KEY: Final = b"KERNELOFFSET"
_X86_64: Final = 0xFFFFFFFF80000000
_X86_64_STARTS: Final = (0x1000000, 0x200000)
"""CONFIG_PHYSICAL_START: the default, and a value that some kernels were built with."""
_PPC64: Final = 0xC000000000000000
_MAGIC: Final = b"ARM\x64"
_MAGIC_AT: Final = 56
_PART: Final = 2 << 20
_RELEASE: Final = re.compile(rb"([0-9]{1,3})\.([0-9]{1,3})")
_ARM64: Final = (0x10000, 0x1000, 0x2000, 0x81000, 0x82000, 0x90000)
"""Bytes from the image's start to _stext: since 5.8 a segment of 64 KiB, before a page or two and TEXT_OFFSET."""


def kernel_offset(kernel: PlacedKernel) -> Witness:
    """Contradict if KERNELOFFSET and _stext do not fit together, or _stext is not where the image begins."""
    start = symbol(kernel.text, b"_stext")
    if start is None or kernel.text.get(_KEY) is None:
        return Witness(None, "the text lacks SYMBOL(_stext) or KERNELOFFSET", False)
    name = kernel.machine.name
    if name == "x86_64":
        return _by_x86_64(kernel, start)
    if name == "aarch64":
        return _by_arm64(kernel, start)
    if name == "s390x":
        return _held(kernel, start, LINK_S390X, (0,), True)  # the lowcore contradicts a wrong _stext
    if name == "riscv64":
        return _by_riscv64(kernel, start)
    if name == "ppc64" and start == _PPC64:  # a kernel that runs where it was linked
        return _held(kernel, start, _PPC64, (0,), True)
    return Witness(None, f"what KERNELOFFSET means on {name} is not known", False)


def _by_x86_64(kernel: PlacedKernel, start: int) -> Witness:
    """Use that everything below _text is unmapped at boot, in parts of 2 MiB (cleanup_highmap, __startup_64)."""
    begins = kernel.maps_nothing(start - _PART) if start % _PART == 0 else False
    if begins is False:
        return Witness(False, f"the kernel does not begin at {line(kernel.text, b'SYMBOL(_stext)')}", False)
    return _held(kernel, start, _X86_64, _X86_64_STARTS, begins is True)


def _by_arm64(kernel: PlacedKernel, start: int) -> Witness:
    """Use that the image is linked at the end of the modules' area (KIMAGE_VADDR)."""
    link = address(kernel.text, b"NUMBER(MODULES_END)") or _modules_end(kernel)
    if link is None:
        return Witness(None, "where this kernel was linked is not known", False)
    return _held(kernel, start, link, _ARM64, _begins_arm64(kernel, start))


def _begins_arm64(kernel: PlacedKernel, start: int) -> bool:
    """Return whether nothing is mapped below _stext, or the image's header is there (struct arm64_image_header).

    From 5.11 to 6.9 the header is unmapped and freed after boot.
    """
    head = start - _ARM64[0]
    return kernel.maps_nothing(start - 1) is True or kernel.read(head + _MAGIC_AT, len(_MAGIC)) == _MAGIC


def _modules_end(kernel: PlacedKernel) -> int | None:
    """Return NUMBER(MODULES_END) for kernels since 5.4 whose text lacks it (arch/arm64/include/asm/memory.h)."""
    release = _RELEASE.match(kernel.text.osrelease or b"")
    bits = small(kernel.text, b"NUMBER(VA_BITS)", 52)
    if release is None or not bits:
        return None
    version = int(release[1]), int(release[2])
    areas = 2 if version < (5, 11) else 1  # of 128 MiB: for modules, and before 5.11 for BPF
    return (1 << 64) - (1 << min(bits, 48) - 1) + (areas << 27) if version >= (5, 4) else None


def _by_riscv64(kernel: PlacedKernel, start: int) -> Witness:
    """Use that the image moves by parts of 2 MiB, and _stext is in its first one."""
    link = address(kernel.text, b"NUMBER(KERNEL_LINK_ADDR)")
    if link is None:
        return Witness(None, "the text has no NUMBER(KERNEL_LINK_ADDR)", False)
    return _held(kernel, start, link, (start % _PART,), kernel.maps_nothing(start - start % _PART - 1) is True)


def _held(kernel: PlacedKernel, start: int, link: int, behind: tuple[int, ...], sure: bool) -> Witness:
    """Compare; `behind`: possible distances of _stext after `link`, usual one first; `sure`: _stext is right."""
    moved = address(kernel.text, _KEY)
    if moved is not None and start - moved - link in behind:
        return Witness(True, f"_stext is {moved:#x} above where it was linked", False)
    usual = link + behind[0]
    words = f"{line(kernel.text, _KEY)} does not fit SYMBOL(_stext), {start:#x}, which was linked at {usual:#x}"
    if not sure or start < usual:
        return Witness(False, words, False)
    why = f"_stext is {start:#x} and was linked at {usual:#x}"
    return Witness(False, words, False, corrections=(Correction(_KEY, b"%x" % (start - usual), why),))
