"""Read the addresses of kallsyms, one for each name, ascending: their form and place depend on the kernel's version.

Linux kernel/kallsyms.c and scripts/kallsyms.c. Before 6.4 the order in memory is addresses, [relative base,] number,
names, markers, tokens, index; from 6.4 on number, names, markers, tokens, index, offsets, relative base. Since 7.0
there is no base: 64-bit kernels have offsets from themselves, 32-bit ones whole addresses.
"""

from __future__ import annotations

from array import array
from typing import Final, Literal, NamedTuple

from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.kernel.symbols.names import Names
from vmci_tui.kernel.symbols.tokens import INDEX_LENGTH, TokenTable

Form = Literal["relative", "per-cpu", "self-relative", "absolute"]
WORDS: Final[dict[Form, str]] = {
    "relative": "offsets from a base",
    "per-cpu": "offsets from a base, those in a CPU's area absolute",
    "self-relative": "offsets from themselves",
    "absolute": "whole addresses",
}
"""How each form holds an address."""
_PAGE: Final = 4096
_SOME: Final = 64
_LEAST: Final = 8
"""Bytes of a symbol on average, at least: in real kernels more than 100."""


class Addresses(NamedTuple):
    """The addresses of all symbols, in the order of their names."""

    values: tuple[int, ...]
    form: Form
    """`self-relative` (64-bit kernels since 7.0): the values count from the start of the data, not from address 0."""
    at: int
    """Where the first one is."""
    base_at: int | None = None
    """Where the base is that they are relative to, if there is one."""


def addresses_of(data: bytes, table: TokenTable, names: Names, order: ByteOrder, word: int) -> Addresses | None:
    """Return the addresses; None if none of the forms gives ascending ones."""
    count = len(names.compressed)
    after = _up(table.index_at + INDEX_LENGTH, 4)
    base_before = names.count_at - word
    before = base_before - _up(4 * count, word)
    for offsets, base in ((after, _up(after + 4 * count, word)), (before, base_before)):
        found = _relative(data, offsets, base, count, order, word)
        if found is not None:
            return found
    for at in (names.count_at - count * word, after):
        whole = _numbers(data, at, count, "Q" if word == 8 else "I", order)
        if whole is not None and whole[0] and _ascends(whole):
            return Addresses(tuple(whole), "absolute", at)
    return None


def _relative(data: bytes, at: int, base_at: int, count: int, order: ByteOrder, word: int) -> Addresses | None:
    """Return what offsets at `at` mean in the first form in which they are ascending addresses; None if in none."""
    offsets = _numbers(data, at, count, "i", order)
    if offsets is None:
        return None
    base = int.from_bytes(data[base_at : base_at + word], order)
    forms: list[tuple[Form, int]] = []
    # Offsets of 32 bits from 0 are whole addresses to a 32-bit kernel.
    if base % _PAGE == 0 and (base or word == 8) and base_at + word <= len(data):
        forms = [("per-cpu", base), ("relative", base)] if min(offsets, default=0) < 0 else [("relative", base)]
    if word == 8:
        forms.append(("self-relative", at))
    for form, start in forms:
        # What is not a table of addresses is nearly always known by a few of them.
        some = _meant(offsets[::_SOME], form, start, word, _SOME)
        if list(some) == sorted(some) and _ascends(values := _meant(offsets, form, start, word)):
            return Addresses(values, form, at, None if form == "self-relative" else base_at)
    return None


def _meant(offsets: array[int], form: Form, start: int, word: int, step: int = 1) -> tuple[int, ...]:
    """Return the addresses that offsets mean, of which each `step`-th is given."""
    if form == "self-relative":
        return tuple([start + 4 * step * number + one for number, one in enumerate(offsets)])
    if form == "per-cpu":
        return tuple([start - 1 - one if one < 0 else one for one in offsets])
    mask = (1 << 8 * word) - 1
    return tuple([start + (one & 0xFFFFFFFF) & mask for one in offsets])


def _numbers(data: bytes, at: int, count: int, code: str, order: ByteOrder) -> array[int] | None:
    out = array(code)
    if at < 0 or at + count * out.itemsize > len(data):
        return None
    out.frombytes(data[at : at + count * out.itemsize])
    if order == "big":
        out.byteswap()
    return out


def _ascends(values: tuple[int, ...] | array[int]) -> bool:
    """Return whether they ascend as those of a kernel do: empty memory would be addresses close to each other."""
    # Of values that ascend, sorting is one pass.
    return values[-1] - values[0] > _LEAST * len(values) and list(values) == sorted(values)


def _up(value: int, align: int) -> int:
    return -(-value // align) * align
