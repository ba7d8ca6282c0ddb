"""Where the kernel's text begins, by what its page tables let be written; only 32-bit kernels need that.

They map all of RAM in one piece, so that a wrong _stext is mapped as a right one is, and before 6.0 nothing
else tells where it is. With CONFIG_STRICT_KERNEL_RWX, the default, _stext is the first byte that is read-only.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.proof.kernel_addresses import PlacedKernel, Witness
from vmci_tui.proof.paging.walk import Paging
from vmci_tui.proof.text_values import line, symbol

_STEP: Final = 1 << 20
_FAR: Final = 64 << 20


def text_begins(kernel: PlacedKernel) -> Witness:
    """Contradicts where _stext is not the first byte that is read-only, of a kernel that has such bytes."""
    start = symbol(kernel.text, b"_stext")
    if kernel.machine.bits != 32 or start is None:
        return Witness(None, "_stext is held against other things", False)
    for paging in kernel.pagings:
        own, below = kernel.walk(paging, start), kernel.walk(paging, start - 1)
        if own is None or below is None or own.state != "mapped" or below.state != "mapped":
            continue
        if own.readonly and not below.readonly:
            return Witness(True, f"the kernel's text begins at {start:#x}", False)
        if below.readonly or _protected(kernel, paging):
            return Witness(False, f"the kernel's text does not begin at {line(kernel.text, b'SYMBOL(_stext)')}", False)
    return Witness(None, "nothing tells where the kernel's text begins", False)


def _protected(kernel: PlacedKernel, paging: Paging) -> bool:
    """Whether anything in the 64 MiB below init_uts_ns, which is data behind the text, is read-only."""
    data = symbol(kernel.text, b"init_uts_ns") or 0
    walks = (kernel.walk(paging, data - at) for at in range(_STEP, _FAR, _STEP) if at <= data)
    return any(found is not None and found.readonly for found in walks)
