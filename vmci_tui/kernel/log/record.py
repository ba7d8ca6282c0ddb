"""A record of the kernel's log, and the log as a whole."""

from __future__ import annotations

from typing import Final, NamedTuple

LEVELS: Final = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
"""The names that dmesg has for the levels 0 to 7, the most severe first."""
MOST_RECORDS: Final = 1 << 17
"""The most records that are read, the last ones: a log of 4 MiB has that many; the usual ones have 4096 to 32768."""
MOST_TEXT: Final = 16 << 20
"""Bytes of text that are kept, the last ones; texts of a damaged log may overlap."""
_CPU: Final = 1 << 31
"""The bit of a caller that says that it is a CPU, not a task (kernel/printk/printk.c, printk_caller_id)."""


class LogRecord(NamedTuple):
    """One record; what the kernel did not keep, or memory does not show, is None."""

    sequence: int | None
    nanoseconds: int | None
    """Since boot."""
    level: int | None
    """0 (emerg) to 7 (debug)."""
    facility: int | None
    """0 for the kernel itself; what user space writes to /dev/kmsg has another."""
    text: bytes
    """Without the final newline; it may have lines of its own."""
    caller: str | None = None
    """T and the task's number, or C and the CPU's."""
    problem: str = ""
    """Why the text is not whole: a clause; usually empty."""


class KernelLog(NamedTuple):
    """The log of a kernel, or why it could not be read."""

    records: tuple[LogRecord, ...]
    form: str
    """How the kernel keeps it: `printk ring`, `log_buf with records` or `log_buf as text`; empty if it was not read."""
    remarks: tuple[str, ...] = ()
    """What is missing or doubtful, a sentence each, safe to show; only this if the log was not read."""


def caller_of(number: int) -> str:
    """Return a caller as the kernel prints it: `T1`, `C0`."""
    return f"{'C' if number & _CPU else 'T'}{number & ~_CPU}"


def level_in(byte: int, order: str) -> int:
    """Return the level in the byte of `flags:5, level:3`: the first bit field is in the low bits, big-endian high."""
    return byte >> 5 if order == "little" else byte & 7
