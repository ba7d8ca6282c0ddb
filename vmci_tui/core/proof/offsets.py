"""KERNELOFFSET as a witness: how far a kernel was moved from where it was linked, held against _stext.

No address is translated by it on x86-64 and arm64, so page tables do not show that it is wrong; yet
makedumpfile and drgn move symbols by it.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.core.candidate import Correction
from vmci_tui.core.proof.kernel import Kernel, Witness
from vmci_tui.core.proof.values import address, line, symbol

_KEY: Final = b"KERNELOFFSET"
_LINK_X86_64: Final = 0xFFFFFFFF81000000
_PART: Final = 2 << 20


def x86_64(kernel: Kernel) -> Witness:
    """_stext - KERNELOFFSET is 0xffffffff81000000, and _stext is where the mapping of the kernel begins.

    What lies below _text is unmapped at boot (cleanup_highmap, __startup_64), in parts of 2 MiB.
    """
    start = symbol(kernel.text, b"_stext")
    if start is None:
        return Witness(None, "the text has no SYMBOL(_stext)", False)
    first = kernel.bare(start - _PART) if start % _PART == 0 else False
    if first is False:
        return Witness(False, f"the kernel does not begin at {line(kernel.text, b'SYMBOL(_stext)')}", False)
    return _held(kernel, start, _LINK_X86_64, first is True, "the kernel is linked at")


def held(kernel: Kernel) -> Witness:
    """The check of the kernel's machine; cannot tell where there is none."""
    if kernel.machine.name == "x86_64":
        return x86_64(kernel)
    return Witness(None, "no key to hold against _stext", False)


def _held(kernel: Kernel, start: int, link: int, sure: bool, why: str) -> Witness:
    if kernel.text.get(_KEY) is None:
        return Witness(None, "the text has no KERNELOFFSET", False)
    moved = address(kernel.text, _KEY)
    if moved is not None and start - moved == link:
        return Witness(True, f"_stext lies {moved:#x} above {link:#x}", False)
    words = f"{line(kernel.text, _KEY)} contradicts SYMBOL(_stext), {start:#x}: {why} {link:#x}"
    if not sure or start < link:
        return Witness(False, words, False)
    fit = Correction(_KEY, b"%x" % (start - link), f"_stext is {start:#x}, and {why} {link:#x}")
    return Witness(False, words, False, (fit,))
