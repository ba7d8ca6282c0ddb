"""Change memory at random: bytes, words, what may be lengths, pages that change places or are lost, an end."""

from __future__ import annotations

from random import Random
from typing import Final

from tests.proof.synthetic import PAGE
from vmci_tui.formats.elf_note import ByteOrder

_NUMBERS: Final = (0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, (1 << 63) - 1, (1 << 64) - 1)


def change_pages(pages: dict[int, bytearray], order: ByteOrder, chosen: Random) -> None:
    """Change pages of memory, by their numbers; seldom some are lost."""
    for _ in range(chosen.choice((1, 4, 32))):
        page = pages[chosen.choice(sorted(pages))]
        kind = chosen.randrange(8)
        if kind == 0:
            other = pages[chosen.choice(sorted(pages))]
            page[:], other[:] = bytes(other), bytes(page)
        elif kind == 1 and len(pages) > 2:
            del pages[chosen.choice(sorted(pages))]
        else:
            _change(page, order, chosen)
    if chosen.random() < 0.05:
        for number in sorted(pages)[chosen.randrange(1, len(pages) + 1) :]:
            del pages[number]


def changed_file(data: bytes, order: ByteOrder, chosen: Random) -> bytes:
    """Return a dump with changes, its size at most the same; pages are of the file."""
    out = bytearray(data)
    count = len(out) // PAGE
    for _ in range(chosen.choice((1, 8, 64, 1000))):
        at = chosen.randrange(count) * PAGE
        kind = chosen.randrange(12)
        if kind == 0:
            other = chosen.randrange(count) * PAGE
            out[at : at + PAGE], out[other : other + PAGE] = out[other : other + PAGE], out[at : at + PAGE]
        elif kind == 1:
            out[at : at + PAGE] = bytes(PAGE)
        else:
            page = out[at : at + PAGE]
            _change(page, order, chosen)
            out[at : at + PAGE] = page
    return bytes(out[: chosen.randrange(len(out))] if chosen.random() < 0.05 else out)


def _change(page: bytearray, order: ByteOrder, chosen: Random) -> None:
    """Change a byte, a bit or a word of a page."""
    at, kind = chosen.randrange(PAGE), chosen.randrange(4)
    if kind == 0:
        page[at] = chosen.randrange(256)
    elif kind == 1:
        page[at] ^= 1 << chosen.randrange(8)
    else:
        size = chosen.choice((2, 4, 8))
        value = chosen.choice((*_NUMBERS, chosen.getrandbits(64), len(page) * chosen.randrange(1 << 12)))
        at -= at % size
        page[at : at + size] = (value % (1 << 8 * size)).to_bytes(size, order)
