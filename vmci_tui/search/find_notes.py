"""All that looks like the note or its text in guest memory.

On page starts, where the kernel puts both since 4.13, four bytes of each page tell
whether it is worth a look; anywhere else only a search through every byte finds them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import Final

from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.containers.guest import Guest
from vmci_tui.search import lowcore_pointer as lowcore
from vmci_tui.search.candidate import Candidate
from vmci_tui.search.memory_blocks import PAGE
from vmci_tui.search.memory_search import search_memory
from vmci_tui.search.patterns import EVERYWHERE, PAGE_STARTS
from vmci_tui.search.recognise import TEXT_AT, candidate_at

LIMIT: Final = 1024
"""The most candidates that one search gives: real memory has about ten, a hostile one as many as pages."""
CUT_LIMIT: Final = 256
"""The most of them that are not whole."""


def find(guest: Guest, everywhere: bool = False, progress: Progress = no_progress) -> Iterator[Candidate]:
    """Candidates as they are found: first what the guest points at, then in the order of addresses.

    On page starts, or with `everywhere` at any address. Each address is given once. At most
    `LIMIT` of them. Raises OpenError, and what `progress` raises.
    """
    with closing(_places(guest, everywhere, progress)) as looked_at:
        yield from _candidates(guest, looked_at)


def _candidates(guest: Guest, looked_at: Iterable[int]) -> Iterator[Candidate]:
    seen: set[int] = set()
    whole = cut = text_end = 0
    for paddr in looked_at:
        # A line within a text begins no other text, unless the kernel could have put one there.
        if paddr in seen or (paddr < text_end and paddr % PAGE):
            continue
        if (candidate := candidate_at(guest, paddr)) is None:
            continue
        seen.add(paddr)
        text_end = paddr + len(candidate.raw)
        if candidate.kind == "note":
            seen.add(paddr + TEXT_AT)  # its text is not another candidate
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
    yield from lowcore.pointers(guest)
    yield from search_memory(guest, EVERYWHERE if everywhere else PAGE_STARTS, progress)
