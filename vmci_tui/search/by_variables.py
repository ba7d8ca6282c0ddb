"""Find the note by the kernel's own variables, where no symbol says where they are: by what they hold.

kernel/vmcore_info.c (crash_core.c before 6.9): `vmcoreinfo_size`, beside it `vmcoreinfo_data`, at most 128 bytes away
`vmcoreinfo_note`; both pages begin at pages, and the size is that of both texts.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple

from vmci_tui.containers.guest import Guest
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.search.candidate import Candidate
from vmci_tui.search.memory_blocks import PAGE
from vmci_tui.search.recognise import FIRST_KEY, candidate_at

_WORD: Final = 8
_AROUND: Final = 16
"""Words before and after the size in which the address of the note is."""
_SIZES: Final = range(len(FIRST_KEY), 1 << 16)
"""Bytes of a text."""
_KERNELS: Final = 1 << 63
_EDGE: Final = 2 * _AROUND * _WORD
_MOST: Final = 64
"""Places that are followed; the .bss of a kernel has about ten that look like it."""


class _Named(NamedTuple):
    size: int
    note: int
    text: int


def note_by_variables(guest: Guest, parts: Iterable[range]) -> Candidate | None:
    """Return the note that the variables in one of the parts of memory name; None if none has such variables.

    Parts are beside each other, each after the one before it or each before it, and are read in turn. Only for 64-bit
    machines whose addresses the guest translates. Raises OpenError.
    """
    for named in islice(_named(guest, parts), _MOST):
        found = _at(guest, named)
        if found is not None:
            return found
    return None


def _at(guest: Guest, named: _Named) -> Candidate | None:
    """Return the note, if the size and the page with the text are its own."""
    assert guest.translate is not None
    paddr = guest.translate(named.note)
    note = None if paddr is None else candidate_at(guest, paddr)
    if note is None or note.kind != "note" or not note.whole or note.misplaced or len(note.text) != named.size:
        return None
    text = guest.translate(named.text)
    return None if text is None or guest.read(text, named.size) != note.text else note


def _named(guest: Guest, parts: Iterable[range]) -> Iterator[_Named]:
    """Yield what the words of all parts may name, each once."""
    seen, last, kept = set[_Named](), range(0), b""
    for part in parts:
        data = guest.read(part.start, len(part)) or b""
        # Variables may be in two parts: the edge of the one before is looked at again.
        both = kept[-_EDGE:] + data if part.start == last.stop else data + kept[:_EDGE]
        for named in _in(both, guest.order or "little"):
            if named not in seen:
                seen.add(named)
                yield named
        last, kept = part, data


def _in(data: bytes, order: ByteOrder) -> Iterator[_Named]:
    words = struct.unpack(
        f"{'<' if order == 'little' else '>'}{len(data) // _WORD}Q", data[: len(data) // _WORD * _WORD]
    )
    pages = [at for at, word in enumerate(words) if word >= _KERNELS and word % PAGE == 0]
    for text in pages:
        if text == 0 or words[text - 1] not in _SIZES:
            continue
        for note in pages[bisect_left(pages, text - _AROUND) : bisect_right(pages, text + _AROUND)]:
            if words[note] != words[text]:
                yield _Named(words[text - 1], words[note], words[text])
