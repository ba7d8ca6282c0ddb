"""PAGESIZE against the pages that a machine's kernel can have: what no page table or symbol would contradict."""

from __future__ import annotations

from typing import Final

from vmci_tui.proof.kernel_addresses import Kernel, Witness
from vmci_tui.search.candidate import Correction

_KEY: Final = b"PAGESIZE"
_SIZES: Final = {
    "x86_64": (4096,), "i386": (4096,), "arm": (4096,), "s390x": (4096,), "riscv64": (4096,),
    "aarch64": (4096, 16384, 65536), "ppc64": (4096, 65536), "loongarch64": (4096, 16384, 65536),
}  # fmt: skip
"""PAGE_SHIFT of each machine (Linux, arch/*/include/asm/page.h)."""


def page_size(kernel: Kernel) -> Witness:
    """Weak: that it can be is no proof, that it cannot be contradicts the text."""
    sizes = _SIZES.get(kernel.machine.name, ())
    said = kernel.text.get(_KEY)
    if said is None or not sizes or said in [b"%d" % size for size in sizes]:
        return Witness(None, "PAGESIZE may be so", strong=False)
    wanted = " or ".join(map(str, sizes))
    mended = (Correction(_KEY, b"%d" % sizes[0], "the machine has no other"),) if len(sizes) == 1 else ()
    return Witness(False, f"a kernel of {kernel.machine.name} has pages of {wanted} bytes", corrections=mended)
