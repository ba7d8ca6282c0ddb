"""log_buf before Linux 3.5: text in a ring, each line with its level (kernel/printk.c)."""

from __future__ import annotations

import re
from typing import Final

from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.log.record import MOST_RECORDS, KernelLog, LogRecord
from vmci_tui.kernel.virtual_memory import VirtualMemory
from vmci_tui.proof.text_values import symbol

_MOST: Final = 16 << 20
"""Bytes that are read, the last ones: these kernels have 128 KiB to 1 MiB."""
_LINE: Final = re.compile(rb"(?:<(\d{1,3})>)?(?:\[ *(\d{1,10})\.(\d{6})\] )?(.*)", re.DOTALL)


def read_text(memory: VirtualMemory, text: Vmcoreinfo) -> KernelLog | str:
    """Return a record for each line, or why memory does not show them: a clause."""
    at = [symbol(text, name) for name in (b"log_buf", b"log_buf_len", b"log_end")]
    if None in at:
        return "the text does not say where the kernel's log is"
    buffer = memory.pointer(at[0] or 0)
    size, end = (memory.number(place or 0, 4) for place in at[1:])
    if buffer is None or size is None or end is None:
        return "the dump lacks the page with log_buf"
    if not buffer or not size or size & (size - 1):
        return "memory does not hold a log buffer where SYMBOL(log_buf) says"
    length = min(end, size, _MOST)
    start = (end - length) % size
    parts = (memory.read(buffer + start, min(length, size - start)), memory.read(buffer, max(0, length + start - size)))
    if None in parts:
        return "the dump lacks a page of log_buf"
    lines = b"".join(part or b"" for part in parts).rstrip(b"\0").removesuffix(b"\n").rsplit(b"\n", MOST_RECORDS)
    remarks = (f"Only the last {MOST_RECORDS} records are shown.",) if len(lines) > MOST_RECORDS else ()
    return KernelLog(tuple(map(_record, lines[-MOST_RECORDS:] if length else ())), "log_buf as text", remarks)


def _record(line: bytes) -> LogRecord:
    found = _LINE.fullmatch(line)
    assert found is not None
    level, seconds, micros, text = found.groups()
    when = None if seconds is None else int(seconds) * 10**9 + int(micros) * 1000
    number = None if level is None else int(level)
    return LogRecord(None, when, None if number is None else number & 7, None if number is None else number >> 3, text)
