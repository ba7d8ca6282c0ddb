"""The start of the kernel's text as a witness, by write permissions in page tables; only 32-bit kernels need it.

They map all of RAM in one piece, so a wrong _stext is mapped like a right one, and before 6.0 nothing else shows
where it is. With CONFIG_STRICT_KERNEL_RWX, the default, _stext is the first read-only byte.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.proof.kernel_addresses import PlacedKernel, Witness
from vmci_tui.proof.paging.walk import Paging
from vmci_tui.proof.text_values import line, symbol

_STEP: Final = 1 << 20
_FAR: Final = 64 << 20


def text_begins(kernel: PlacedKernel) -> Witness:
    """Contradict if _stext is not the first read-only byte of a kernel that has such bytes."""
    start = symbol(kernel.text, b"_stext")
    if kernel.machine.bits != 32 or start is None:
        return Witness(None, "_stext is checked in other ways", False)
    for paging in kernel.pagings:
        own, below = kernel.walk(paging, start), kernel.walk(paging, start - 1)
        if own is None or below is None or own.state != "mapped" or below.state != "mapped":
            continue
        if own.readonly and not below.readonly:
            return Witness(True, f"the kernel's text begins at {start:#x}", False)
        if below.readonly or _protected(kernel, paging):
            return Witness(False, f"the kernel's text does not begin at {line(kernel.text, b'SYMBOL(_stext)')}", False)
    return Witness(None, "nothing shows where the kernel's text begins", False)


def _protected(kernel: PlacedKernel, paging: Paging) -> bool:
    """Return whether anything in the 64 MiB below init_uts_ns, which is data after the text, is read-only."""
    data = symbol(kernel.text, b"init_uts_ns") or 0
    walks = (kernel.walk(paging, data - at) for at in range(_STEP, _FAR, _STEP) if at <= data)
    return any(found is not None and found.readonly for found in walks)
