"""Test which page table is swapper_pg_dir of an i386, arm or s390x kernel without symbols of variables."""

from __future__ import annotations

from functools import partial

import pytest

from tests.proof.synthetic import Ram
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.facts.running_kernel import RunningKernel
from vmci_tui.kernel.lines.prove_lines import prove_lines
from vmci_tui.kernel.virtual_memory import read_mapped
from vmci_tui.proof.paging.walk import walk

_SIZE = 0x20_0000
"""Bytes of code."""


def _verdict(machine: str, ram: Ram, start: int, shift: int, root: int, three: bool = True) -> str:
    """Return the verdict on a line that says that the table is at paddr `root`."""
    symbols = {b"_stext": start, b"_etext": start + _SIZE} | ({b"__pmd_alloc": start} if three else {})
    guest = ram.guest(machine)
    kernel = RunningKernel(
        machine,
        ram.order,
        8 if machine == "s390x" else 4,
        lambda name: (symbols[name],) if name in symbols else (),
        {},
        None,
        partial(read_mapped, guest, lambda address: address - shift),
        lambda address: address - shift,
        partial(walk, guest),
        b"6.1.0-50",
    )
    (line,) = prove_lines(kernel, Vmcoreinfo(b"SYMBOL(swapper_pg_dir)=%x\n" % (root + shift)))
    return line.verdict


def _i386(own_low: bool = False) -> Ram:
    """Return memory with swapper_pg_dir, initial_page_table and the table of a process, with PAE."""
    ram = Ram()
    for root, low, middle in (
        (0x160_0000, own_low, 0x160_3000),
        (0x160_1000, True, 0x160_3000),
        (0x160_2000, False, 0x8000),
    ):
        ram.word(root + 24, middle | 1)
        if low:
            ram.word(root, middle | 1)
        for at in range(0, _SIZE + 1, _SIZE):
            ram.word(middle + 8 * (0x100_0000 + at >> 21), 0x100_0000 + at | 0x81)
    return ram


def test_of_an_i386_kernel_it_maps_nothing_below_the_kernel_and_its_next_table_is_in_the_image() -> None:
    assert _verdict("i386", _i386(), 0xC1000000, 0xC0000000, 0x160_0000) == "confirmed"
    assert _verdict("i386", _i386(), 0xC1000000, 0xC0000000, 0x160_1000) == "contradicted"
    assert _verdict("i386", _i386(own_low=True), 0xC1000000, 0xC0000000, 0x160_0000) == "unknown"


@pytest.mark.parametrize("lpae", [True, False])
def test_of_an_arm_kernel_it_is_before_the_code_and_maps_the_vectors_elsewhere(lpae: bool) -> None:
    ram, root, code = Ram(), 0x4020_4000, 0x4040_0000
    if lpae:
        ram.word(root + 24, root + 0x1000 | 3)
        for at in range(0, 0x80_0000, 0x20_0000):
            ram.word(root + 0x1000 + 8 * (0xC040_0000 + at >> 21 & 511), code + at | 1)
        ram.word(root + 0x1000 + 8 * 511, 0x4800_0000 | 1)
    else:
        for at in range(0, 0x80_0000, 0x10_0000):
            ram.word(root + 4 * (0xC040_0000 + at >> 20), code + at | 2, 4)
        ram.word(root + 4 * 0xFFF, 0x4800_0000 | 2, 4)
    assert _verdict("arm", ram, 0xC0400000, 0x80000000, root, lpae) == "confirmed"
    ram.word(root + 0x1000 + 8 * 511 if lpae else root + 4 * 0xFFF, 0, 8 if lpae else 4)
    assert _verdict("arm", ram, 0xC0400000, 0x80000000, root, lpae) == "unknown"


def test_of_an_s390x_kernel_each_entry_says_of_which_level_it_is() -> None:
    ram = Ram("big")
    root, below = 0x40_0000, 0x41_0000
    for number in range(2048):
        ram.word(root + 8 * number, 0x24)
        ram.word(below + 8 * number, number << 20 | 0x400)
    ram.word(root, below | 7)
    assert _verdict("s390x", ram, 0x10_0000, 0, root) == "confirmed"
    ram.word(root + 8 * 2047, 0x28)
    assert _verdict("s390x", ram, 0x10_0000, 0, root) == "unknown"
