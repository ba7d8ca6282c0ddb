"""Search all of guest memory, plain or compressed, with the fastest method for each."""

from __future__ import annotations

from collections.abc import Generator

from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest
from vmci_tui.layers.file import FileSource
from vmci_tui.search.memory_blocks import blocks
from vmci_tui.search.patterns import PAGE_STARTS, SearchPattern, page_starts


def search_memory(guest: Guest, look: SearchPattern, progress: Progress) -> Generator[int, None, None]:
    """Yield the addresses at which `pattern` matches, ascending. Raises OpenError, and what `progress` raises.

    `progress` counts bytes of memory. Close the generator if you do not exhaust it: worker processes may be running.
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
