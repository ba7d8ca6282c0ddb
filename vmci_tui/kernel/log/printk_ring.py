"""The printk ring of Linux 5.10 and later: descriptors, their records, and a ring of texts.

A descriptor's number says in which turn of the ring it is used; its state and its text's first word repeat it
(kernel/printk/printk_ringbuffer.c).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final, Protocol

from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.log.record import MOST_RECORDS, MOST_TEXT, KernelLog, LogRecord, caller_of, level_in
from vmci_tui.kernel.log.ring_layout import Ring, RingLayout, ring_at, ring_layout
from vmci_tui.kernel.virtual_memory import VirtualMemory

_RESERVED, _COMMITTED, _FINALIZED, _REUSABLE = range(4)
"""The states of a descriptor, its two highest bits."""
_EMPTY: Final = 3
"""Begin and end of a text without bytes; 1 is that of a text for which there was no room."""


class RingMemory(Protocol):
    """The memory of a kernel, as far as a ring is read in it."""

    @property
    def word(self) -> int:
        """Bytes of an unsigned long and of a pointer."""
        ...

    @property
    def order(self) -> ByteOrder:
        """The kernel's byte order."""
        ...

    def read(self, va: int, length: int, /) -> bytes | None:
        """Return `length` bytes at `va`; None if the dump does not hold all of them."""
        ...


def read_ring(memory: VirtualMemory, text: Vmcoreinfo) -> KernelLog | str:
    """Return the records from the oldest to the newest, or why memory does not show them: a clause."""
    layout = ring_layout(text)
    if isinstance(layout, str):
        return f"the note has no usable {layout}"
    ring = ring_at(memory, layout, text)
    if ring is None:
        return "memory does not have a printk ring where SYMBOL(prb) says, or the dump lacks its page"
    return read_records_of(memory, layout, ring)


def read_records_of(memory: RingMemory, layout: RingLayout, ring: Ring) -> KernelLog | str:
    """Return the records of a ring from the oldest to the newest, or why none is whole: a clause."""
    reader = _Reader(memory, layout, ring)
    records = tuple(reader.records())[::-1]
    remarks = tuple(reader.remarks())
    if remarks and not any(record.text for record in records):
        return f"no record of the printk ring is whole. {' '.join(remarks).removesuffix('.')}"
    return KernelLog(records, "printk ring", remarks)


class _Reader:
    """Reads a ring, and counts what it leaves out."""

    def __init__(self, memory: RingMemory, layout: RingLayout, ring: Ring) -> None:
        self._memory = memory
        self._layout = layout
        self._ring = ring
        self._ids = (1 << memory.word * 8 - 2) - 1
        self._span = (ring.head - ring.tail & self._ids) + 1
        self._room, self._count, self._whole = MOST_TEXT, 0, True
        self._left_out: Counter[str] = Counter()

    def records(self) -> Iterator[LogRecord]:
        """Yield the records that hold anything, the newest first, until there are too many."""
        for back in range(min(self._span, 1 << self._ring.count_bits)):
            record = self._record(self._ring.head - back & self._ids)
            if record is None:
                continue
            self._room -= len(record.text)
            if self._count == MOST_RECORDS or self._room < 0:
                self._whole = False
                return
            self._count += 1
            if record.problem:
                self._left_out[record.problem] += 1
            yield record

    def remarks(self) -> Iterator[str]:
        """Yield what the list does not show, a sentence each."""
        whole = 1 << self._ring.count_bits
        if self._span > whole:
            yield "The ring's first and last record are too far apart, so the list may begin with older records."
        if not self._whole:
            yield f"Only the last {self._count} records are shown."
        for problem, count in self._left_out.items():
            yield f"{count} record{'s' if count > 1 else ''}: {problem}."

    def _record(self, number: int) -> LogRecord | None:
        index = number & (1 << self._ring.count_bits) - 1
        memory, layout = self._memory, self._layout
        raw = memory.read(self._ring.descs + index * layout.desc_size, layout.desc_size)
        info = memory.read(self._ring.infos + index * layout.info_size, layout.info_size)
        if raw is None or info is None:
            return _lost("the dump lacks the page of its descriptor")
        state_var = self._long(raw, layout.state_var)
        state = state_var >> memory.word * 8 - 2
        if state == _REUSABLE:
            return None  # its text has been overwritten, which is usual for the oldest
        if state_var & self._ids != number or state == _RESERVED:
            return _lost("it was being written when the dump was made")
        sequence = self._number(info, layout.sequence, 8)
        if sequence & (1 << self._ring.count_bits) - 1 != index:
            return _lost("its description is overwritten")
        text, problem = self._text(number, raw, self._number(info, layout.text_length, 2))
        return LogRecord(
            sequence,
            self._number(info, layout.nanoseconds, 8),
            level_in(info[layout.facility + 1], memory.order),
            info[layout.facility],
            text,
            caller_of(self._number(info, layout.caller, 4)),
            problem,
        )

    def _text(self, number: int, raw: bytes, length: int) -> tuple[bytes, str]:
        """Return a record's text, and why it is not whole."""
        ring, word = self._ring, self._memory.word
        begin = self._long(raw, self._layout.text_block + self._layout.begin)
        end = self._long(raw, self._layout.text_block + self._layout.next)
        if begin & 1 and end & 1:
            return b"", "" if begin == end == _EMPTY else "there was no room for its text"
        size, mask = 1 << ring.size_bits, (1 << ring.size_bits) - 1
        wrapped = begin >> ring.size_bits != (end - 1) >> ring.size_bits
        at, room = (0, end & mask) if wrapped else (begin & mask, end - begin)
        if not word <= room <= size - at or at % word:
            return b"", "its text is overwritten"
        block = self._memory.read(ring.data + at, word + min(length, room - word))
        if block is None:
            return b"", "the dump lacks the page of its text"
        repeated = self._long(block, 0) & self._ids
        if repeated != number and (repeated or not any(block)):  # tools that cut dumps put zeros where dmesg reads not
            return b"", "its text is overwritten"
        return block[word:], "its text is cut short" if length > room - word else ""

    def _long(self, raw: bytes, at: int) -> int:
        return self._number(raw, at, self._memory.word)

    def _number(self, raw: bytes, at: int, size: int) -> int:
        return int.from_bytes(raw[at : at + size], self._memory.order)


def _lost(problem: str) -> LogRecord:
    return LogRecord(None, None, None, None, b"", None, problem)
