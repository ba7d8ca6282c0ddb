"""Look up in memory what the lines of a text should be, and what is at which address."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from vmci_tui.adoption.kernel_state import kernel_state
from vmci_tui.adoption.kernel_symbols import wanted_symbols
from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.facts.running_kernel import NotKnown
from vmci_tui.kernel.image.places import SEARCHED
from vmci_tui.kernel.lines.gather import NO_TABLE, kernel_with_types
from vmci_tui.kernel.lines.prove_lines import facts_of
from vmci_tui.kernel.lines.proved_line import KernelFacts
from vmci_tui.kernel.symbols.modules import Modules
from vmci_tui.kernel.symbols.table import SymbolTable
from vmci_tui.kernel.variables.loaded_modules import loaded_modules
from vmci_tui.proof.prove import placed_text


class KernelFound(NamedTuple):
    """What the tables of the kernel in a dump's memory say."""

    symbols: SymbolTable
    order: ByteOrder
    """Of the kernel, which may not be that of the dump."""
    pointer_size: int
    """Bytes."""
    facts: KernelFacts | None
    """Of the lines of a text; None without one."""


def kernel_found(
    text: Vmcoreinfo | None, guest: Guest, progress: Progress = no_progress, within: int = SEARCHED
) -> KernelFound | NotKnown:
    """Return what the kernel's tables say, of each line of a text too, or why no tables were found.

    A running VM is not asked. `within`: bytes of memory that are searched for them, if neither a CPU nor the text says
    where they are. Raises what `progress` raises.
    """
    if guest.runs:
        return NotKnown("the tables have thousands of pages, and a running VM is asked for each")
    placed = None if text is None else placed_text(text, guest)
    found, _ = wanted_symbols(placed, guest, progress, within)
    if not found:
        return NO_TABLE
    kernel = kernel_with_types(guest, found[0])
    found[0].table.modules = Modules(loaded_modules(kernel))
    facts = None
    if text is not None and placed is not None:
        facts = replace(facts_of(kernel, text), state=kernel_state(kernel, placed, guest))
    return KernelFound(found[0].table, found[0].order, found[0].bits // 8, facts)
