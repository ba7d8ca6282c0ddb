"""The lines of the log, by the ring that was found: where it is, and how its structs are laid out.

Source: kernel/printk/printk.c (log_buf_vmcoreinfo_setup) of Linux 5.10 to 7.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vmci_tui.kernel.content.image_data import ImageData
from vmci_tui.kernel.content.rings import DEV_INFO, SUBSYSTEM, FoundRing
from vmci_tui.kernel.facts.running_kernel import Fact, RunningKernel

_BY: Final = "the log in memory, whose records are read rightly with it"
_FOUND: Final = "the log in memory, whose ring is there"
_NEAR: Final = 1 << 20
"""Bytes before and after a ring in which the pointer to it is, a variable of the same file in C."""


def ring_lines(kernel: RunningKernel, data: ImageData, rings: tuple[FoundRing, ...]) -> Mapping[bytes, Fact]:
    """Return the lines that the rings show, by key; none if there are several that do not belong together."""
    if not rings or len(rings) > 2 or len({ring.layout for ring in rings}) > 1:
        return {}
    first, used = rings[0], max(rings, key=lambda ring: ring.newest)
    lines = {b"SYMBOL(printk_rb_static)": Fact(first.at, _FOUND)}
    pointer = _pointer_to(kernel, data, used.at, first.at)
    if pointer is not None:
        lines[b"SYMBOL(prb)"] = Fact(pointer, "the only pointer to the log's ring near it")
    devices = next((ring.dev_info for ring in rings if ring.dev_info is not None), None)
    sizes = _structs(kernel.pointer_size, first) | ({} if devices is None else _devices(devices))
    return lines | {key: Fact(value, _BY) for key, value in sizes.items()}


def _pointer_to(kernel: RunningKernel, data: ImageData, ring: int, near: int) -> int | None:
    """Return the address of the only pointer to a ring that is near an address."""
    word = kernel.pointer_size
    pointer, begin = ring.to_bytes(word, kernel.order), max(near - _NEAR - data.start, 0)
    found, at = [], data.raw.find(pointer, begin, begin + 2 * _NEAR)
    while at >= 0:
        if at % word == 0:
            found.append(data.start + at)
        at = data.raw.find(pointer, at + 1, begin + 2 * _NEAR)
    return found[0] if len(found) == 1 and kernel.number_at(found[0], word) == ring else None


def _structs(word: int, ring: FoundRing) -> dict[bytes, int]:
    layout = ring.layout
    data_ring = 4 * word
    return {
        b"SIZE(printk_ringbuffer)": layout.text_ring + data_ring + word,
        b"OFFSET(printk_ringbuffer.desc_ring)": layout.desc_ring,
        b"OFFSET(printk_ringbuffer.text_data_ring)": layout.text_ring,
        b"OFFSET(printk_ringbuffer.fail)": layout.text_ring + data_ring,
        b"SIZE(prb_desc_ring)": layout.text_ring - layout.desc_ring,
        b"OFFSET(prb_desc_ring.count_bits)": layout.count_bits,
        b"OFFSET(prb_desc_ring.descs)": layout.descs,
        b"OFFSET(prb_desc_ring.infos)": layout.infos,
        b"OFFSET(prb_desc_ring.head_id)": layout.head_id,
        b"OFFSET(prb_desc_ring.tail_id)": layout.tail_id,
        b"SIZE(prb_desc)": layout.desc_size,
        b"OFFSET(prb_desc.state_var)": layout.state_var,
        b"OFFSET(prb_desc.text_blk_lpos)": layout.text_block,
        b"SIZE(prb_data_blk_lpos)": layout.desc_size - layout.text_block,
        b"OFFSET(prb_data_blk_lpos.begin)": layout.begin,
        b"OFFSET(prb_data_blk_lpos.next)": layout.next,
        b"SIZE(printk_info)": layout.info_size,
        b"OFFSET(printk_info.seq)": layout.sequence,
        b"OFFSET(printk_info.ts_nsec)": layout.nanoseconds,
        b"OFFSET(printk_info.text_len)": layout.text_length,
        b"OFFSET(printk_info.caller_id)": layout.caller,
        b"SIZE(prb_data_ring)": data_ring,
        b"OFFSET(prb_data_ring.size_bits)": layout.size_bits,
        b"OFFSET(prb_data_ring.data)": layout.data,
        b"OFFSET(prb_data_ring.head_lpos)": 2 * word,
        b"OFFSET(prb_data_ring.tail_lpos)": 3 * word,
        b"SIZE(atomic_long_t)": word,
        b"OFFSET(atomic_long_t.counter)": 0,
    }


def _devices(at: int) -> dict[bytes, int]:
    return {
        b"OFFSET(printk_info.dev_info)": at,
        b"SIZE(dev_printk_info)": DEV_INFO,
        b"OFFSET(dev_printk_info.subsystem)": 0,
        b"LENGTH(printk_info_subsystem)": SUBSYSTEM,
        b"OFFSET(dev_printk_info.device)": SUBSYSTEM,
        b"LENGTH(printk_info_device)": DEV_INFO - SUBSYSTEM,
    }
