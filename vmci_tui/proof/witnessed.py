"""Say which ranges of memory a proof is about: those that hold what its witnesses read.

A proof says nothing about the other ranges: a map that has one of them at a wrong address is proved all the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator

from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import PackageMissing, Spent
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.layers.file import Source
from vmci_tui.proof.cross_checks import MORE_WITNESSES, needed, proved_kernel
from vmci_tui.proof.kernel_addresses import PlacedKernel, Witness
from vmci_tui.proof.witnesses.page_tables import page_tables
from vmci_tui.proof.witnesses.utsname import LENGTH, uts_of


class _Watched:
    """A source that keeps where it was read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.offsets: set[int] = set()

    @property
    def size(self) -> int:
        return self._source.size

    def read(self, offset: int, length: int) -> bytes:
        self.offsets.add(offset)
        return self._source.read(offset, length)

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        return self._source.data_ranges(start, end)


def witnessed(text: Vmcoreinfo, guest: Guest) -> tuple[int, ...]:
    """Return the indices of the ranges of memory in which witnesses confirm the text; () if it is not proved."""
    guest = guest._replace(budget=(guest.budget or Budget()).refill())
    try:
        return _witnessed(text, guest)
    except (Spent, PackageMissing):
        return ()


def _witnessed(text: Vmcoreinfo, guest: Guest) -> tuple[int, ...]:
    kernel = proved_kernel(text, guest)
    if kernel is None:
        return ()
    found: set[int] = set()
    for confirms in (_utsname, *(_fits(witness) for witness in (page_tables, *MORE_WITNESSES))):
        source = _Watched(guest.source)
        if confirms(kernel._replace(guest=guest._replace(source=source))):
            found |= {_range_of(guest, offset) for offset in source.offsets}
    return tuple(sorted(found))


def _utsname(kernel: PlacedKernel) -> bool:
    wanted = needed(kernel.text)
    return not isinstance(wanted, str) and uts_of(kernel.read(wanted[0], LENGTH) or b"") is not None


def _fits(witness: Callable[[PlacedKernel], Witness]) -> Callable[[PlacedKernel], bool]:
    return lambda kernel: witness(kernel).fits is True


def _range_of(guest: Guest, offset: int) -> int:
    """Return the index of the range of memory with the byte at `offset` of the source."""
    paddr = guest.memory.paddr_of(offset)
    assert paddr is not None
    return bisect_right(guest.memory.ranges.starts, paddr) - 1
