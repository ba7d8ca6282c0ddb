"""Where the tables of a kernel are: a cut keeps them, and not all the memory in which they were looked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from vmci_tui.containers.guest import Guest
from vmci_tui.cutting.recorder import Part
from vmci_tui.kernel.facts.running_kernel import RunningKernel
from vmci_tui.kernel.image.places import BANNER, NEAR, read_with_holes
from vmci_tui.kernel.lines.gather import IMAGE
from vmci_tui.kernel.symbols.names import GROUP
from vmci_tui.kernel.symbols.read_symbols import KernelSymbols
from vmci_tui.kernel.types.btf import Btf
from vmci_tui.kernel.types.sections import HEADER_LENGTH, SIZE_LIMIT, BtfError, Sections, sections_of
from vmci_tui.layers.range_table import joined

_INDEX: Final = 512
"""Bytes of kallsyms_token_index: 256 numbers of 16 bits."""


def banner_place(symbols: KernelSymbols) -> Part:
    """Return the beginning of a kernel's read-only data, in which its banner is: by that it is found."""
    return symbols.paddr, symbols.paddr + NEAR + len(BANNER) + len(symbols.banner)


def symbols_places(symbols: KernelSymbols) -> tuple[Part, ...]:
    """Return where the table of symbols is, in one or two parts, ascending; none if that is not known.

    Its pieces are next to each other, in an order that depends on the version. From 6.2 to 6.3, and in later 6.1, the
    numbers of the names by their alphabet are before the tokens: they are large, do not compress, and are not needed.
    """
    shift = symbols.table.shift
    if shift is None or not symbols.tables:
        return ()
    word, count = symbols.bits // 8, len(symbols.table)
    lengths = {
        b"kallsyms_markers": -(-count // GROUP) * (word if symbols.older else 4),
        b"kallsyms_token_index": _INDEX,
        b"kallsyms_addresses": count * word,
        b"kallsyms_offsets": count * 4,
        b"kallsyms_relative_base": word,
    }
    ends = {name: at + lengths.get(name, word) - shift for name, at in symbols.tables.items()}
    start, tokens = min(symbols.tables.values()) - shift, symbols.tables[b"kallsyms_token_table"] - shift
    return tuple(joined(((start, ends[b"kallsyms_markers"]), (tokens, max(ends.values())))))


class TypesPlace(NamedTuple):
    """Where BTF is in physical memory, all in one piece."""

    start: int
    """The header."""
    sections: Sections

    @property
    def end(self) -> int:
        return self.start + max(start + length for start, length in self.sections)

    @property
    def types(self) -> Part:
        """The header, and what is up to the end of the types."""
        start, length = self.sections.types
        return self.start, self.start + start + length

    def names(self, parts: Iterable[Part]) -> Iterator[Part]:
        """Yield where these parts of the section of names are."""
        texts = self.start + self.sections.texts[0]
        return ((texts + start, texts + end) for start, end in parts)


def types_place(guest: Guest, symbols: KernelSymbols, kernel: RunningKernel, types: Btf) -> TypesPlace | None:
    """Return where the types of a kernel are: where its symbols say, or else in its image; None if not in one piece."""
    start, stop = (kernel.symbols(name) for name in (b"__start_BTF", b"__stop_BTF"))
    at = kernel.physical(start[0]) if len(start) == len(stop) == 1 else None
    if at is None:
        inside = read_with_holes(guest, symbols.paddr, IMAGE).find(types.types)
        if inside < HEADER_LENGTH:
            return None
        at = symbols.paddr + inside - HEADER_LENGTH
    head = guest.read(at, HEADER_LENGTH)
    try:
        return None if head is None else TypesPlace(at, sections_of(head, kernel.order, SIZE_LIMIT))
    except BtfError:
        return None


def pieces(part: Part, length: int) -> Iterator[Part]:
    """Yield a part in pieces of at most `length` bytes, each as its address and length."""
    start, end = part
    for at in range(start, end, length):
        yield at, min(length, end - at)
