"""The kernel's symbol table as a witness (kernel/kallsyms.c), if the text says where it is (since 6.0).

Its addresses ascend, so a few reads decide whether it has one. The name of a symbol can only be read after all
names before it: that is done for _stext, which is among the first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.proof.kernel_addresses import PlacedKernel, Witness
from vmci_tui.proof.text_values import line, symbol

_TOKENS: Final = 256
_TOKENS_LIMIT: Final = 2048
_FEWEST: Final = 1000
_MOST: Final = 1 << 22
_FIRST: Final = 4096
"""At most the symbols of a CPU's area come before _stext: a few hundred."""
_NAME_LENGTH: Final = 24
_SAME: Final = 16
"""More symbols than any one address has."""
_DATA: Final = (b"init_uts_ns", b"swapper_pg_dir")


def symbol_table(kernel: PlacedKernel) -> Witness:
    """Contradict if the table has no symbol at the text's address of _stext.

    Fits if it has one and the table has whole addresses, or the base that KASLR moves. Since 7.0 the table of a 64-bit
    kernel counts from itself, and shows only that the text's addresses belong to one image.
    """
    text = kernel.text
    table, index = symbol(text, b"kallsyms_token_table"), symbol(text, b"kallsyms_token_index")
    count, offsets = symbol(text, b"kallsyms_num_syms"), symbol(text, b"kallsyms_offsets")
    start = symbol(text, b"_stext")
    if table is None or index is None or count is None or offsets is None or start is None:
        return Witness(None, "the text does not say where the symbol table is (SYMBOL(kallsyms_offsets))")
    tokens, places = kernel.read(table, _TOKENS_LIMIT), kernel.read(index, 2 * _TOKENS)
    number = kernel.read(count, 4)
    if tokens is None or places is None or number is None:
        return Witness(None, f"the dump lacks the symbol table, at {kernel.paddr(table):#x}")
    where = f"the symbol table at {kernel.paddr(offsets):#x}"
    for order in kernel.orders:
        total = int.from_bytes(number, order)
        if _FEWEST <= total <= _MOST and _whole(tokens, places, order):
            return _addresses(kernel, tokens, offsets, total, order, where, start)
    return Witness(False, f"at {kernel.paddr(table):#x} memory holds no tokens of a symbol table")


def _whole(tokens: bytes, places: bytes, order: ByteOrder) -> bool:
    """Return whether the index leads to 256 consecutive texts, each ended by a NUL."""
    at = 0
    for number in range(_TOKENS):
        if int.from_bytes(places[2 * number : 2 * number + 2], order) != at:
            return False
        end = tokens.find(b"\0", at)
        if end < 0:
            return False
        at = end + 1
    return at > _TOKENS


def _addresses(
    kernel: PlacedKernel, tokens: bytes, offsets: int, total: int, order: ByteOrder, where: str, start: int
) -> Witness:
    wide = kernel.machine.bits // 8
    base, relative = 0 if wide == 4 else None, symbol(kernel.text, b"kallsyms_relative_base")
    if relative is not None:
        raw = kernel.read(relative, wide)
        if raw is None:
            return Witness(None, f"the dump lacks the base of the symbol table, at {kernel.paddr(relative):#x}")
        base = int.from_bytes(raw, order)
    last = kernel.read(offsets + 4 * (total - 1), 4)
    percpu = relative is not None and last is not None and bool(int.from_bytes(last, order) >> 31)

    def at(number: int) -> int | None:
        raw = kernel.read(offsets + 4 * number, 4)
        if raw is None:
            return None
        signed = int.from_bytes(raw, order, signed=True)
        if base is None:
            return offsets + 4 * number + signed
        if percpu:  # CONFIG_KALLSYMS_ABSOLUTE_PERCPU: a value that is not negative is an offset in a CPU's area
            return base - 1 - signed if signed < 0 else signed
        return base + (signed & 0xFFFFFFFF)

    index = _find(at, total, start)
    if index is None:
        return Witness(None, f"the dump lacks part of {where}")
    if at(index) != start or not _named(kernel, tokens, at, index, b"_stext", start):
        return Witness(False, f"{where} has no symbol for {line(kernel.text, b'SYMBOL(_stext)')}")
    for name in _DATA if _all_symbols(kernel, at, total) else ():
        va = symbol(kernel.text, name)
        if va is not None and _holds(at, total, va) is False:
            return Witness(False, f"{where} has no symbol for {line(kernel.text, b'SYMBOL(%s)' % name)}")
    return Witness(True, f"{where} has a symbol at _stext ({start:#x})", base is not None)


def _all_symbols(kernel: PlacedKernel, at: Callable[[int], int | None], total: int) -> bool:
    """Return whether the table has data too (CONFIG_KALLSYMS_ALL)."""
    names = (symbol(kernel.text, b"prb"), symbol(kernel.text, b"printk_rb_static"))
    return all(va is not None and _holds(at, total, va) is True for va in names)


def _holds(at: Callable[[int], int | None], total: int, va: int) -> bool | None:
    """Return whether the table has `va`; None if the dump lacks the needed part."""
    index = _find(at, total, va)
    return None if index is None else index < total and at(index) == va


def _find(at: Callable[[int], int | None], total: int, va: int) -> int | None:
    """Return the index of the first of `total` ascending addresses not below `va`; None if a part is missing."""
    low, high = 0, total
    while low < high:
        middle = (low + high) // 2
        found = at(middle)
        if found is None:
            return None
        if found < va:
            low = middle + 1
        else:
            high = middle
    return low


def _named(
    kernel: PlacedKernel, tokens: bytes, at: Callable[[int], int | None], index: int, name: bytes, va: int
) -> bool:
    """Return whether a symbol at `va`, the first of which is at `index`, has this name; True if that is not known."""
    names = symbol(kernel.text, b"kallsyms_names")
    if index > _FIRST:
        return False
    raw = kernel.read(names, (index + _SAME) * _NAME_LENGTH) if names is not None else None
    if raw is None:
        return True
    texts, place = tokens.split(b"\0", _TOKENS), 0
    for number in range(index + _SAME):
        length, place = raw[place], place + 1
        if length & 0x80:  # since 6.1 a name may have more than 127 tokens
            length, place = length & 0x7F | raw[place] << 7, place + 1
        if place + length >= len(raw) - 1:
            return True
        if number >= index:
            if at(number) != va:
                return False
            if b"".join(texts[token] for token in raw[place : place + length])[1:] == name:
                return True
        place += length
    return True
