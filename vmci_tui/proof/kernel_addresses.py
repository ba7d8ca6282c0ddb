"""A kernel at the place that a vmcoreinfo text and one assumption give it, and the answer of a witness."""

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
    """How far a text moves the kernel image: paddr = va - shift. Several values if the text leaves it open."""

    values: tuple[int, ...]
    how: str
    """The lines or constants that say so, or why nothing does."""
    settled: bool = True
    """False: `values` are guesses, so memory cannot contradict all of them."""
    wanted: bool = True
    """False: the text lacks the key, so there is nothing to correct."""


class KernelMachine(NamedTuple):
    """What a proof must know about one machine."""

    facts: MachineFacts
    shifts: Callable[[Vmcoreinfo, Guest], Shifts]
    pagings: Callable[[Vmcoreinfo, ByteOrder], tuple[Paging, ...]]
    tables: bool = True
    """False: its page tables do not map the kernel image (loongarch64 has windows for that)."""
    step: int = 0
    """Every shift is a multiple of this many bytes; 0 if no key of the text moves the kernel."""
    correct: Callable[[Vmcoreinfo, int], tuple[Correction, ...] | None] = lambda text, shift: None
    """Returns the corrections that lead to a shift: empty if the text leaves it open, None if no correction can."""

    @property
    def name(self) -> str:
        return self.facts.name

    @property
    def bits(self) -> int:
        return self.facts.bits or 64


class Witness(NamedTuple):
    """What one place in memory says about a kernel."""

    fits: bool | None
    """None: it cannot decide."""
    words: str
    """A clause with the addresses."""
    strong: bool = True
    """Whether it may be the second witness, after utsname."""
    root: bool = False
    """Whether it also confirms swapper_pg_dir, which readers use to translate all other addresses."""
    corrections: tuple[Correction, ...] = ()
    """The corrections with which it would fit."""


class PlacedKernel(NamedTuple):
    text: Vmcoreinfo
    guest: Guest
    machine: KernelMachine
    shift: int
    how: str

    def paddr(self, va: int) -> int:
        """Return where a byte of the kernel image is; negative if `va` is not an address of the image."""
        return va - self.shift

    def read(self, va: int, length: int) -> bytes | None:
        at = self.paddr(va)
        return self.guest.read(at, length) if at >= 0 else None

    @property
    def orders(self) -> tuple[ByteOrder, ...]:
        """Return the byte orders of the machine, the file's first."""
        return tuple(sorted(self.machine.facts.orders, key=lambda order: order != self.guest.order))

    @property
    def pagings(self) -> tuple[Paging, ...]:
        return tuple(paging for order in self.orders for paging in self.machine.pagings(self.text, order))

    def walk(self, paging: Paging, va: int) -> WalkEnd | None:
        """Translate `va` by the tables at swapper_pg_dir; None if the text does not name them."""
        root = symbol(self.text, b"swapper_pg_dir")
        return None if root is None else walk(self.guest, paging, self.paddr(root), va)

    def maps_nothing(self, va: int) -> bool | None:
        """Return whether the page tables that map the kernel leave `va` unmapped; None if that is not known."""
        start = symbol(self.text, b"_stext")
        if start is None:
            return None
        for paging in self.pagings:
            own = self.walk(paging, start)
            if own is not None and own.state == "mapped" and own.paddr == self.paddr(start):
                there = self.walk(paging, va)
                return None if there is None or there.state == "absent" else there.state == "unmapped"
        return None
