"""The kernel's log as a witness: printk_rb_static, and the pointer prb, hold addresses of this boot.

The static ring buffer's pointers lead to arrays beside it in the kernel image (kernel/printk/printk.c), so they
are near its own address; in a kernel with another KASLR offset they are not.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.proof.kernel_addresses import PlacedKernel, Witness
from vmci_tui.proof.text_values import small, symbol

_NEAR: Final = 64 << 20
_SIZE_LIMIT: Final = 4096
_DESC_BITS: Final = range(5, 29)
_TEXT_BITS: Final = range(10, 32)
_RING: Final = (
    b"OFFSET(printk_ringbuffer.desc_ring)",
    b"OFFSET(printk_ringbuffer.text_data_ring)",
    b"OFFSET(prb_desc_ring.count_bits)",
    b"OFFSET(prb_desc_ring.descs)",
    b"OFFSET(prb_desc_ring.infos)",
    b"OFFSET(prb_data_ring.size_bits)",
    b"OFFSET(prb_data_ring.data)",
)


def log_buffer(kernel: PlacedKernel) -> Witness:
    """Fit if the static ring buffer's sizes are sane and its pointers, and prb, lead into the image near it."""
    text = kernel.text
    static, pointer = symbol(text, b"printk_rb_static"), symbol(text, b"prb")
    size = small(text, b"SIZE(printk_ringbuffer)", _SIZE_LIMIT)
    offsets = [small(text, key, _SIZE_LIMIT) for key in _RING]
    if static is None or pointer is None or size is None or None in offsets:
        return Witness(None, "the text does not describe the log (SYMBOL(printk_rb_static))")
    ring, named = kernel.read(static, size), kernel.read(pointer, kernel.machine.bits // 8)
    if ring is None or named is None:
        lacks = kernel.paddr(static if ring is None else pointer)
        return Witness(None, f"the dump lacks the kernel's log buffer, at {lacks:#x}")
    places = [offset for offset in offsets if offset is not None]
    where = f"the kernel's log buffer at {kernel.paddr(static):#x}"
    if any(_sane(kernel, static, ring, named, places, order) for order in kernel.orders):
        return Witness(True, f"{where} holds pointers into the kernel at {static:#x}")
    return Witness(False, f"{where} holds no pointers into the kernel at {static:#x}")


def _sane(kernel: PlacedKernel, static: int, ring: bytes, named: bytes, places: list[int], order: ByteOrder) -> bool:
    wide = kernel.machine.bits // 8
    desc, data, bits, descs, infos, size, start = places

    def word(at: int, length: int = wide) -> int:
        return int.from_bytes(ring[at : at + length], order)

    pointers = (word(desc + descs), word(desc + infos), word(data + start), int.from_bytes(named, order))
    sizes = word(desc + bits, 4) in _DESC_BITS and word(data + size, 4) in _TEXT_BITS
    return sizes and all(abs(one - static) < _NEAR for one in pointers) and len(set(pointers)) == len(pointers)
