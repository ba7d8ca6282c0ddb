"""Read the kernel's symbols, with the text in memory where the dump's own does not say where its image is."""

from __future__ import annotations

from typing import NamedTuple

from vmci_tui.adoption.text_to_read import text_to_read
from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.image.places import SEARCHED
from vmci_tui.kernel.symbols.crash_kernel import runs_after_crash
from vmci_tui.kernel.symbols.read_symbols import KernelSymbols, read_symbols


class PlacedSymbols(NamedTuple):
    """The kernels in memory, the one that runs first, and the text that was used."""

    kernels: tuple[KernelSymbols, ...]
    text: Vmcoreinfo | None


def wanted_symbols(own: Vmcoreinfo | None, guest: Guest, progress: Progress, within: int = SEARCHED) -> PlacedSymbols:
    """Return the kernels as `read_symbols` does; of a dump without a note, first one that crashed before the next.

    Memory is searched for its text only if no CPU was left in it. Raises what `progress` raises.
    """
    kernels = read_symbols(guest, own, progress, within)
    first = kernels[0] if own is None and kernels else None
    if first is not None and runs_after_crash(guest, first.table, first.order):
        text = text_to_read(None, guest, progress).text
        return PlacedSymbols(read_symbols(guest, text, progress, within) or kernels, text)
    return PlacedSymbols(kernels, own)


def placed_symbols(own: Vmcoreinfo | None, guest: Guest, progress: Progress) -> PlacedSymbols:
    """Return the symbols of the kernels in memory; memory is searched for a text only if their place is not known.

    The registers of x86 and s390x name the page tables, so there it is. Raises what `progress` raises.
    """
    kernels, text = wanted_symbols(own, guest, progress)
    if kernels and kernels[0].table.shift is not None:
        return PlacedSymbols(kernels, text)
    text = text_to_read(own, guest, progress).text
    return PlacedSymbols(read_symbols(guest, text, progress) or kernels, text)
