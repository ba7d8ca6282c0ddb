"""Say in words which symbol of the kernel an address is."""

from __future__ import annotations

from vmci_tui.adoption.kernel_facts import KernelFound
from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import Safe
from vmci_tui.document.document import Document
from vmci_tui.render.kernel.symbol_report import spot_words

_NOTHING = Safe("")


def symbol_words(found: KernelFound | None, address: int) -> Safe:
    """Return a virtual address as symbol and offset; empty outside the kernel's image, and if nothing is known."""
    spot = None if found is None else found.symbols.spot(address)
    return _NOTHING if spot is None else Safe(spot_words(spot))


def place_words(found: KernelFound | None, document: Document, at: int, paddr: int | None) -> Safe:
    """Return what byte `at` of a document is, and what is pointed at there: `  in jiffies -> _stext+0x10`.

    Empty where neither is in the kernel's image, and outside memory.
    """
    if found is None or paddr is None:
        return _NOTHING
    shift, size = found.symbols.shift, found.pointer_size
    here = _NOTHING if shift is None else symbol_words(found, paddr + shift)
    there = _NOTHING if paddr % size else pointer_words(found, document, at)
    return Safe((f"  in {here}" if here else "") + (f"  -> {there}" if there else ""))


def pointer_words(found: KernelFound | None, document: Document, at: int) -> Safe:
    """Return the pointer at byte `at` of a document as symbol and offset; empty if it is not in the kernel's image."""
    if found is None:
        return _NOTHING
    try:
        raw = document.read(at, found.pointer_size)
    except OpenError:
        return _NOTHING
    return symbol_words(found, int.from_bytes(raw, found.order)) if len(raw) == found.pointer_size else _NOTHING
