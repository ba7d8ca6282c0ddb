"""Find where an address of the kernel is in guest memory, by its own symbols and page tables."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple

from vmci_tui.adoption.kernel_symbols import placed_symbols
from vmci_tui.common.errors import PackageMissing
from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.cpus.cpu import cpus_of
from vmci_tui.kernel.cpus.cpu_memory import MAPPED, paddr_by_cpu, text_memory
from vmci_tui.kernel.lines.gather import kernel_of, kernel_with_types
from vmci_tui.kernel.symbols.modules import Modules
from vmci_tui.kernel.symbols.read_symbols import KernelSymbols, read_symbols
from vmci_tui.kernel.symbols.table import SymbolTable
from vmci_tui.kernel.variables.loaded_modules import loaded_modules

_PAGE: Final = 4096
"""Bytes that have one place: no machine has smaller pages."""


class KernelAddresses(NamedTuple):
    """The addresses of the kernel that runs."""

    symbols: SymbolTable | None
    """None where memory has no table of them."""
    order: ByteOrder
    pointer_size: int
    """Bytes."""
    physical: Callable[[int], int | None]
    """Where a virtual address is; None if no table in the dump maps it."""

    def read(self, guest: Guest, va: int, length: int) -> bytes:
        """Return up to `length` bytes at `va`: those before the first that has no place or is not in the dump."""
        parts: list[bytes] = []
        while length > 0:
            part = min(length, _PAGE - va % _PAGE)
            at = self.physical(va)
            raw = None if at is None else guest.read(at, part)
            if raw is None:
                break
            parts.append(raw)
            va, length = va + part, length - part
        return b"".join(parts)


def kernel_addresses(text: Vmcoreinfo | None, guest: Guest, progress: Progress | None = None) -> KernelAddresses:
    """Return the addresses of the kernel that runs.

    With `progress` memory is searched for it, if neither the CPUs nor the text say where it is, and its modules are
    looked up too. Of a running VM, which
    is asked for each page, there are no symbols; nor without a package that decompresses pages. Raises what `progress`
    raises.
    """
    with suppress(PackageMissing):
        kernels: tuple[KernelSymbols, ...] = ()
        if not guest.runs:
            kernels = read_symbols(guest, text, within=0) if progress is None else _placed(text, guest, progress)
        if kernels and progress is None:
            kernel = kernel_of(guest, kernels[0])
        elif kernels:
            kernel = kernel_with_types(guest, kernels[0])
            kernels[0].table.modules = Modules(loaded_modules(kernel))
        if kernels:
            return KernelAddresses(kernels[0].table, kernel.order, kernel.pointer_size, kernel.physical)
    return _without_symbols(text, guest)


def _placed(text: Vmcoreinfo | None, guest: Guest, progress: Progress) -> tuple[KernelSymbols, ...]:
    """Return the kernels whose place is known."""
    return tuple(one for one in placed_symbols(text, guest, progress).kernels if one.table.shift is not None)


def _without_symbols(text: Vmcoreinfo | None, guest: Guest) -> KernelAddresses:
    """Return the addresses by the page tables that the CPUs name, or by the place that a text gives."""
    cpus, memory = cpus_of(guest.notes, guest.machine)[:MAPPED], text_memory(guest, text)

    def physical(va: int) -> int | None:
        by_cpus = (paddr_by_cpu(guest, cpu, va) for cpu in cpus)
        found = next((one for one in by_cpus if one is not None), None)
        return memory.paddr(va) if found is None and memory is not None else found

    order: ByteOrder = "little" if memory is None else memory.order
    return KernelAddresses(None, order, 8 if memory is None else memory.word, physical)
