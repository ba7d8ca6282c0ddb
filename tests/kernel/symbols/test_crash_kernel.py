"""Test memory with two kernels: one that crashed, and the one that was started to save it."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.kernel.symbols.kallsyms_writer import Kernel, paged, shift_of, symbols, write
from tests.proof.synthetic import Ram
from vmci_tui.adoption.located_cpus import locate_cpus
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import Guest
from vmci_tui.document.state import State
from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.cpus.cpu import cpus_of
from vmci_tui.kernel.lines.gather import kernel_of
from vmci_tui.kernel.symbols.crash_kernel import runs_after_crash
from vmci_tui.kernel.symbols.read_symbols import CRASHED, SAVES, KernelSymbols, read_symbols
from vmci_tui.kernel.symbols.translation import runs_kernel

_CRASHED = Kernel(form="per-cpu", paddr=0x2200000, base=0xFFFFFFFF81100000)
_SAVES = Kernel(form="per-cpu", paddr=0x6200000, base=0xFFFFFFFF8D100000)
_TABLES, _HEADER = 0x250000, 0x260000
"""Where init_top_pgt and elfcorehdr_addr are in an image."""
_STOPPED, _RUNNING = b"\xfa\xf4", b"\x90\x90"
"""What the CPU in each kernel has executed: `cli; hlt`, and `nop`."""
_OUTSIDE = 0x900000
"""Bytes from the start of an image to a place behind it, which only page tables map."""


class _Memory(NamedTuple):
    guest: Guest
    """Its CPU runs the kernel that saves the other."""
    crashed: KernelSymbols
    saves: KernelSymbols
    left: tuple[Note, ...]
    """Of a CPU in the kernel that crashed."""


def memory_of(header: int) -> _Memory:
    ram = Ram()
    for kernel in (_CRASHED, _SAVES):
        named = [(kernel.base + _TABLES, b"Dinit_top_pgt"), (kernel.base + _HEADER, b"Delfcorehdr_addr")]
        write(ram, kernel, sorted(symbols(kernel) + named, key=lambda one: one[0]))
    for kernel, value in ((_CRASHED, (1 << 64) - 1), (_SAVES, header)):
        ram.word(kernel.base + _HEADER - shift_of(kernel), value)
    for kernel, code in ((_CRASHED, _STOPPED), (_SAVES, _RUNNING)):
        ram.put(kernel.base + 0x1004 - len(code) - shift_of(kernel), code)
    before = paged(ram, _CRASHED, _CRASHED.base + _TABLES - shift_of(_CRASHED))
    guests = [ram.guest("x86_64")._replace(notes=notes) for notes in (before, paged(ram, _SAVES))]
    crashed, saves = (read_symbols(guest)[0] for guest in guests)
    return _Memory(guests[1], crashed, saves, before)


def test_a_kernel_says_that_it_was_started_by_a_crash() -> None:
    for header, started in ((0x7000000, True), (0, True), ((1 << 64) - 1, False)):
        guest, crashed, saves, _ = memory_of(header)
        assert runs_after_crash(guest, saves.table, "little") is started
        assert not runs_after_crash(guest, crashed.table, "little")


def test_addresses_of_the_crashed_kernel_are_translated_by_its_own_tables() -> None:
    guest, crashed, saves, _ = memory_of(0x7000000)
    (cpu,) = cpus_of(guest.notes, guest.machine)
    assert runs_kernel(guest, cpu, saves.table) and not runs_kernel(guest, cpu, crashed.table)
    for kernel, symbols_of in ((_CRASHED, crashed), (_SAVES, saves)):
        physical = kernel_of(guest, symbols_of).physical
        assert physical(kernel.base + _OUTSIDE) == kernel.base + _OUTSIDE - shift_of(kernel)
    assert kernel_of(guest, crashed).physical(_SAVES.base + _OUTSIDE) is None, "the other kernel's tables map it"


@pytest.mark.parametrize("header", [0x7000000, (1 << 64) - 1])
@pytest.mark.parametrize("first_is_left", [False, True])
def test_a_cpu_that_was_left_in_a_kernel_leads_to_it(header: int, first_is_left: bool) -> None:
    """After a crash the kernel that crashed comes first; after a kexec the one in which the first CPU was."""
    guest, crashed, saves, left = memory_of(header)
    notes = left + guest.notes if first_is_left else guest.notes + left
    found = read_symbols(guest._replace(notes=notes))
    starts = [one.table.start for one in found]
    if header == 0x7000000:
        assert starts == [crashed.table.start, saves.table.start] and found[0].runs == CRASHED
    else:
        assert sorted(starts) == sorted([crashed.table.start, saves.table.start])
        assert [one.runs for one in found] == ["CPU 0 was in its code", "CPU 1 was in its code"]


@pytest.mark.parametrize("first_is_left", [False, True])
def test_the_kernel_that_the_dumps_own_note_describes_comes_first(first_is_left: bool) -> None:
    """The kernel that saves the dump may have given QEMU its own note: its lines are true of that kernel."""
    guest, crashed, saves, left = memory_of(0x7000000)
    guest = guest._replace(notes=left + guest.notes if first_is_left else guest.notes + left)
    for kernel, other, why in ((saves, crashed, SAVES), (crashed, saves, CRASHED)):
        found = read_symbols(guest, Vmcoreinfo(b"SYMBOL(_stext)=%x\n" % kernel.table.start))
        assert [one.table.start for one in found] == [kernel.table.start, other.table.start] and found[0].runs == why


@pytest.mark.parametrize(("header", "suspected"), [(0x7000000, 0), ((1 << 64) - 1, None)])
def test_a_cpu_that_a_kexec_left_does_not_make_another_one_look_panicked(header: int, suspected: int | None) -> None:
    guest, _, _, left = memory_of(header)
    guest = guest._replace(notes=guest.notes + left)
    located = locate_cpus(State(), guest, no_progress)
    assert [one.doing.state for one in located.found.cpus] == ["running", "stopped"]
    assert (located.suspect and located.suspect.number) == suspected
    assert [number for number, _ in located.others] == [0 if header == 0x7000000 else 1]
