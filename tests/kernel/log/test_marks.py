"""Test which lines say that the kernel failed."""

from __future__ import annotations

import pytest

from vmci_tui.kernel.log.marks import mark_of, panic_of, panicked_cpu
from vmci_tui.kernel.log.record import KernelLog, LogRecord


def record(text: bytes, facility: int = 0) -> LogRecord:
    return LogRecord(1, 1, 0, facility, text)


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        (b"Kernel panic - not syncing: VFS: Unable to mount root fs", "panic"),
        (b"BUG: kernel NULL pointer dereference, address: 0000000000000000", "oops"),
        (b"Oops: 0002 [#1] PREEMPT SMP PTI", "oops"),
        (b"Internal error: Oops: 0000000096000005 [#1] SMP", "oops"),
        (b"Unable to handle kernel pointer dereference in virtual kernel address space", "oops"),
        (b"WARNING: CPU: 1 PID: 77 at kernel/fork.c:1 copy_process+0x1/0x2", "warning"),
        (b"Out of memory: Killed process 400 (a.out)", "warning"),
        (b"a.out invoked oom-killer: gfp_mask=0x140cca", "warning"),
        (b"rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", "warning"),
        (b"NMI watchdog: Perf NMI watchdog permanently disabled", None),
        (b"PCI: Using host bridge windows from ACPI; if necessary, report a bug", None),
        (b"pci 0000:00:02.0: vgaarb: VGA device added", None),
        (b"x86/cpu: user space should use a debug build", None),
    ],
)
def test_marks(text: bytes, mark: str | None) -> None:
    assert mark_of(record(text)) == mark
    assert mark_of(record(text, facility=3)) is None


def test_the_panic_is_the_first_line_that_says_so() -> None:
    panic = record(b"Kernel panic - not syncing: sysrq triggered crash")
    assert (
        panic_of(KernelLog((record(b"a"), panic, record(b"---[ end Kernel panic - not syncing: x ]---")), "")) == panic
    )
    assert panic_of(KernelLog((record(b"a"),), "")) is None


def test_the_cpu_that_panicked_is_the_one_that_the_first_report_names() -> None:
    before = record(b"CPU: 7 PID: 12 Comm: early Not tainted 6.1.0 #1")
    report = record(b"CPU: 3 UID: 0 PID: 1 Comm: init Not tainted 6.12.0 #1")
    oops, panic = (
        record(b"BUG: kernel NULL pointer dereference"),
        record(b"Kernel panic - not syncing: Fatal exception"),
    )
    other = record(b"CPU: 1 PID: 2 Comm: other", facility=3)
    assert panicked_cpu(KernelLog((before, oops, other, report, panic), "")) == 3
    assert panicked_cpu(KernelLog((before, oops, report), "")) is None, "an oops alone is not a panic"
    assert panicked_cpu(KernelLog((before, panic), "")) is None
