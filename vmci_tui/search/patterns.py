"""Find what is searched for in a block of memory: the anchors of notes and texts, or other words."""

from __future__ import annotations

from typing import Final, NamedTuple

from vmci_tui.formats.elf_note import NAME
from vmci_tui.search.memory_blocks import PAGE, REACH, Block
from vmci_tui.search.recognise import FIRST_KEY, TEXT_AT, header_order

HITS_IN_A_BLOCK: Final = 1024
"""The most places off page starts that are checked in one block; a hostile one is full of anchors."""

FIRST_WORDS: Final = (len(NAME).to_bytes(4, "little"), len(NAME).to_bytes(4, "big"), FIRST_KEY[:4])
"""The first four bytes of anchors."""


class SearchPattern(NamedTuple):
    """What is searched for, and where: at each paddr that is `phase` above a multiple of `step`."""

    words: tuple[bytes, ...] = ()
    """Any of these words; if empty, the anchors of notes and texts."""
    step: int = 1
    phase: int = 0

    @property
    def reach(self) -> int:
        """Return how many bytes from an address on decide whether it matches."""
        return max(map(len, self.words), default=REACH)

    def places(self, block: Block) -> list[int]:
        """Return the buffer indexes that match, ascending; with a `step` of 1 not all if there are very many."""
        if self.step > 1:
            return self._stepped(block)
        return _words(block, self.words) if self.words else anywhere(block)

    def _stepped(self, block: Block) -> list[int]:
        """Return matches at each step; a word that the block's end cuts counts as a match."""
        buffer, end = block.buffer, block.end
        out = []
        for at in range(block.start + (self.phase - block.paddr) % self.step, end, self.step):
            if self.words:
                rest = bytes(buffer[at : min(at + self.reach, end)])
                if any(
                    rest.startswith(word) or (at + len(word) > end and word.startswith(rest)) for word in self.words
                ):
                    out.append(at)
            elif buffer[at : at + 4] in FIRST_WORDS and _is_anchor(buffer, at):
                out.append(at)
        return out


PAGE_STARTS: Final = SearchPattern(step=PAGE)
EVERYWHERE: Final = SearchPattern()


def page_starts(block: Block) -> list[int]:
    """Return the buffer indexes of page starts with an anchor: the same as `PAGE_STARTS`, faster in long blocks."""
    first = block.start + -block.paddr % PAGE
    # The last page start counts if a whole anchor fits after it.
    count = (block.end - REACH - first) // PAGE + 1
    if count <= 0:
        return []
    with memoryview(block.buffer) as view:
        # Four bytes of each page, gathered at once: 30 µs for 4 MiB.
        body = view[first : first + (count - 1) * PAGE + 4]
        rest = bytes(body[(count - 1) * PAGE :])
        words = body[: (count - 1) * PAGE].cast("I")[:: PAGE // 4].tobytes() + rest
    found = []
    for word in FIRST_WORDS:
        at = words.find(word)
        while at >= 0:
            place = first + at // 4 * PAGE
            if at % 4 == 0 and _is_anchor(block.buffer, place):
                found.append(place)
            at = words.find(word, at + 1)
    return sorted(found)


def anywhere(block: Block) -> list[int]:
    """Return the buffer indexes of all anchors, ascending: every text, and the header before it if there is one.

    Both, because the header may be invalid: it may be partly in memory that the dump lacks.
    """
    found = set(page_starts(block))
    left = HITS_IN_A_BLOCK
    at = block.buffer.find(FIRST_KEY, block.start, block.end)
    while at >= 0 and left:
        left -= 1
        found.add(at)
        note = at - TEXT_AT
        if note >= block.start and _is_anchor(block.buffer, note):
            found.add(note)
        at = block.buffer.find(FIRST_KEY, at + 1, block.end)
    return sorted(found)


def _words(block: Block, words: tuple[bytes, ...]) -> list[int]:
    found: set[int] = set()
    for word in words:
        limit = len(found) + HITS_IN_A_BLOCK
        at = block.buffer.find(word, block.start, block.end)
        while at >= 0 and len(found) < limit:
            found.add(at)
            at = block.buffer.find(word, at + 1, block.end)
    return sorted(found)


def _is_anchor(buffer: bytes | bytearray, at: int) -> bool:
    head = bytes(buffer[at : at + TEXT_AT])
    return head.startswith(FIRST_KEY) or header_order(head) is not None
