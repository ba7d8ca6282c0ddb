"""Find kernels in memory beside the one that runs: what a kexec left, the pages of a file, the memory of a guest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import Spent
from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest
from vmci_tui.kernel.image.places import places
from vmci_tui.kernel.symbols.read_symbols import STEPS, KernelSymbols, kernel_at

_WITHIN: Final = 256 << 20
"""Bytes of memory that are searched, from the lowest address on: about 0.2 s, as long as reading the symbols takes."""


def other_kernels(guest: Guest, known: Sequence[KernelSymbols], progress: Progress) -> Iterator[KernelSymbols]:
    """Yield kernels with symbols in the first 256 MiB of memory, besides those that are known.

    None of a machine that runs, or where pages are compressed: there the search takes seconds. Raises what `progress`
    raises.
    """
    if guest.runs or guest.compressed:
        return
    found = list(known)
    budget = Budget(STEPS)
    with suppress(Spent):
        for place in places(guest, (), (), budget, progress, _WITHIN):
            if any(place.paddr == one.paddr for one in found):
                continue
            kernel = kernel_at(guest, place, (), None, budget)
            if kernel is not None and not any(kernel.table.same_place(one.table) for one in found):
                found.append(kernel)
                yield kernel
