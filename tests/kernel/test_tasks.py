"""Test the task of a CPU, over kernels that are made for the test, one of each machine."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.kernel.made_types import types_with
from tests.kernel.test_lines import kernel_with
from vmci_tui.adoption.located_cpus import LocatedCpus
from vmci_tui.formats.registers.register_set import Register
from vmci_tui.kernel.backtrace.trace import Trace
from vmci_tui.kernel.cpus.activity import Activity
from vmci_tui.kernel.cpus.cpu import Cpu
from vmci_tui.kernel.cpus.survey import SeenCpu, Survey
from vmci_tui.kernel.facts.running_kernel import NotKnown, RunningKernel
from vmci_tui.kernel.tasks.current import NO_TYPES, Task, task_of
from vmci_tui.kernel.tasks.on_stack import tasks_on_stack
from vmci_tui.render.kernel.cpu_report import cpus_text, unsaid

_AREAS, _AREA, _TASK = 0xFFFFFFFF81002000, 0xFFFF888000100000, 0xFFFF888000200000
_LOWCORES, _LOWCORE, _STACK = 0xFFFFFFFF81004000, 0xFFFF888000300000, 0xFFFF888000400000
_STRUCTS = {
    "task_struct": (64, {"thread_info": 0, "pid": 8, "comm": 16, "stack": 40}),
    "thread_info": (24, {"cpu": 4, "task": 12}),
    "pcpu_hot": (64, {"current_task": 8}),
    "rq": (64, {"curr": 24}),
    "lowcore": (4096, {"current_task": 0x340}),
    "paca_struct": (4096, {"__current": 0x128}),
}
"""Of each its size and the offsets of the members, in bytes."""


def _pointer(address: int) -> bytes:
    return address.to_bytes(8, "little")


def _kernel(
    machine: str, symbols: Mapping[bytes, int], more: Mapping[int, bytes] | None = None, task: bytes = b""
) -> RunningKernel:
    """Return a kernel whose CPU 1 runs task 42; `task`: other bytes from the number of the task on."""
    memory = {
        _AREAS + 8: _pointer(_AREA),
        _AREA + 0x1000: _pointer(_TASK),
        _TASK + 8: struct.pack("<i", 42),
        _TASK + 16: b"a.out".ljust(16, b"\0"),
        **({_TASK + 8: task[:4], _TASK + 16: task[4:]} if task else {}),
        **(more or {}),
    }
    made = kernel_with(machine, types_with(_STRUCTS), {b"__per_cpu_offset": _AREAS, **symbols})
    return replace(
        made,
        read=lambda address, length: (memory.get(address) or b"")[:length] or None,
        physical=lambda address: address - 0xFFFF888000000000,
    )


def _cpu(number: int, **registers: int) -> Cpu:
    plain = tuple(Register(name, value, "", 0, 8, "sp" if name == "sp" else "") for name, value in registers.items())
    return Cpu(number, "", plain, (), 0)


@pytest.mark.parametrize(
    ("machine", "symbols"),
    [
        ("x86_64", {b"current_task": 0x1000}),
        ("x86_64", {b"pcpu_hot": 0xFF8}),  # 6.2 to 6.14
        ("x86_64", {b"runqueues": 0x1000 - 24}),
        ("aarch64", {b"__entry_task": 0x1000}),
        ("riscv64", {b"runqueues": 0x1000 - 24}),
    ],
)
def test_the_task_is_that_of_the_cpus_own_area(machine: str, symbols: Mapping[bytes, int]) -> None:
    kernel = _kernel(machine, symbols)
    assert task_of(kernel, _cpu(1), False) == Task(42, b"a.out")
    assert isinstance(task_of(kernel, _cpu(0), True), NotKnown), "the dump does not have this CPU's area"


def test_i386_has_areas_and_pointers_of_four_bytes() -> None:
    memory = {_AREAS + 4: struct.pack("<I", 0x100), 0x1100: struct.pack("<I", 0xC0000)}
    memory |= {0xC0008: struct.pack("<i", 7), 0xC0010: b"init".ljust(16, b"\0")}
    kernel = _kernel("i386", {b"current_task": 0x1000}, memory)
    assert task_of(replace(kernel, pointer_size=4), _cpu(1), True) == Task(7, b"init")


@pytest.mark.parametrize(
    ("machine", "register", "more"),
    [
        ("riscv64", {"tp": _TASK}, {}),
        ("ppc64", {"r13": _AREA}, {_AREA + 0x128: _pointer(_TASK)}),
        ("arm", {"sp": _AREA + 0x1F80}, {_AREA + 12: _pointer(_TASK)}),
    ],
)
def test_a_register_leads_to_the_task_in_the_kernel(
    machine: str, register: Mapping[str, int], more: Mapping[int, bytes]
) -> None:
    kernel = _kernel(machine, {}, more)
    assert task_of(kernel, _cpu(0, **register), True) == Task(42, b"a.out")
    assert isinstance(task_of(kernel, _cpu(0, **register), False), NotKnown)


def test_the_lowcore_of_s390x_is_the_one_at_the_prefix() -> None:
    more = {
        _LOWCORES: _pointer(_AREA), _LOWCORES + 8: _pointer(_LOWCORE), _LOWCORE + 0x340: _pointer(_TASK),
        _LOWCORES + 16: _pointer(0),
    }  # fmt: skip
    kernel = _kernel("s390x", {b"lowcore_ptr": _LOWCORES}, more)
    assert task_of(kernel, _cpu(0, prefix=0x300000), False) == Task(42, b"a.out")
    assert isinstance(task_of(kernel, _cpu(0, prefix=0x500000), False), NotKnown)


def test_ppc64_in_a_process_has_the_task_by_the_array_of_all_cpus() -> None:
    more = {_LOWCORES: _pointer(_STACK), _STACK + 8: _pointer(_AREA), _AREA + 0x128: _pointer(_TASK)}
    kernel = _kernel("ppc64", {b"paca_ptrs": _LOWCORES}, more)
    assert task_of(kernel, _cpu(1, r13=0x7FFF0000), False) == Task(42, b"a.out")


@pytest.mark.parametrize("where", ["register", "stack"])
def test_without_symbols_the_task_is_the_one_whose_stack_the_cpu_is_on(where: str) -> None:
    sp = _STACK + 0x3F00
    words = _pointer(_TASK + 8) + _pointer(_TASK if where == "stack" else 0) + bytes(0xF0)
    more = {sp: words, _TASK + 40: _pointer(_STACK), _TASK + 4: struct.pack("<I", 3)}
    kernel = _kernel("aarch64", {}, more)
    cpu = _cpu(3, sp=sp, x28=_TASK if where == "register" else 1)
    assert task_of(kernel, cpu, True) == Task(42, b"a.out")
    assert isinstance(task_of(kernel, cpu, False), NotKnown), "a process has another stack"
    assert not list(tasks_on_stack(kernel, cpu._replace(number=2))), "it is the task of another CPU"
    elsewhere = _cpu(3, sp=sp + 0x8000, x28=_TASK)
    assert not list(tasks_on_stack(kernel, elsewhere)), "the CPU is not on its stack"


def test_what_cannot_be_a_task_is_not_one() -> None:
    symbols = {b"current_task": 0x1000}
    wrong = (struct.pack("<i", -1) + b"a.out".ljust(16, b"\0"), struct.pack("<i", 1) + b"sixteen bytes...")
    for task in wrong:
        assert isinstance(task_of(_kernel("x86_64", symbols, task=task), _cpu(1), True), NotKnown)
    assert task_of(replace(_kernel("x86_64", symbols), types=None), _cpu(1), True) == NO_TYPES
    assert isinstance(task_of(_kernel("x86_64", {}), _cpu(1), True), NotKnown)


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ((NO_TYPES, NO_TYPES), f"which task each CPU ran is not known: {NO_TYPES.why}"),
        ((Task(1, b"init"), NO_TYPES), f"which task CPU 1 ran is not known: {NO_TYPES.why}"),
        ((Task(1, b"init"), Task(0, b"swapper/1")), ""),
    ],
)
def test_why_a_task_is_not_known_is_said(tasks: tuple[Task | NotKnown, ...], words: str) -> None:
    seen = SeenCpu(_cpu(0), Activity("kernel", "idle", True), lambda at, length: None)
    assert unsaid(LocatedCpus(Survey((seen, seen), None), (Trace(None, ()),) * 2, None, tasks)) == words


def test_a_cpu_in_code_that_is_not_of_the_image_says_so() -> None:
    seen = SeenCpu(_cpu(0, pc=0xFFFFFFFFC0001000), Activity("kernel", "running", True), lambda at, length: None)
    rows = list(cpus_text(LocatedCpus(Survey((seen,), None), (Trace(None, ()),), None)))
    assert "not in the kernel's image" in rows[1]
