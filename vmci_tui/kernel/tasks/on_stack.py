"""Find a CPU's task by its registers and its stack: a task is known by its own stack, on which the CPU is.

For kernels without symbols of data (CONFIG_KALLSYMS_ALL). Source: `task_struct.stack` and `thread_info.cpu` (in the
task since 4.9 to 5.18, by machine).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vmci_tui.kernel.cpus.cpu import Cpu
from vmci_tui.kernel.facts.by_types import bytes_before
from vmci_tui.kernel.facts.running_kernel import RunningKernel

_STACK: Final = 1 << 15
"""Bytes of a stack at most; most machines have 16 KiB."""
_PAGE: Final = 4096
"""Bytes that are read at a time; a stack begins at a multiple of them."""
_ALIGNED: Final = 64
"""Bytes at whose multiples a task begins: a line of the cache, at least on 64-bit machines."""


def tasks_on_stack(kernel: RunningKernel, cpu: Cpu) -> Iterator[int]:
    """Yield the addresses in the registers and on the stack that are tasks on whose stack the CPU is."""
    stack, info = bytes_before(kernel, b"task_struct.stack"), bytes_before(kernel, b"task_struct.thread_info")
    number, sp, size = bytes_before(kernel, b"thread_info.cpu"), cpu.role("sp") or 0, kernel.pointer_size
    if stack is None or info is None or number is None or not sp:
        return
    words = b"".join(_latest(kernel, sp))
    found = (int.from_bytes(words[at : at + size], kernel.order) for at in range(0, len(words), size))
    for address in dict.fromkeys((*(one.value for one in cpu.general), *found)):
        if address % _ALIGNED or address < 1 << (8 * size - 1):
            continue
        base = kernel.number_at(address + stack, size)
        if base is None or base % _PAGE or not 0 <= sp - base < _STACK:
            continue
        if kernel.number_at(address + info + number, 4) == cpu.number:
            yield address


def _latest(kernel: RunningKernel, sp: int) -> Iterator[bytes]:
    """Yield what a stack has of the latest calls: the rest of its page, and the page after it."""
    for at, length in ((sp, _PAGE - sp % _PAGE), (sp - sp % _PAGE + _PAGE, _PAGE)):
        raw = kernel.read(at, length)
        if raw is None:
            return
        yield raw
