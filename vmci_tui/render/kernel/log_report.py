"""Render the kernel's log as dmesg prints it, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from vmci_tui.common.errors import UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.kernel.log.marks import mark_of
from vmci_tui.kernel.log.record import LEVELS, LogRecord

_CALLER_WIDTH: Final = 6
"""Columns, as the kernel prints it (kernel/printk/printk.c, print_caller)."""


def log_lines(record: LogRecord, callers: bool = False) -> Iterator[str]:
    """Yield the lines of a record: the first with its time, the others below its text. Tabs stay.

    With `callers`, the task or CPU that wrote it is after the time. Of a record without text, the problem is shown.
    """
    head = time_of(record)
    if callers and record.caller is not None:
        head += f"[{record.caller:>{_CALLER_WIDTH}}]"
    head += " " if head else ""
    if not record.text and record.problem:
        yield f"{head}({record.problem})"
        return
    for line in record.text.split(b"\n"):
        yield head + shown(line)
        head = " " * len(head)


def time_of(record: LogRecord) -> str:
    """Return `[seconds.microseconds]`, or nothing if the kernel kept no time."""
    if record.nanoseconds is None:
        return ""
    seconds, rest = divmod(record.nanoseconds, 10**9)
    return f"[{seconds:5d}.{rest // 1000:06d}]"


def shown(line: bytes) -> str:
    """Return a line safe to show, as dmesg does: its tabs stay, and its backslashes are single."""
    return "\t".join(visible(part).replace("\\\\", "\\") for part in line.split(b"\t"))


def log_json(records: Iterable[LogRecord]) -> list[dict[str, Any]]:
    """Return each record with its sequence number, seconds since boot, level, facility, text and caller."""
    return [
        {
            "sequence": record.sequence,
            "seconds": None if record.nanoseconds is None else record.nanoseconds / 10**9,
            "level": record.level,
            "facility": record.facility,
            "text": "\n".join(shown(line) for line in record.text.split(b"\n")),
            "caller": record.caller,
            "mark": mark_of(record),
            "problem": record.problem or None,
        }
        for record in records
    ]


def levels_named(names: str) -> frozenset[int]:
    """Return the levels of a list as `dmesg --level` takes it: `err,warn`; `warn+` is warn and all worse ones.

    Raises UsageError.
    """
    out: set[int] = set()
    for name in names.split(","):
        plain = name.removesuffix("+")
        if plain not in LEVELS:
            raise UsageError(
                f"{visible(name)} is not a level", f"levels are {', '.join(LEVELS)}; warn+ is warn and worse"
            )
        level = LEVELS.index(plain)
        out.update(range(level + 1) if name.endswith("+") else (level,))
    return frozenset(out)
