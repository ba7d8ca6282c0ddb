"""Test memory with two kernels: one that crashed, and the one that was started to save it."""

from __future__ import annotations

from tests.kernel.symbols.kallsyms_writer import Kernel, paged, shift_of, symbols, write
from tests.proof.synthetic import Ram
from vmci_tui.containers.guest import Guest
from vmci_tui.kernel.cpus.cpu import cpus_of
from vmci_tui.kernel.lines.gather import kernel_of
from vmci_tui.kernel.symbols.crash_kernel import runs_after_crash
from vmci_tui.kernel.symbols.read_symbols import KernelSymbols, read_symbols
from vmci_tui.kernel.symbols.translation import runs_kernel

_CRASHED = Kernel(form="per-cpu", paddr=0x2200000, base=0xFFFFFFFF81100000)
_SAVES = Kernel(form="per-cpu", paddr=0x6200000, base=0xFFFFFFFF8D100000)
_TABLES, _HEADER = 0x250000, 0x260000
"""Where init_top_pgt and elfcorehdr_addr are in an image."""
_OUTSIDE = 0x900000
"""Bytes from the start of an image to a place behind it, which only page tables map."""


def _memory(header: int) -> tuple[Guest, KernelSymbols, KernelSymbols]:
    """Return memory whose CPU runs the kernel that saves the other, and both kernels, the crashed one first."""
    ram = Ram()
    for kernel in (_CRASHED, _SAVES):
        named = [(kernel.base + _TABLES, b"Dinit_top_pgt"), (kernel.base + _HEADER, b"Delfcorehdr_addr")]
        write(ram, kernel, sorted(symbols(kernel) + named, key=lambda one: one[0]))
    for kernel, value in ((_CRASHED, (1 << 64) - 1), (_SAVES, header)):
        ram.word(kernel.base + _HEADER - shift_of(kernel), value)
    before = paged(ram, _CRASHED, _CRASHED.base + _TABLES - shift_of(_CRASHED))
    guests = [ram.guest("x86_64")._replace(notes=notes) for notes in (before, paged(ram, _SAVES))]
    crashed, saves = (read_symbols(guest)[0] for guest in guests)
    return guests[1], crashed, saves


def test_a_kernel_says_that_it_was_started_by_a_crash() -> None:
    for header, started in ((0x7000000, True), (0, True), ((1 << 64) - 1, False)):
        guest, crashed, saves = _memory(header)
        assert runs_after_crash(guest, saves.table, "little") is started
        assert not runs_after_crash(guest, crashed.table, "little")


def test_addresses_of_the_crashed_kernel_are_translated_by_its_own_tables() -> None:
    guest, crashed, saves = _memory(0x7000000)
    (cpu,) = cpus_of(guest.notes, guest.machine)
    assert runs_kernel(guest, cpu, saves.table) and not runs_kernel(guest, cpu, crashed.table)
    for kernel, symbols_of in ((_CRASHED, crashed), (_SAVES, saves)):
        physical = kernel_of(guest, symbols_of).physical
        assert physical(kernel.base + _OUTSIDE) == kernel.base + _OUTSIDE - shift_of(kernel)
    assert kernel_of(guest, crashed).physical(_SAVES.base + _OUTSIDE) is None, "the other kernel's tables map it"
