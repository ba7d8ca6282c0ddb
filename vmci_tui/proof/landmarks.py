"""Places of guest memory that a proved text names: the kernel's name, its page tables, its code and its log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.common.errors import PackageMissing, Spent
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.proof.cross_checks import needed, proved_kernel
from vmci_tui.proof.kernel_addresses import PlacedKernel
from vmci_tui.proof.text_values import symbol
from vmci_tui.proof.witnesses.utsname import LENGTH

_SYMBOLS: Final = (
    (b"swapper_pg_dir", "page tables"),
    (b"_stext", "kernel code (_stext)"),
    (b"printk_rb_static", "kernel log"),
    (b"log_buf", "pointer to the log"),
)
"""Symbols of the kernel's image, and what is there; the log is a ring since 5.10, and a buffer before."""


class Landmark(NamedTuple):
    """A place in the image of the kernel."""

    paddr: int
    va: int
    length: int
    """Bytes of it that are shown as one; 1 if its size is not known."""
    name: str


def landmarks(text: Vmcoreinfo, guest: Guest) -> tuple[Landmark, ...]:
    """Return the places that the text names, the kernel's name first; () unless memory proves where its kernel is.

    A few pages are read. Raises Cancelled by the guest's budget.
    """
    try:
        kernel = proved_kernel(text, guest)
    except (Spent, PackageMissing):
        return ()
    return () if kernel is None else tuple(_places(kernel))


def _places(kernel: PlacedKernel) -> Iterator[Landmark]:
    wanted = needed(kernel.text)
    if not isinstance(wanted, str):
        yield Landmark(kernel.paddr(wanted[0]), wanted[0], LENGTH, "kernel name (utsname)")
    for name, words in _SYMBOLS:
        if (va := symbol(kernel.text, name)) is not None:
            yield Landmark(kernel.paddr(va), va, 1, words)
