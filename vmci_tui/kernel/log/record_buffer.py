"""log_buf of Linux 3.5 to 5.9: records one after another in a ring (kernel/printk.c, kernel/printk/printk.c)."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.log.record import MOST_RECORDS, MOST_TEXT, KernelLog, LogRecord, caller_of, level_in
from vmci_tui.kernel.virtual_memory import VirtualMemory
from vmci_tui.proof.text_values import small, symbol

_LIMIT: Final = 4096
"""Bytes; a record's head has 16 or 20."""
_LARGEST: Final = 1 << 31
"""Bytes of the largest log buffer (LOG_BUF_LEN_MAX)."""
_MOST_BYTES: Final = 64 << 20
"""Bytes of records that are read."""


class _Layout(NamedTuple):
    """Offsets in the head of a record, and its size, in bytes."""

    nanoseconds: int
    length: int
    text_length: int
    dict_length: int
    size: int

    @property
    def facility(self) -> int:
        """The byte after `dict_len`; the next one has flags and level."""
        return self.dict_length + 2

    @property
    def caller(self) -> int | None:
        """Where CONFIG_PRINTK_CALLER (5.1 and later) puts the caller: the last four bytes; None without it."""
        return self.dict_length + 4 if self.size >= self.dict_length + 8 else None


def describes_records(text: Vmcoreinfo) -> bool:
    """Return whether the text describes records: `printk_log`, or `log` before 3.11."""
    return _layout(text) is not None


def read_records(memory: VirtualMemory, text: Vmcoreinfo) -> KernelLog | str:
    """Return the records from the oldest to the newest, or why memory does not show them: a clause."""
    layout = _layout(text)
    names = (b"log_buf", b"log_buf_len", b"log_first_idx", b"log_next_idx")
    at = [symbol(text, name) for name in names]
    if layout is None or None in at:
        return "the text does not say where log_buf has its first and last record"
    buffer = memory.pointer(at[0] or 0)
    size, first, end = (memory.number(place or 0, 4) for place in at[1:])
    if buffer is None or size is None or first is None or end is None:
        return "the dump lacks the page with log_buf"
    if not buffer or not 0 < size <= _LARGEST or max(first, end) > size:
        return "memory does not hold a log buffer where SYMBOL(log_buf) says"
    records: deque[LogRecord] = deque()
    remarks: list[str] = []
    place, passed, held, whole = first, 0, 0, True
    while place != end:
        if passed > _MOST_BYTES:
            remarks.append("The log ends early: it is longer than any kernel's log.")
            break
        head = memory.read(buffer + place, layout.size)
        length = int.from_bytes(head[layout.length : layout.length + 2], memory.order) if head is not None else 0
        if head is not None and length == 0 and place > end:  # the rest of the buffer was too short for the next one
            passed, place = passed + size - place, 0
            continue
        if head is None or length < layout.size or place + length > size or passed + length > size:
            what = "the dump lacks the page of" if head is None else "memory does not hold"
            remarks.append(f"The log ends early: {what} the record at {place} of log_buf.")
            break
        records.append(_record(memory, layout, head, buffer + place + layout.size, length))
        place, passed, held = place + length, passed + length, held + len(records[-1].text)
        while len(records) > MOST_RECORDS or held > MOST_TEXT:
            held, whole = held - len(records.popleft().text), False
    if not records and remarks:
        return "memory does not hold the records of log_buf"
    if not whole:
        remarks.append(f"Only the last {len(records)} records are shown.")
    return KernelLog(tuple(records), "log_buf with records", tuple(remarks))


def _layout(text: Vmcoreinfo) -> _Layout | None:
    for name in (b"printk_log", b"log"):
        fields = (b"ts_nsec", b"len", b"text_len", b"dict_len")
        found = [small(text, b"OFFSET(%s.%s)" % (name, field), _LIMIT) for field in fields]
        size = small(text, b"SIZE(%s)" % name, _LIMIT)
        if size is not None and None not in found:
            nanoseconds, length, text_length, dict_length = (value or 0 for value in found)
            layout = _Layout(nanoseconds, length, text_length, dict_length, size)
            widest = max(layout.nanoseconds + 8, layout.length + 2, layout.text_length + 2, layout.facility + 2)
            return layout if widest <= size else None
    return None


def _record(memory: VirtualMemory, layout: _Layout, head: bytes, at: int, length: int) -> LogRecord:
    def number(offset: int, size: int) -> int:
        return int.from_bytes(head[offset : offset + size], memory.order)

    said = number(layout.text_length, 2)
    text = memory.read(at, min(said, length - layout.size))
    problem = "its text is cut short" if said > length - layout.size else ""
    return LogRecord(
        None,
        number(layout.nanoseconds, 8),
        level_in(head[layout.facility + 1], memory.order),
        head[layout.facility],
        text or b"",
        None if layout.caller is None else caller_of(number(layout.caller, 4)),
        "the dump lacks the page of its text" if text is None else problem,
    )
