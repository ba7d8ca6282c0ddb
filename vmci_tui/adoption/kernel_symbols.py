"""Read the kernel's symbols, with the text in memory where the dump's own does not say where its image is."""

from __future__ import annotations

from typing import NamedTuple

from vmci_tui.adoption.text_to_read import text_to_read
from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.symbols.read_symbols import KernelSymbols, read_symbols


class PlacedSymbols(NamedTuple):
    """The kernels in memory, the one that runs first, and the text that was used."""

    kernels: tuple[KernelSymbols, ...]
    text: Vmcoreinfo | None


def placed_symbols(own: Vmcoreinfo | None, guest: Guest, progress: Progress) -> PlacedSymbols:
    """Return the symbols of the kernels in memory; memory is searched for a text only if their place is not known.

    The registers of x86 and s390x name the page tables, so there it is. Raises what `progress` raises.
    """
    kernels = read_symbols(guest, own, progress)
    if kernels and kernels[0].table.shift is not None:
        return PlacedSymbols(kernels, own)
    text = text_to_read(own, guest, progress).text
    return PlacedSymbols(read_symbols(guest, text, progress) or kernels, text)
