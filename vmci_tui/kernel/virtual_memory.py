"""Read the memory of a kernel by virtual addresses: by its page tables, or by the place of its image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from vmci_tui.containers.guest import Guest
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.proof.cross_checks import proved_kernel
from vmci_tui.proof.kernel_addresses import PlacedKernel
from vmci_tui.proof.machines import machines_for
from vmci_tui.proof.paging.walk import Paging
from vmci_tui.proof.text_values import symbol

_PAGE: Final = 4096
"""Bytes that are translated and kept together: no machine has smaller pages."""
_KEPT: Final = 512
"""Pages that are kept, 2 MiB: arrays are read in order, so each page is read once."""


def read_mapped(guest: Guest, paddr: Callable[[int], int | None], va: int, length: int) -> bytes | None:
    """Return `length` bytes at `va`, each page where `paddr` says; None if one has no place or is not in the dump.

    The caller bounds `length`.
    """
    parts = []
    while length > 0:
        part = min(length, _PAGE - va % _PAGE)
        at = paddr(va)
        raw = None if at is None else guest.read(at, part)
        if raw is None:
            return None
        parts.append(raw)
        va, length = va + part, length - part
    return b"".join(parts)


def places_of(text: Vmcoreinfo, guest: Guest) -> Iterator[tuple[PlacedKernel, bool]]:
    """Yield where the text's kernel may be, and whether memory proves it: the proved place alone, else all of them."""
    proved = proved_kernel(text, guest)
    if proved is not None:
        yield proved, True
        return
    for machine in machines_for(text, guest)[0]:
        shifts = machine.shifts(text, guest)
        for shift in shifts.values:
            yield PlacedKernel(text, guest, machine, shift, shifts.how), False


class VirtualMemory:
    """The memory of one kernel, in one byte order."""

    def __init__(self, kernel: PlacedKernel, order: ByteOrder, exact: bool = False) -> None:
        """With `exact` no byte is read but those that are asked for: slower, for a record of what was read."""
        self.kernel = kernel
        self.order = order
        self._exact = exact
        self.word = kernel.machine.bits // 8
        """Bytes of an unsigned long and of a pointer."""
        self._mask = (1 << kernel.machine.bits) - 1
        self._tables = _tables_of(kernel)
        self._pages: dict[int, bytes | None] = {}

    def paddr(self, va: int) -> int | None:
        """Return the physical address of a byte by the kernel's tables, else by the place of its image.

        The dump may lack a table, or have zeros for one. For an address that is not of the image, the image's rule
        gives an address that no memory has.
        """
        if self._tables is not None:
            found = self.kernel.walk(self._tables, va)
            if found is not None and found.state == "mapped":
                return found.paddr
        at = self.kernel.paddr(va)
        return at if at >= 0 else None

    def read(self, va: int, length: int) -> bytes | None:
        """Return `length` bytes at `va`; None if the dump does not hold all of them. The caller bounds `length`."""
        if self._exact:
            return read_mapped(self.kernel.guest, self.paddr, va & self._mask, length)
        parts = []
        while length > 0:
            va &= self._mask
            inside = va % _PAGE
            page = self._page(va - inside)
            if page is None:
                return None
            part = page[inside : inside + length]
            parts.append(part)
            va, length = va + len(part), length - len(part)
        return b"".join(parts)

    def number(self, va: int, size: int) -> int | None:
        """Return the unsigned number of `size` bytes at `va`; None if the dump lacks it."""
        raw = self.read(va, size)
        return None if raw is None else int.from_bytes(raw, self.order)

    def pointer(self, va: int) -> int | None:
        """Return the unsigned long at `va`; None if the dump lacks it."""
        return self.number(va, self.word)

    def _page(self, va: int) -> bytes | None:
        if va not in self._pages:
            if len(self._pages) >= _KEPT:
                del self._pages[next(iter(self._pages))]
            at = self.paddr(va)
            self._pages[va] = None if at is None else self.kernel.guest.read(at, _PAGE)
        return self._pages[va]


def _tables_of(kernel: PlacedKernel) -> Paging | None:
    """Return the tables that map the start of the kernel's text to where it is; None if no tables do."""
    start = symbol(kernel.text, b"_stext")
    for paging in kernel.pagings if start is not None else ():
        found = kernel.walk(paging, start or 0)
        if found is not None and found.state == "mapped" and found.paddr == kernel.paddr(start or 0):
            return paging
    return None
