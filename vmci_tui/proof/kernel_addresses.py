"""A kernel as a vmcoreinfo text and one assumption place it in memory, and what a witness says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vmci_tui.containers.guest import Guest
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.machines.facts import MachineFacts
from vmci_tui.proof.paging.walk import Paging, WalkEnd, walk
from vmci_tui.proof.text_values import symbol
from vmci_tui.search.candidate import Correction


class Shifts(NamedTuple):
    """By what a text moves the kernel image: paddr = va - shift. Several where it leaves that open."""

    values: tuple[int, ...]
    how: str
    """The lines or constants that say so, or why nothing does."""
    settled: bool = True
    """False: `values` are guesses, so that memory cannot contradict all of them."""
    wanted: bool = True
    """False: the text lacks the key, so there is nothing to correct."""


class KernelMachine(NamedTuple):
    """What proving must know of one machine."""

    facts: MachineFacts
    shifts: Callable[[Vmcoreinfo, Guest], Shifts]
    pagings: Callable[[Vmcoreinfo, ByteOrder], tuple[Paging, ...]]
    tables: bool = True
    """False: its page tables do not map the kernel image (loongarch64 has windows for that)."""
    step: int = 0
    """Bytes that every shift is a multiple of; 0 where no key of the text moves the kernel."""
    correct: Callable[[Vmcoreinfo, int], tuple[Correction, ...] | None] = lambda text, shift: None
    """The corrections that lead to a shift: none where the text leaves it open, None where none can."""

    @property
    def name(self) -> str:
        return self.facts.name

    @property
    def bits(self) -> int:
        return self.facts.bits or 64


class Witness(NamedTuple):
    """What one place in memory says of a kernel."""

    fits: bool | None
    """None: it cannot tell."""
    words: str
    """A clause with the addresses."""
    strong: bool = True
    """Whether it may stand as the second witness beside utsname."""
    root: bool = False
    """Whether it confirms swapper_pg_dir as well, by which readers translate all else."""
    corrections: tuple[Correction, ...] = ()
    """What would make it fit."""


class PlacedKernel(NamedTuple):
    text: Vmcoreinfo
    guest: Guest
    machine: KernelMachine
    shift: int
    how: str

    def paddr(self, va: int) -> int:
        """Where the byte of the kernel image lies; negative for what is no address of the image."""
        return va - self.shift

    def read(self, va: int, length: int) -> bytes | None:
        at = self.paddr(va)
        return self.guest.read(at, length) if at >= 0 else None

    @property
    def orders(self) -> tuple[ByteOrder, ...]:
        """Those of the machine, the file's first."""
        return tuple(sorted(self.machine.facts.orders, key=lambda order: order != self.guest.order))

    @property
    def pagings(self) -> tuple[Paging, ...]:
        return tuple(paging for order in self.orders for paging in self.machine.pagings(self.text, order))

    def walk(self, paging: Paging, va: int) -> WalkEnd | None:
        """`va` through the tables at swapper_pg_dir; None where the text does not name them."""
        root = symbol(self.text, b"swapper_pg_dir")
        return None if root is None else walk(self.guest, paging, self.paddr(root), va)

    def maps_nothing(self, va: int) -> bool | None:
        """Whether the page tables that map the kernel map nothing at `va`; None where that is not known."""
        start = symbol(self.text, b"_stext")
        if start is None:
            return None
        for paging in self.pagings:
            own = self.walk(paging, start)
            if own is not None and own.state == "mapped" and own.paddr == self.paddr(start):
                there = self.walk(paging, va)
                return None if there is None or there.state == "absent" else there.state == "unmapped"
        return None
