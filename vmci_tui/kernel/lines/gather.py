"""Gather what memory says of the kernel that runs: its symbols, its types, and a way to read its variables."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Final

from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import Spent
from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.cpus.cpu import cpus_of
from vmci_tui.kernel.cpus.cpu_memory import MAPPED
from vmci_tui.kernel.facts.running_kernel import NotKnown, RunningKernel
from vmci_tui.kernel.image.places import SEARCHED, read_with_holes
from vmci_tui.kernel.symbols.read_symbols import KernelSymbols, read_symbols
from vmci_tui.kernel.symbols.translation import translations
from vmci_tui.kernel.types.btf import STEPS, Btf
from vmci_tui.kernel.types.in_memory import types_at
from vmci_tui.kernel.types.names import NameLacking
from vmci_tui.kernel.types.sections import HEADER_LENGTH, MAGIC, SIZE_LIMIT
from vmci_tui.kernel.virtual_memory import read_mapped
from vmci_tui.proof.paging.walk import walk

_RELEASE: Final = re.compile(rb"Linux version (\S{1,64}) ")
IMAGE: Final = 48 << 20
"""Bytes after the start of the read-only data in which types are searched."""
KNOWN_TYPE: Final = b"list_head"
"""A type that every kernel has: by it the kernel's own types are told from those of a module or a program."""
_LINEAR: Final = {"ppc64": 1 << 50}
"""Machines that map all memory as the image is mapped, and how much at most."""
NO_TABLE: Final = NotKnown("memory has no whole symbol table of a kernel (kallsyms)")
NOT_SEARCHED: Final = NotKnown("memory of a running VM is not searched for its kernel")
_BANNER: Final = 96
"""Bytes of a banner up to its release."""
_SAME: Final = 64
"""Symbols of one name that are told apart: a variable that a line names has one, seldom two."""


def running_kernel(
    guest: Guest, text: Vmcoreinfo | None, progress: Progress = no_progress, within: int = SEARCHED
) -> RunningKernel | NotKnown:
    """Return the kernel that runs, or why there is none to compare with. Raises what `progress` raises.

    `text` says where the image is on machines whose notes do not name the page tables; nothing else of it is believed.
    `within`: bytes of memory that are searched for a kernel, if neither a CPU nor the text says where it is.
    """
    found = read_symbols(guest, text, progress, within)
    if not found:
        return NOT_SEARCHED if guest.runs else NO_TABLE
    return kernel_with_types(guest, found[0])


def kernel_with_types(guest: Guest, symbols: KernelSymbols) -> RunningKernel:
    """Return the kernel that has these symbols."""
    kernel = kernel_of(guest, symbols)
    return replace(kernel, types=_types(guest, symbols, kernel))


def kernel_of(guest: Guest, symbols: KernelSymbols) -> RunningKernel:
    """Return the kernel that has these symbols, without its types, which take longer to read."""
    reach = _LINEAR.get(guest.machine or "", IMAGE)
    ways = translations(guest, cpus_of(guest.notes, guest.machine)[:MAPPED], symbols.table)

    def physical(address: int) -> int | None:
        """By the page tables of a CPU; where no CPU names them, by the place of the image."""
        by_tables = (way(address) for way in ways)
        paddr = next((one for one in by_tables if one is not None), None)
        return symbols.table.paddr(address) if paddr is None else paddr

    def place(address: int) -> int | None:
        """By the place of the image, which is known without a walk; else by the page tables; else as in the image."""
        paddr = symbols.table.paddr(address)
        paddr = physical(address) if paddr is None else paddr
        return symbols.table.paddr_after(address, reach) if paddr is None and not banners else paddr

    def addresses(name: bytes) -> tuple[int, ...]:
        return tuple(islice(symbols.table.addresses(name), _SAME))

    banners = list(symbols.table.addresses(b"linux_banner"))
    read = partial(read_mapped, guest, place)
    # The banner that was found may be another one of the image, which is only a form.
    named = read(banners[0], _BANNER) if len(banners) == 1 else None
    release = _RELEASE.match(named or b"") or _RELEASE.match(symbols.banner)
    return RunningKernel(
        guest.machine or "",
        symbols.order,
        symbols.bits // 8,
        addresses,
        symbols.tables,
        None,
        read,
        physical,
        partial(walk, guest),
        release[1] if release else None,
    )


def _types(guest: Guest, symbols: KernelSymbols, kernel: RunningKernel) -> Btf | None:
    """Return the kernel's BTF: between its symbols, or else the one that begins in its image.

    The image of a running machine is not searched.
    """
    budget = Budget(STEPS)
    start, stop = (kernel.symbols(name) for name in (b"__start_BTF", b"__stop_BTF"))
    if len(start) == len(stop) == 1 and 0 < stop[0] - start[0] <= SIZE_LIMIT:
        return types_at(kernel.read, start[0], stop[0] - start[0], kernel.order, kernel.pointer_size, budget)
    if guest.runs:
        return None
    image = read_with_holes(guest, symbols.paddr, IMAGE)
    magic = MAGIC.to_bytes(2, kernel.order) + b"\1\0" + HEADER_LENGTH.to_bytes(4, kernel.order)
    at = image.find(magic)
    with suppress(Spent, NameLacking):
        while at >= 0:
            budget.spend()
            place = symbols.paddr + at
            found = types_at(guest.read, place, len(image) - at, kernel.order, kernel.pointer_size, budget)
            if found is not None and found.ids(KNOWN_TYPE):
                return found
            at = image.find(magic, at + 1)
    return None
