"""Hide the texts of the kernel's log from everything that reads a cut which is to be without it.

A ring is also found by its records, and pages of a log may have other variables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from vmci_tui.containers.guest import Guest
from vmci_tui.cutting.masked import MaskedSource
from vmci_tui.cutting.recorder import Part
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.content.image_data import image_data
from vmci_tui.kernel.content.rings import rings
from vmci_tui.kernel.facts.running_kernel import RunningKernel
from vmci_tui.kernel.lines.gather import kernel_of
from vmci_tui.kernel.log.record import MOST_TEXT
from vmci_tui.kernel.log.ring_layout import ring_at, ring_layout
from vmci_tui.kernel.symbols.read_symbols import KernelSymbols
from vmci_tui.kernel.virtual_memory import VirtualMemory, places_of
from vmci_tui.layers.file import Source
from vmci_tui.layers.range_table import joined
from vmci_tui.proof.text_values import symbol

_PAGE: Final = 4096


def without_log(guest: Guest, text: Vmcoreinfo | None, symbols: KernelSymbols | None) -> Source:
    """Return the source of memory with zeros where the log has its texts: that of the text, and of these symbols."""
    hidden = set() if text is None else set(_by_text(guest, text))
    if symbols is not None:
        hidden.update(_by_content(guest, kernel_of(guest, symbols)))
    shown, at = [], 0
    for start, end in joined(sorted(hidden)):
        shown.append((at, start))
        at = end
    return MaskedSource(guest.source, (*shown, (at, guest.source.size)))


def _by_text(guest: Guest, text: Vmcoreinfo) -> Iterator[Part]:
    for placed, _ in places_of(text, guest):
        for order in placed.orders:
            memory = VirtualMemory(placed, order)
            yield from _in_source(guest, memory.paddr, *_buffer(memory, text))


def _buffer(memory: VirtualMemory, text: Vmcoreinfo) -> tuple[int, int]:
    """Return the address of the texts, and how many bytes there are; 0 if memory does not show it."""
    layout = ring_layout(text)
    if not isinstance(layout, str):
        ring = ring_at(memory, layout, text)
        return (0, 0) if ring is None else (ring.data, 1 << ring.size_bits)
    at, length = (symbol(text, name) for name in (b"log_buf", b"log_buf_len"))
    if at is None or length is None:
        return 0, 0
    return memory.pointer(at) or 0, memory.number(length, 4) or 0


def _by_content(guest: Guest, kernel: RunningKernel) -> Iterator[Part]:
    """Yield the texts of the rings of a kernel whose symbols do not name them."""
    data = None if kernel.symbols(b"linux_banner") else image_data(kernel)
    for ring in () if data is None else rings(kernel, data):
        at, layout = ring.at + ring.layout.text_ring, ring.layout
        start, bits = (
            kernel.number_at(at + layout.data, kernel.pointer_size),
            kernel.number_at(at + layout.size_bits, 4),
        )
        if start is not None and bits is not None:
            yield from _in_source(guest, kernel.physical, start, 1 << min(bits, 32))


def _in_source(guest: Guest, paddr: Callable[[int], int | None], start: int, length: int) -> Iterator[Part]:
    """Yield where the pages of a part of virtual memory are in the source, as far as memory has them."""
    at, end = start, start + min(length, MOST_TEXT)
    while at < end:
        part = min(end - at, _PAGE - at % _PAGE)
        place = paddr(at)
        offset = None if place is None else guest.memory.offset_of(place)
        if offset is not None:
            yield offset, offset + part
        at += part
