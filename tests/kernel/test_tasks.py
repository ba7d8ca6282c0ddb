"""Test the task of a CPU, over a kernel that is made for the test."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import pytest

from tests.kernel.test_lines import kernel_with
from tests.paths import DATA
from vmci_tui.common.records import replace
from vmci_tui.formats.registers.register_set import Register
from vmci_tui.kernel.cpus.cpu import Cpu
from vmci_tui.kernel.lines.running_kernel import RunningKernel
from vmci_tui.kernel.tasks.current import Task, task_of
from vmci_tui.kernel.types.btf import Btf, Kind, read_btf

_AREAS, _AREA, _TASK = 0xFFFFFFFF81002000, 0xFFFF888000100000, 0xFFFF888000200000
_PID, _COMM = 8, 16
"""Offsets of the members, in bytes."""


def _types(hot: bool) -> Btf:
    """Return the compiler's types with task_struct, and for `hot` with pcpu_hot."""
    plain = read_btf((DATA / "btf" / "types.btf").read_bytes(), "little", 8)
    at, names = len(plain.strings), b"task_struct\0pid\0comm\0pcpu_hot\0current_task\0"
    place = {name: at + names.index(name + b"\0") for name in names.split(b"\0")[:-1]}
    task = struct.pack("<III", place[b"task_struct"], Kind.STRUCT << 24 | 2, 64)
    task += struct.pack("<IIIIII", place[b"pid"], 1, 8 * _PID, place[b"comm"], 1, 8 * _COMM)
    more = struct.pack("<III", place[b"pcpu_hot"], Kind.STRUCT << 24 | 1, 64)
    more += struct.pack("<III", place[b"current_task"], 1, 8 * 8)
    body, tail = plain.types + task + (more if hot else b""), plain.strings + names
    head = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(body), len(body), len(tail))
    return read_btf(head + body + tail, "little", 8)


def _kernel(
    symbols: Mapping[bytes, int], pid: int = 42, comm: bytes = b"a.out", machine: str = "x86_64"
) -> RunningKernel:
    memory = {
        _AREAS + 8: _AREA.to_bytes(8, "little"),
        _AREA + 0x1000: _TASK.to_bytes(8, "little"),
        _TASK + _PID: struct.pack("<i", pid),
        _TASK + _COMM: comm.ljust(16, b"\0"),
    }
    made = kernel_with(machine, _types(b"pcpu_hot" in symbols), {b"__per_cpu_offset": _AREAS, **symbols})
    return replace(made, read=lambda address, length: (memory.get(address) or b"")[:length] or None)


def _cpu(number: int, **registers: int) -> Cpu:
    return Cpu(number, "", tuple(Register(name, value, "", 0, 8) for name, value in registers.items()), (), 0)


@pytest.mark.parametrize("symbols", [{b"current_task": 0x1000}, {b"pcpu_hot": 0xFF8}], ids=["variable", "6.2 to 6.14"])
def test_the_task_is_that_of_the_cpus_own_area(symbols: Mapping[bytes, int]) -> None:
    assert task_of(_kernel(symbols), _cpu(1), True) == Task(42, b"a.out")
    assert task_of(_kernel(symbols), _cpu(0), True) is None, "the dump does not have this CPU's area"


def test_riscv_has_the_task_in_a_register_in_the_kernel() -> None:
    kernel = _kernel({}, machine="riscv64")
    assert task_of(kernel, _cpu(0, tp=_TASK), True) == Task(42, b"a.out")
    assert task_of(kernel, _cpu(0, tp=_TASK), False) is None


def test_what_cannot_be_a_task_is_not_one() -> None:
    symbols = {b"current_task": 0x1000}
    assert task_of(_kernel(symbols, pid=-1), _cpu(1), True) is None
    assert task_of(_kernel(symbols, comm=b"sixteen bytes...."[:16]), _cpu(1), True) is None
    assert task_of(replace(_kernel(symbols), types=None), _cpu(1), True) is None
    assert task_of(_kernel({}), _cpu(1), True) is None
