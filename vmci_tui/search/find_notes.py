"""Find everything that looks like the note or its text in guest memory.

Since 4.13 the kernel puts both on page starts, where four bytes of each page are enough to decide; anywhere
else only a search of every byte finds them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import Final

from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.containers.guest import Guest
from vmci_tui.layers.file import FileSource
from vmci_tui.search import lowcore_pointer as lowcore
from vmci_tui.search.candidate import Candidate
from vmci_tui.search.memory_blocks import PAGE, blocks
from vmci_tui.search.patterns import EVERYWHERE, PAGE_STARTS, SearchPattern, page_starts
from vmci_tui.search.recognise import TEXT_AT, candidate_at

LIMIT: Final = 1024
"""The most candidates of one search: real memory has about ten, hostile memory could have one on every page."""
CUT_LIMIT: Final = 256
"""The most of these that are not whole."""


def find(guest: Guest, everywhere: bool = False, progress: Progress = no_progress) -> Iterator[Candidate]:
    """Yield candidates as they are found: first those that the guest points at, then by ascending address.

    Only on page starts, or with `everywhere` at any address; each address once, at most `LIMIT` candidates.
    Raises OpenError, and what `progress` raises.
    """
    with closing(_places(guest, everywhere, progress)) as looked_at:
        yield from _candidates(guest, looked_at)


def _candidates(guest: Guest, looked_at: Iterable[int]) -> Iterator[Candidate]:
    seen: set[int] = set()
    whole = cut = text_end = 0
    for paddr in looked_at:
        # A line within a text is not the start of another one, except where the kernel could have put a text.
        if paddr in seen or (paddr < text_end and paddr % PAGE):
            continue
        if (candidate := candidate_at(guest, paddr)) is None:
            continue
        seen.add(paddr)
        text_end = paddr + len(candidate.raw)
        if candidate.kind == "note":
            seen.add(paddr + TEXT_AT)  # the note's text is not a candidate of its own
        if candidate.whole:
            whole += 1
        elif cut < CUT_LIMIT:
            cut += 1
        else:
            continue
        yield candidate
        if whole + cut == LIMIT:
            return


def _places(guest: Guest, everywhere: bool, progress: Progress) -> Generator[int, None, None]:
    yield from guest.named
    yield from lowcore.pointers(guest)
    yield from search_memory(guest, EVERYWHERE if everywhere else PAGE_STARTS, progress)


def search_memory(guest: Guest, look: SearchPattern, progress: Progress) -> Generator[int, None, None]:
    """Yield the addresses at which `look` matches, ascending. Raises OpenError, and what `progress` raises.

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
