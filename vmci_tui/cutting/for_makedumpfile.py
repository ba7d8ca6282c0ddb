"""Read what makedumpfile reads for `--dump-dmesg`: the whole log, and how memory is divided into sections.

makedumpfile 1.7.2, makedumpfile.c: dump_lockless_dmesg (printk.c), get_numnodes, get_mm_sparsemem.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.containers.guest import Guest
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.log.record import MOST_TEXT
from vmci_tui.kernel.log.ring_layout import ring_at, ring_layout
from vmci_tui.kernel.virtual_memory import VirtualMemory, places_of
from vmci_tui.proof.text_values import small, symbol

_PAGE: Final = 4096
_ROOTS: Final = 1 << 16
"""The most pages of sections that are read: each stands for 128 sections or more, of 128 MiB each on x86-64."""


def read_as_makedumpfile(text: Vmcoreinfo, guest: Guest) -> None:
    """Read it with the kernel where the text says, in each byte order that it may have."""
    for kernel, _ in places_of(text, guest):
        for order in kernel.orders:
            memory = VirtualMemory(kernel, order)
            _read_ring(memory, text)
            _read_sections(memory, text, guest.memory.ranges[-1].end if guest.memory.ranges else 0)


def _read_ring(memory: VirtualMemory, text: Vmcoreinfo) -> None:
    layout = ring_layout(text)
    ring = None if isinstance(layout, str) else ring_at(memory, layout, text)
    if ring is None or isinstance(layout, str):
        return
    count = 1 << ring.count_bits
    _read(memory, ring.descs, count * layout.desc_size)
    _read(memory, ring.infos, count * layout.info_size)
    _read(memory, ring.data, 1 << ring.size_bits)


def _read_sections(memory: VirtualMemory, text: Vmcoreinfo, end: int) -> None:
    """Read the list of nodes, and the sections below the physical address `end` (SPARSEMEM_EXTREME)."""
    nodes, count = symbol(text, b"node_data"), small(text, b"LENGTH(node_data)", _PAGE)
    if nodes is not None:
        _read(memory, nodes, (count or 1) * memory.word)
    roots, size = symbol(text, b"mem_section"), small(text, b"SIZE(mem_section)", _PAGE)
    bits = small(text, b"NUMBER(SECTION_SIZE_BITS)", 64)
    if roots is None or not size or not bits:
        return
    for number in range(min(-(-end // (_PAGE // size << bits)), _ROOTS)):
        root = memory.pointer(roots + number * memory.word)
        if root:
            memory.read(root, _PAGE // size * size)


def _read(memory: VirtualMemory, at: int, length: int) -> None:
    for place in range(at, at + min(length, MOST_TEXT), _PAGE):
        memory.read(place, min(_PAGE, at + length - place))
