"""Which lines of the log say that the kernel failed."""

from __future__ import annotations

import re
from typing import Final, Literal

from vmci_tui.kernel.log.record import KernelLog, LogRecord

Mark = Literal["panic", "oops", "warning"]

_MARKS: Final[tuple[tuple[Mark, re.Pattern[bytes]], ...]] = (
    ("panic", re.compile(rb"Kernel panic - not syncing|sysrq: Trigger a crash|SysRq : Trigger a crash")),
    (
        "oops",
        re.compile(
            rb"BUG: |kernel BUG at |Oops\b|Internal error: |Unable to handle kernel |general protection fault|"
            rb"watchdog: BUG: |NMI watchdog: (?:BUG|Watchdog detected)|traps: PANIC: |double fault: |divide error: |"
            rb"invalid opcode: |Kernel stack overflow|Insufficient stack space"
        ),
    ),
    (
        "warning",
        re.compile(rb"WARNING: |(?:rcu: )?INFO: (?:task |rcu|possible )|Out of memory: |.{1,64} invoked oom-killer: "),
    ),
)
"""As kernel/panic.c, lib/bug.c, kernel/watchdog.c, mm/oom_kill.c and the machines' fault handlers print them."""

_CPU: Final = re.compile(rb"CPU: (\d{1,5}) (?:UID: \d+ )?PID: \d+ Comm: ")
"""The line that names the CPU and its task, after what happened."""


def mark_of(record: LogRecord) -> Mark | None:
    """Return what a record of the kernel itself reports; None for usual ones and for those of user space."""
    if record.facility:
        return None
    return next((mark for mark, pattern in _MARKS if pattern.match(record.text)), None)


def panic_of(log: KernelLog) -> LogRecord | None:
    """Return the record with the reason of the panic: the first one; None if the kernel did not panic."""
    return next((record for record in log.records if mark_of(record) == "panic"), None)


def panicked_cpu(log: KernelLog) -> int | None:
    """Return the number of the CPU that panicked, by the first report of an oops or a panic; None if none names one.

    Source: lib/dump_stack.c, dump_stack_print_info; lib/bug.c and the fault handlers print it too.
    """
    failed = False
    for record in log.records:
        failed = failed or mark_of(record) in ("oops", "panic")
        found = _CPU.match(record.text) if failed and not record.facility else None
        if found is not None:
            return int(found[1]) if panic_of(log) is not None else None
    return None
