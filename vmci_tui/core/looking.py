"""Looking for something in all of guest memory, plain or compressed, each in the fastest way."""

from __future__ import annotations

from collections.abc import Generator

from vmci_tui.core.anchors import PAGE_STARTS, Look, page_starts
from vmci_tui.core.guest import Guest
from vmci_tui.core.progress import Progress
from vmci_tui.core.scan import blocks
from vmci_tui.core.source import FileSource


def places(guest: Guest, look: Look, told: Progress) -> Generator[int, None, None]:
    """The addresses at which something lies that is looked for, in order. Raises OpenError, and what `told` does.

    `told` counts bytes of memory. Close it where it is not read to its end: processes may work for it.
    """
    if not isinstance(guest.source, FileSource):
        from vmci_tui.core.containers.kdump_pages import Pages  # plain memory needs none of it
        from vmci_tui.core.scan_pages import page_places

        if isinstance(guest.source, Pages):
            yield from page_places(guest.source, look, told)
            return
    here = page_starts if look == PAGE_STARTS else look.places
    for block in blocks(guest, told):
        yield from [block.paddr_of(at) for at in here(block)]
