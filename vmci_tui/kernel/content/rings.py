"""Find the printk rings in the data of a kernel by what is in them.

The structs are those of kernel/printk/printk_ringbuffer.h since Linux 5.10, which have no configuration, but for two
members that newer versions added. A ring is taken for one where its records are read rightly, with one layout alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Final, NamedTuple

from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.kernel.content.image_data import ImageData
from vmci_tui.kernel.facts.running_kernel import RunningKernel
from vmci_tui.kernel.log.printk_ring import read_records_of
from vmci_tui.kernel.log.record import KernelLog
from vmci_tui.kernel.log.ring_layout import Ring, RingLayout

_AVERAGE: Final = 5
"""The bits by which there are more bytes of text than records (PRB_AVGBITS, kernel/printk/printk.c)."""
_INFO_SIZES: Final = {88: 24, 112: 44}
"""Sizes of printk_info, and where its dev_info is: since 6.19 with a second caller and the task's name."""
DEV_INFO, SUBSYSTEM = 64, 16
"""Bytes of dev_printk_info, of which the first are the subsystem, the others the device."""
_DEVICE: Final = re.compile(rb"[+bcn][\x21-\x7e]+\0*\Z")
"""A device as a record names it: `+pci:0000:00:01.0`, `c4:64`, `n1` (drivers/base/core.c, set_dev_info)."""
_FEWEST: Final = 16
"""Whole records by which a ring is known; a booted kernel has hundreds."""
_WHOLE: Final = 8
"""Of how many records one may be damaged."""
_MOST: Final = 8
"""Rings that are read; memory may be made to have many, and a kernel has two at most."""
_LOOKS: Final = 1 << 12
"""Records that are looked at for a device."""
_MOST_CALLERS: Final = 1 << 22
"""The largest number of a task (PID_MAX_LIMIT)."""


class FoundRing(NamedTuple):
    """A ring that was found, and how its structs are laid out."""

    at: int
    """Its virtual address."""
    infos: int
    """The address of its records' descriptions; those of a ring that the compiler made are near it."""
    layout: RingLayout
    dev_info: int | None
    """Where printk_info has the device of a record; None if no record has one."""
    newest: int
    """The number of its last record."""


class _Candidate(NamedTuple):
    at: int
    layout: RingLayout
    ring: Ring
    dev_info: int
    """Where printk_info of this layout has the device."""


class _Memory(NamedTuple):
    kernel: RunningKernel

    @property
    def word(self) -> int:
        return self.kernel.pointer_size

    @property
    def order(self) -> ByteOrder:
        return self.kernel.order

    def read(self, va: int, length: int, /) -> bytes | None:
        return self.kernel.read(va, length)


def rings(kernel: RunningKernel, data: ImageData) -> tuple[FoundRing, ...]:
    """Return the rings in the data, in the order of their addresses.

    Of several that name the same arrays one is there, and the others are copies, such as the image as it was loaded.
    """
    found: dict[int, FoundRing] = {}
    candidates = (one for at, extra in _places(kernel, data) for one in _at(kernel, at, extra))
    for candidate in islice(candidates, _MOST):
        ring = _read(kernel, candidate)
        if ring is not None:
            other = found.get(ring.infos, ring)
            found[ring.infos] = min(other, ring, key=lambda one: abs(one.at - one.infos))
    return tuple(sorted(found.values()))


def _places(kernel: RunningKernel, data: ImageData) -> Iterator[tuple[int, int]]:
    """Yield addresses where the sizes of a ring are, and the words of prb_desc_ring after its tail_id (6.9: one)."""
    word, order = kernel.pointer_size, kernel.order
    sizes = re.compile(
        rb"(?s)%b%b(?=.{%d}(?:.{%d})?%b)"
        % (_small(rb"[\x05-\x14]", order), b"." * (word - 4), 4 * word, word, _small(rb"[\x0a-\x19]", order))
    )
    for match in sizes.finditer(data.raw):
        at = match.start()
        if at % word:
            continue
        count = _number(data.raw, at, order)
        for extra in (0, 1):
            if _number(data.raw, at + (5 + extra) * word, order) == count + _AVERAGE:
                yield data.start + at, extra


def _small(byte: bytes, order: ByteOrder) -> bytes:
    """Return the pattern of an unsigned int below 256, by that of its byte."""
    return byte + rb"\0\0\0" if order == "little" else rb"\0\0\0" + byte


def _number(raw: bytes, at: int, order: ByteOrder) -> int:
    return int.from_bytes(raw[at : at + 4], order)


def layout_of(word: int, extra: int, info_size: int) -> RingLayout:
    """Return the layout of a ring for words of this size, with so many more words in prb_desc_ring."""
    return RingLayout(
        desc_ring=0,
        text_ring=(5 + extra) * word,
        count_bits=0,
        descs=word,
        infos=2 * word,
        head_id=3 * word,
        tail_id=4 * word,
        desc_size=3 * word,
        state_var=0,
        text_block=word,
        begin=0,
        next=word,
        info_size=info_size,
        sequence=0,
        nanoseconds=8,
        text_length=16,
        caller=20,
        size_bits=0,
        data=word,
    )


def _at(kernel: RunningKernel, at: int, extra: int) -> Iterator[_Candidate]:
    """Yield the ring at an address, with each layout by which its newest record is where it says: one, or none."""
    word = kernel.pointer_size
    raw = kernel.read(at, (9 + extra) * word)
    if raw is None:
        return
    words = [int.from_bytes(raw[i : i + word], kernel.order) for i in range(0, len(raw), word)]
    counts, sizes = (_number(raw, i * word, kernel.order) for i in (0, 5 + extra))
    text, head, tail = words[6 + extra : 9 + extra]
    records = (words[3] - words[4]) % (1 << word * 8 - 2)
    if (
        not all((words[1], words[2], text))
        or not 0 < (head - tail) % (1 << word * 8) <= 1 << sizes
        or records >= 1 << counts
    ):
        return
    ring = Ring(counts, sizes, words[1], words[2], text, words[3], words[4])
    for size, dev_info in _INFO_SIZES.items():
        layout = layout_of(word, extra, size)
        if _has_newest(kernel, layout, ring, head):
            yield _Candidate(at, layout, ring, dev_info)


def _read(kernel: RunningKernel, candidate: _Candidate) -> FoundRing | None:
    """Return a ring with its newest record; None if its records are not read rightly."""
    at, layout, ring, dev_info = candidate
    log = read_records_of(_Memory(kernel), layout, ring)
    if not isinstance(log, KernelLog) or not _reads_rightly(log):
        return None
    named = _names_a_device(kernel, ring, layout, dev_info)
    return FoundRing(at, ring.infos, layout, dev_info if named else None, log.records[-1].sequence or 0)


def _reads_rightly(log: KernelLog) -> bool:
    """Return whether nearly all records are whole, one after the other in number and time, from callers there are."""
    whole = [record for record in log.records if record.text and not record.problem]
    if len(whole) < max(_FEWEST, len(log.records) - len(log.records) // _WHOLE):
        return False
    pairs = list(pairwise(whole))
    numbered = all((later.sequence or 0) > (sooner.sequence or 0) for sooner, later in pairs)
    timed = sum((later.nanoseconds or 0) >= (sooner.nanoseconds or 0) for sooner, later in pairs)
    callers = all(int((record.caller or "T0")[1:]) < _MOST_CALLERS for record in whole)
    return numbered and callers and timed >= len(pairs) - len(pairs) // _WHOLE


def _has_newest(kernel: RunningKernel, layout: RingLayout, ring: Ring, head: int) -> bool:
    """Return whether the newest record is where the ring says, and its text ends where the ring of texts does."""
    index, word = ring.head & (1 << ring.count_bits) - 1, kernel.pointer_size
    desc = ring.descs + index * layout.desc_size
    state = kernel.number_at(desc + layout.state_var, word)
    end = kernel.number_at(desc + layout.text_block + layout.next, word)
    sequence = kernel.number_at(ring.infos + index * layout.info_size + layout.sequence, 8)
    ids = (1 << word * 8 - 2) - 1
    return (
        state is not None
        and sequence is not None
        and (state & ids, end) == (ring.head & ids, head)
        and sequence & (1 << ring.count_bits) - 1 == index
    )


def _names_a_device(kernel: RunningKernel, ring: Ring, layout: RingLayout, dev_info: int) -> bool:
    """Return whether a record of the ring names a device and its subsystem, which are together DEV_INFO bytes."""
    for index in range(min(1 << ring.count_bits, _LOOKS)):
        raw = kernel.read(ring.infos + index * layout.info_size + dev_info, DEV_INFO) or b""
        subsystem, device = raw[:SUBSYSTEM], raw[SUBSYSTEM:]
        if subsystem.strip(b"\0").isalnum() and _DEVICE.match(device):
            return True
    return False
