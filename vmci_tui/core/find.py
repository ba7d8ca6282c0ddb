"""All that looks like the note or its text in guest memory.

On page starts, where the kernel puts both since 4.13, four bytes of each page tell
whether it is worth a look; anywhere else only a search through every byte finds them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vmci_tui.core import lowcore
from vmci_tui.core.candidate import Candidate
from vmci_tui.core.guest import Guest, Heads
from vmci_tui.core.note import NAME
from vmci_tui.core.progress import Progress, quiet
from vmci_tui.core.recognise import FIRST_KEY, TEXT_AT, candidate_at, header_order, is_whole
from vmci_tui.core.scan import PAGE, REACH, Block, blocks

LIMIT: Final = 1024
"""The most candidates that one search gives: real memory has about ten, a hostile one as many as pages."""
CUT_LIMIT: Final = 256
"""The most of them that are not whole."""

HITS_IN_A_BLOCK: Final = 1024
"""The most anchors off page starts that are looked at in one block; a hostile one is nothing but anchors."""

_TOLD: Final = 4096
"""Compressed pages after which it is told how far the search is: some 10 ms."""
_WORDS: Final = (len(NAME).to_bytes(4, "little"), len(NAME).to_bytes(4, "big"), FIRST_KEY[:4])
"""The first four bytes of what is looked for."""


def find(guest: Guest, everywhere: bool = False, told: Progress = quiet) -> Iterator[Candidate]:
    """Candidates as they are found: first what the guest points at, then in the order of addresses.

    On page starts, or with `everywhere` at any address. Each address is given once. At most
    `LIMIT` of them. Raises OpenError, and what `told` raises.
    """
    seen: set[int] = set()
    whole = cut = text_end = 0
    for paddr in _places(guest, everywhere, told):
        # A line within a text begins no other text, unless the kernel could have put one there.
        if paddr in seen or (paddr < text_end and paddr % PAGE):
            continue
        if (candidate := candidate_at(guest, paddr)) is None:
            continue
        seen.add(paddr)
        text_end = paddr + len(candidate.raw)
        if candidate.kind == "note":
            seen.add(paddr + TEXT_AT)  # its text is not another candidate
        if is_whole(candidate):
            whole += 1
        elif cut < CUT_LIMIT:
            cut += 1
        else:
            continue
        yield candidate
        if whole + cut == LIMIT:
            return


def _places(guest: Guest, everywhere: bool, told: Progress) -> Iterator[int]:
    yield from lowcore.pointers(guest)
    if guest.heads is not None and not everywhere:
        yield from _by_heads(guest, guest.heads, told)
        return
    look = _anywhere if everywhere else _page_starts
    for block in blocks(guest, told):
        yield from [block.paddr_of(at) for at in look(block)]


def _by_heads(guest: Guest, heads: Heads, told: Progress) -> Iterator[int]:
    """The same as `_page_starts` over all blocks, of pages that are decompressed no farther than an anchor."""
    total, done = guest.memory.size, 0
    told("scan", 0, total)
    for number, (paddr, head) in enumerate(heads(REACH), 1):
        if number % _TOLD == 0:
            done = min(done + _TOLD * PAGE, total)
            told("scan", done, total)
        if head[:4] in _WORDS and _is_anchor(head, 0):
            yield paddr
    told("scan", total, total)


def _page_starts(block: Block) -> list[int]:
    """Places in the buffer of the page starts that hold an anchor."""
    first = block.start + -block.paddr % PAGE
    # The last page start counts where a whole anchor follows it.
    count = (block.end - REACH - first) // PAGE + 1
    if count <= 0:
        return []
    with memoryview(block.buffer) as view:
        # Four bytes a page, gathered at once: 30 µs for 4 MiB.
        body = view[first : first + (count - 1) * PAGE + 4]
        rest = bytes(body[(count - 1) * PAGE :])
        words = body[: (count - 1) * PAGE].cast("I")[:: PAGE // 4].tobytes() + rest
    found = []
    for word in _WORDS:
        at = words.find(word)
        while at >= 0:
            place = first + at // 4 * PAGE
            if at % 4 == 0 and _is_anchor(block.buffer, place):
                found.append(place)
            at = words.find(word, at + 1)
    return sorted(found)


def _anywhere(block: Block) -> list[int]:
    """Places in the buffer of all anchors, in order: every text begins alike, with a header before it or none."""
    found = set(_page_starts(block))
    limit = len(found) + HITS_IN_A_BLOCK
    at = block.buffer.find(FIRST_KEY, block.start, block.end)
    while at >= 0 and len(found) < limit:
        note = at - TEXT_AT
        found.add(note if note >= block.start and _is_anchor(block.buffer, note) else at)
        at = block.buffer.find(FIRST_KEY, at + 1, block.end)
    return sorted(found)


def _is_anchor(buffer: bytearray | bytes, at: int) -> bool:
    head = bytes(buffer[at : at + TEXT_AT])
    return head.startswith(FIRST_KEY) or header_order(head) is not None
