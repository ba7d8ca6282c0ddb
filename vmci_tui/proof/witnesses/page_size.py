"""PAGESIZE as a witness: a machine has only some page sizes, and no page table or symbol would contradict another."""

from __future__ import annotations

from typing import Final

from vmci_tui.proof.kernel_addresses import PlacedKernel, Witness
from vmci_tui.search.candidate import Correction

_KEY: Final = b"PAGESIZE"


def page_size(kernel: PlacedKernel) -> Witness:
    """Contradict a size that the machine cannot have; a possible size is not evidence."""
    sizes = kernel.machine.facts.page_sizes
    said = kernel.text.get(_KEY)
    if said is None or not sizes or said in [b"%d" % size for size in sizes]:
        return Witness(None, "PAGESIZE is possible", strong=False)
    wanted = " or ".join(map(str, sizes))
    corrected = (Correction(_KEY, b"%d" % sizes[0], "the machine has no other"),) if len(sizes) == 1 else ()
    return Witness(False, f"a kernel of {kernel.machine.name} has pages of {wanted} bytes", corrections=corrected)
