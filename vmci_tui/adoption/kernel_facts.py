"""Look up in memory what the lines of a dump's note should be, and what is at which address."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from vmci_tui.adoption.kernel_state import kernel_state
from vmci_tui.common.errors import PackageMissing
from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.document.document import Document
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.image.places import SEARCHED
from vmci_tui.kernel.lines.gather import NO_TABLE, kernel_with_types
from vmci_tui.kernel.lines.prove_lines import facts_of
from vmci_tui.kernel.lines.proved_line import KernelFacts
from vmci_tui.kernel.lines.running_kernel import NotKnown
from vmci_tui.kernel.symbols.read_symbols import read_symbols
from vmci_tui.kernel.symbols.table import SymbolTable
from vmci_tui.proof.prove import prove


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
    placed = text
    for item in prove(text, guest, search=False).corrections if text is not None else ():
        placed = None if placed is None else placed.with_value(item.key, item.value)
    found = read_symbols(guest, placed, progress, within)
    if not found:
        return NO_TABLE
    facts = None
    if text is not None and placed is not None:
        kernel = kernel_with_types(guest, found[0])
        facts = replace(facts_of(kernel, text), state=kernel_state(kernel, placed, guest))
    return KernelFound(found[0].table, found[0].order, found[0].bits // 8, facts)


def facts_of_note(document: Document) -> KernelFacts | None:
    """Return what the lines of a dump's own note should be, without a search.

    None if it has no note, its memory no tables, or if no installed package decompresses its pages.
    """
    text, dump = document.state.vmcoreinfo, document.dump
    if text is None or dump is None or not dump.guest_memory.size:
        return None
    try:
        found = kernel_found(text, guest_of(dump), within=0)
    except PackageMissing:
        return None
    return found.facts if isinstance(found, KernelFound) else None
