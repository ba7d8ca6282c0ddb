"""Find the task that a CPU ran: its `struct task_struct`, and of that the number and the name.

Source: arch/x86/include/asm/current.h (`current_task` of each CPU; 6.2 to 6.14 `pcpu_hot.current_task`),
arch/riscv/include/asm/current.h (the register tp in the kernel), include/linux/sched.h, of Linux 5.10 to 7.2.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.common.records import NamedTuple
from vmci_tui.kernel.cpus.cpu import Cpu
from vmci_tui.kernel.lines.by_types import offset_of
from vmci_tui.kernel.lines.running_kernel import Fact, RunningKernel

_TOP: Final = 1 << 64
_NAME: Final = 16
"""TASK_COMM_LEN, with a NUL at the end."""
_MOST_PID: Final = 1 << 22
"""PID_MAX_LIMIT."""
_CPUS: Final = 8192
"""CONFIG_NR_CPUS at most; __per_cpu_offset has that many entries."""


class Task(NamedTuple):
    """A task."""

    pid: int
    """Its own number; 0 for the idle task of a CPU."""
    comm: bytes
    """Its name, at most 15 bytes."""


def task_of(kernel: RunningKernel, cpu: Cpu, in_kernel: bool) -> Task | None:
    """Return the task that a CPU ran; None where the kernel's tables, or its types, or the dump do not show it.

    `in_kernel`: whether the CPU was in the kernel's code, where a register may have the task.
    """
    pid, comm = (_offset(kernel, member) for member in (b"task_struct.pid", b"task_struct.comm"))
    at = _current(kernel, cpu, in_kernel) if pid is not None and comm is not None else None
    if at is None or pid is None or comm is None:
        return None
    number, name = kernel.number_at(at + pid, 4, signed=True), kernel.read(at + comm, _NAME)
    if number is None or name is None or not 0 <= number < _MOST_PID or b"\0" not in name:
        return None
    return Task(number, name.partition(b"\0")[0])


def _current(kernel: RunningKernel, cpu: Cpu, in_kernel: bool) -> int | None:
    if kernel.machine == "riscv64":
        return cpu.value("tp") if in_kernel else None
    if kernel.machine != "x86_64" or cpu.number >= _CPUS:
        return None
    areas = kernel.symbols(b"__per_cpu_offset")
    area = kernel.number_at(areas[0] + 8 * cpu.number, 8) if len(areas) == 1 else None
    variable = kernel.symbols(b"current_task")
    hot, inside = kernel.symbols(b"pcpu_hot"), _offset(kernel, b"pcpu_hot.current_task")
    if not variable and hot and inside is not None:
        variable = (hot[0] + inside,)
    return kernel.number_at((area + variable[0]) % _TOP, 8) if area is not None and variable else None


def _offset(kernel: RunningKernel, member: bytes) -> int | None:
    found = offset_of(kernel, member)
    return found.value if isinstance(found, Fact) and isinstance(found.value, int) else None
