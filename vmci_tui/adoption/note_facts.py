"""Look up in memory what the lines of a dump's own note should be, without a search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmci_tui.common.errors import PackageMissing
from vmci_tui.containers.guest import guest_of
from vmci_tui.document.document import Document
from vmci_tui.kernel.image.known_place import is_known

if TYPE_CHECKING:
    from vmci_tui.kernel.lines.proved_line import KernelFacts


def facts_of_note(document: Document) -> KernelFacts | None:
    """Return what the lines of a dump's own note should be.

    None if it has no note, its memory no tables, if the machine runs, or if no installed package decompresses its
    pages. What reads the tables is imported only where there may be some: a cut dump seldom has them.
    """
    text, dump = document.state.vmcoreinfo, document.dump
    if text is None or dump is None or not dump.guest_memory.size:
        return None
    guest = guest_of(dump)
    try:
        if guest.runs or not is_known(guest, text):
            return None
        from vmci_tui.adoption.kernel_facts import KernelFound, kernel_found

        found = kernel_found(text, guest, within=0)
    except PackageMissing:
        return None
    return found.facts if isinstance(found, KernelFound) else None
