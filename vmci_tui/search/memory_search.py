"""Looking for something in all of guest memory, plain or compressed, each in the fastest way."""

from __future__ import annotations

from collections.abc import Generator

from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest
from vmci_tui.layers.file import FileSource
from vmci_tui.search.memory_blocks import blocks
from vmci_tui.search.patterns import PAGE_STARTS, SearchPattern, page_starts


def search_memory(guest: Guest, look: SearchPattern, progress: Progress) -> Generator[int, None, None]:
    """The addresses at which something lies that is looked for, in order. Raises OpenError, and what `progress` does.

    `progress` counts bytes of memory. Close it where it is not read to its end: processes may work for it.
    """
    if not isinstance(guest.source, FileSource):
        from vmci_tui.containers.kdump.pages import Pages
        from vmci_tui.search.pages.scheduler import page_places

        if isinstance(guest.source, Pages):
            yield from page_places(guest.source, look, progress)
            return
    here = page_starts if look == PAGE_STARTS else look.places
    for block in blocks(guest, progress):
        yield from [block.paddr_of(at) for at in here(block)]
