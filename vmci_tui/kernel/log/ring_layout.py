"""Where the fields of the printk ring are, by the keys of the text, and its arrays in memory.

The layout is kernel/printk/printk_ringbuffer.h, since Linux 5.10.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.virtual_memory import VirtualMemory
from vmci_tui.proof.text_values import small, symbol

_LIMIT: Final = 4096
"""Bytes; no struct of the log is nearly as long."""
_COUNT_BITS: Final = range(5, 29)
_SIZE_BITS: Final = range(10, 32)
"""The kernel's log has at most 2 GiB (LOG_BUF_LEN_MAX), and a descriptor for each 32 bytes."""
_KEYS: Final = {
    "desc_ring": "OFFSET(printk_ringbuffer.desc_ring)",
    "text_ring": "OFFSET(printk_ringbuffer.text_data_ring)",
    "count_bits": "OFFSET(prb_desc_ring.count_bits)",
    "descs": "OFFSET(prb_desc_ring.descs)",
    "infos": "OFFSET(prb_desc_ring.infos)",
    "head_id": "OFFSET(prb_desc_ring.head_id)",
    "tail_id": "OFFSET(prb_desc_ring.tail_id)",
    "desc_size": "SIZE(prb_desc)",
    "state_var": "OFFSET(prb_desc.state_var)",
    "text_block": "OFFSET(prb_desc.text_blk_lpos)",
    "begin": "OFFSET(prb_data_blk_lpos.begin)",
    "next": "OFFSET(prb_data_blk_lpos.next)",
    "info_size": "SIZE(printk_info)",
    "sequence": "OFFSET(printk_info.seq)",
    "nanoseconds": "OFFSET(printk_info.ts_nsec)",
    "text_length": "OFFSET(printk_info.text_len)",
    "caller": "OFFSET(printk_info.caller_id)",
    "size_bits": "OFFSET(prb_data_ring.size_bits)",
    "data": "OFFSET(prb_data_ring.data)",
}


class RingLayout(NamedTuple):
    """Offsets and sizes in bytes."""

    desc_ring: int
    text_ring: int
    count_bits: int
    descs: int
    infos: int
    head_id: int
    tail_id: int
    desc_size: int
    state_var: int
    text_block: int
    begin: int
    next: int
    info_size: int
    sequence: int
    nanoseconds: int
    text_length: int
    caller: int
    size_bits: int
    data: int

    @property
    def facility(self) -> int:
        """The byte after `text_len`; the byte after it has flags and level. The text has no keys for them."""
        return self.text_length + 2

    def fits(self, word: int) -> bool:
        """Whether each field is within its struct."""
        in_desc = max(self.state_var, self.text_block + max(self.begin, self.next)) + word <= self.desc_size
        widths = (self.sequence + 8, self.nanoseconds + 8, self.facility + 2, self.caller + 4)
        return in_desc and max(widths) <= self.info_size


class Ring(NamedTuple):
    """A ring in memory."""

    count_bits: int
    """Of the number of descriptors."""
    size_bits: int
    """Of the bytes of all texts."""
    descs: int
    infos: int
    data: int
    """Virtual addresses of the three arrays."""
    head: int
    tail: int
    """The newest and the oldest descriptor: its number, of which the low `count_bits` are its index."""


def ring_layout(text: Vmcoreinfo) -> RingLayout | str:
    """Return the layout that a text describes, or the key that it lacks or that is not a small number."""
    found = {}
    for field, key in _KEYS.items():
        value = small(text, key.encode(), _LIMIT)
        if value is None:
            return key
        found[field] = value
    return RingLayout(**found)


def ring_at(memory: VirtualMemory, layout: RingLayout, text: Vmcoreinfo) -> Ring | None:
    """Return the ring that SYMBOL(prb) leads to; None if memory does not hold a sane one there."""
    named = symbol(text, b"prb")
    at = memory.pointer(named) if named is not None else None
    if not at or not layout.fits(memory.word):
        return None
    desc, data = at + layout.desc_ring, at + layout.text_ring
    counted, sized = memory.number(desc + layout.count_bits, 4), memory.number(data + layout.size_bits, 4)
    places = (desc + layout.descs, desc + layout.infos, data + layout.data)
    arrays = [memory.pointer(place) for place in places]
    ends = [memory.pointer(desc + layout.head_id), memory.pointer(desc + layout.tail_id)]
    if counted not in _COUNT_BITS or sized not in _SIZE_BITS or not all(arrays) or None in ends:
        return None
    return Ring(counted or 0, sized or 0, *(value or 0 for value in (*arrays, *ends)))
