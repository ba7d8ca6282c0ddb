"""What QEMU prints of the CPUs of booted guests, beside the notes of its dump of the same stopped guests."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from tests.paths import DATA
from tests.zstd import zstd
from vmci_tui.kernel.cpus.cpu import cpus_of
from vmci_tui.live.printed_registers import printed_cpus

_GUESTS: Final[dict[str, Any]] = json.loads(zstd.decompress((DATA / "live" / "registers.json.zst").read_bytes()))
"""For each machine what QEMU 7.2 printed, and the registers of the CPUs in its dump."""
_NOT_PRINTED: Final = {"dar", "dsisr", "prefix", "fs.flags", "tr.flags", "kernel_gs_base"}
"""QEMU prints none of these, or leaves out bits of them."""


@pytest.mark.parametrize("machine", _GUESTS)
def test_the_registers_are_those_of_the_dump(machine: str) -> None:
    guest = _GUESTS[machine]
    vm = "x86_64" if machine == "i386" else machine
    found = printed_cpus(guest["printed"], vm, guest["order"])
    cpus = cpus_of(found.notes, found.machine)
    assert found.machine == machine and len(cpus) == len(guest["cpus"])
    for cpu, truth in zip(cpus, guest["cpus"], strict=True):
        assert {name for name, value in truth.items() if cpu.value(name) != value} <= _NOT_PRINTED


@pytest.mark.parametrize("text", ["", "CPU#0\n", "nothing", "CPU#0\nRAX=zz RIP=12 EFER=\n", "CPU#0\nCPU#0\n" * 20_000])
def test_a_text_without_registers(text: str) -> None:
    assert printed_cpus(text, "x86_64", "little").notes == ()


def test_a_machine_without_notes_here() -> None:
    assert printed_cpus("CPU#0\n PC=0000000000000000\n", "loongarch64", "little").notes == ()
