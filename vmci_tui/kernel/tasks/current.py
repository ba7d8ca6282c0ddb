"""Find the task that a CPU ran: its `struct task_struct`, and of that the number and the name.

Source: `current` of Linux 5.10 to 7.2, arch/*/include/asm/current.h: the variable `current_task` of each CPU on x86
(6.2 to 6.14 `pcpu_hot.current_task`), `__entry_task` of each CPU on arm64 and arm, the lowcore on s390x, the paca on
ppc64, the register tp in the kernel on riscv64; and `runqueues.curr` of each CPU (kernel/sched/sched.h).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.kernel.cpus.cpu import Cpu
from vmci_tui.kernel.facts.by_types import bytes_before
from vmci_tui.kernel.facts.running_kernel import NotKnown, RunningKernel
from vmci_tui.kernel.tasks.on_stack import tasks_on_stack

_NAME: Final = 16
"""TASK_COMM_LEN, with a NUL at the end."""
_MOST_PID: Final = 1 << 22
"""PID_MAX_LIMIT."""
_CPUS: Final = 8192
"""CONFIG_NR_CPUS at most; __per_cpu_offset has that many entries."""
_VARIABLES: Final = (b"current_task", b"__entry_task")
"""Variables of each CPU that hold the task's address."""
_MEMBERS: Final = ((b"pcpu_hot", b"pcpu_hot.current_task"), (b"runqueues", b"rq.curr"))
"""The same as members of a struct: the variable, and the member."""
NO_TYPES: Final = NotKnown("the kernel has no types (BTF) in the dump")
_UNKNOWN: Final = NotKnown("the dump has neither the kernel's variables nor the stack that show it")


class Task(NamedTuple):
    """A task."""

    pid: int
    """Its own number; 0 for the idle task of a CPU."""
    comm: bytes
    """Its name, at most 15 bytes."""


def task_of(kernel: RunningKernel, cpu: Cpu, in_kernel: bool) -> Task | NotKnown:
    """Return the task that a CPU ran, or why that is not known.

    `in_kernel`: whether the CPU was in the kernel's code, where registers and stack are the kernel's.
    """
    if kernel.types is None:
        return NO_TYPES
    for address in _current(kernel, cpu, in_kernel):
        task = _task_at(kernel, address)
        if task is not None:
            return task
    return _UNKNOWN


def _task_at(kernel: RunningKernel, address: int) -> Task | None:
    """Return the task at an address; None if what is there is not one."""
    pid, comm = (bytes_before(kernel, name) for name in (b"task_struct.pid", b"task_struct.comm"))
    if pid is None or comm is None:
        return None
    number, name = kernel.number_at(address + pid, 4, signed=True), kernel.read(address + comm, _NAME)
    if number is None or name is None or not 0 <= number < _MOST_PID or b"\0" not in name:
        return None
    return Task(number, name.partition(b"\0")[0])


def _current(kernel: RunningKernel, cpu: Cpu, in_kernel: bool) -> Iterator[int]:
    """Yield where the task may be, the surest first."""
    found = (*_by_register(kernel, cpu, in_kernel), *_by_variables(kernel, cpu.number))
    yield from (address for address in found if address)
    if in_kernel:
        yield from tasks_on_stack(kernel, cpu)


def _by_register(kernel: RunningKernel, cpu: Cpu, in_kernel: bool) -> Iterator[int | None]:
    """Yield the task of the machines where a register leads to it."""
    if kernel.machine == "riscv64" and in_kernel:
        yield cpu.value("tp")
    if kernel.machine == "s390x" and (prefix := cpu.value("prefix")) is not None:
        yield _of_area(kernel, _lowcore(kernel, prefix), b"lowcore.current_task")
    if kernel.machine == "ppc64":
        areas = None if in_kernel else kernel.variable(b"paca_ptrs")
        area = cpu.value("r13") if in_kernel else areas and kernel.number_at(areas + 8 * cpu.number, 8)
        yield _of_area(kernel, area, b"paca_struct.__current")
    if kernel.machine == "arm" and in_kernel and not kernel.symbols(b"__entry_task"):
        yield _of_area(kernel, (cpu.role("sp") or 0) & ~0x1FFF, b"thread_info.task")


def _lowcore(kernel: RunningKernel, prefix: int) -> int | None:
    """Return the virtual address of the lowcore at this physical one, from the array with those of all CPUs."""
    array = kernel.symbols(b"lowcore_ptr")
    for number in range(_CPUS if array else 0):
        area = kernel.number_at(array[0] + 8 * number, 8)
        if not area:
            return None
        if kernel.physical(area) == prefix:
            return area
    return None


def _by_variables(kernel: RunningKernel, cpu: int) -> Iterator[int | None]:
    """Yield the task by the variables that each CPU has of its own."""
    size, areas = kernel.pointer_size, kernel.symbols(b"__per_cpu_offset")
    area = kernel.number_at(areas[0] + size * cpu, size) if len(areas) == 1 and cpu < _CPUS else None
    if area is None:
        return
    top = 1 << 8 * size
    for name in _VARIABLES:
        yield from (kernel.number_at((area + at) % top, size) for at in kernel.symbols(name)[:1])
    for name, path in _MEMBERS:
        yield from (_of_area(kernel, (area + at) % top, path) for at in kernel.symbols(name)[:1])


def _of_area(kernel: RunningKernel, area: int | None, path: bytes) -> int | None:
    """Return the pointer that a struct at `area` has in a member."""
    offset = bytes_before(kernel, path) if area else None
    return None if area is None or offset is None else kernel.number_at(area + offset, kernel.pointer_size)
